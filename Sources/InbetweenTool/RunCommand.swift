// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Evaluation
internal import Experiments
internal import Flow
internal import Foundation
internal import Pipeline
internal import Recipes
internal import Specification
internal import Video

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Label videos, or predict depth or boxes in them.",
    discussion: """
      A source is a video file, a folder of pictures, a pattern such as 'clip/*.png', or one \
      picture. Frames are read to the end; what the container says of their number is not believed.

      Several sources run side by side and share one network, which takes their key frames in \
      batches. Outputs are then named by source: --output '{name}-labels.mp4', where {name} is a \
      source's name without extension and {number} its place, from 1.
      """)

  @Argument(help: "Video files, folders of pictures, patterns, or pictures.")
  var sources: [String]

  @OptionGroup var parts: PartOptions

  @OptionGroup var places: OutputOptions

  @Option(help: "Write the result there as JSON; - for standard output, without the table.")
  var json: String?

  @Option(help: "Stop after so many frames of each source.")
  var frames: Int?

  @Flag(help: "End well even where the stream ends before its container says it should.")
  var allowTruncated = false

  @Flag(help: "Decode ahead on another thread: more frames a second, less steady stage times.")
  var readAhead = false

  @Flag(
    help: """
      Decode, estimate flow, label, and draw, encode and write on threads of their own: more \
      frames a second, the same results, less steady stage times.
      """)
  var overlap = false

  @Option(help: "Of several sources: how many key frames the network takes at once, at most.")
  var batch: Int?

  @Flag(help: "Time the first frames of each role too, on which networks still compile.")
  var noWarmUp = false

  private var own: [(key: String, value: OptionValue)] {
    (frames.map { [("frames", .integer($0))] } ?? []) + (noWarmUp ? [("warm_up", false)] : [])
  }

  /// What is wrong with the arguments, once the parser knows them all.
  private func check() throws {
    try parts.checkLabelling(own, takesHeads: true)
    try places.check()
    guard (1...256).contains(batch ?? 1) else {
      throw ValidationError("--batch needs a number from 1 to 256, not \(batch ?? 0)")
    }
    guard sources.count > 1 else {
      if batch != nil { throw ValidationError("--batch goes with several sources") }
      return
    }
    if readAhead || overlap {
      throw ValidationError(
        "several sources run side by side anyway: \(overlap ? "--overlap" : "--read-ahead") is for "
          + "one")
    }
    if parts.regions != nil {
      throw ValidationError("--regions is for one source, not \(sources.count)")
    }
    try checkNames()
  }

  /// Several sources must not be written to one place.
  private func checkNames() throws {
    let outputs = [
      ("--output", places.output), ("--labels", places.labels),
      ("--predictions", places.predictions), ("--per-frame", places.perFrame),
      ("--json", json),
    ]
    for case (let option, let path?) in outputs where !path.contains("{number}") {
      guard path.contains("{name}") else {
        throw ValidationError(
          "\(option) \(path): of several sources each needs a place of its own, such as "
            + "'{name}-labels.mp4'")
      }
      var seen: [String: String] = [:]
      for source in sources {
        if let other = seen.updateValue(source, forKey: RunSource.name(of: source)) {
          throw ValidationError(
            "\(other) and \(source) have one name: \(option) needs {number} in the place of {name}")
        }
      }
    }
  }

  func run() throws {
    try check()
    let signals = Signals()
    let (spec, registries) = (try parts.specification(own), Parts.registries)
    let sources = try opened()
    guard let backbone = spec.pipeline.backbone else { throw CleanExit.helpRequest(self) }
    let context = registries.context(threads: parts.threading.threads)
    let network = try registries.source(of: backbone, in: context)
    let asked = Asked(spec: spec, network: network, sources: sources)
    let head = try spec.pipeline.head.map { try registries.heads.build($0, in: context) }
    if let task = head ?? network.task {
      try run(asked, predicting: task, until: signals)
    } else {
      guard places.predictions == nil else {
        throw Failure(.usage, "--predictions is for depth and boxes; --labels keeps label maps")
      }
      try run(asked, RunPrediction(labelsOf: network), until: signals)
    }
  }

  private func run(
    _ asked: Asked, predicting task: some PredictionTask, until signals: Signals
  ) throws {
    guard places.labels == nil else {
      throw Failure(
        .usage, "--labels keeps label maps, and \(task.name) is predicted: leave it out")
    }
    try run(asked, RunPrediction(of: task), until: signals)
  }

  private func run<Prediction>(
    _ asked: Asked, _ prediction: RunPrediction<Prediction>, until signals: Signals
  ) throws {
    let ready = try prepare(asked, prediction)
    signals.keepsWork()
    let counts = ready.streams.compactMap { ready.spec.frames ?? $0.info.claimedFrameCount }
    let settings = RunSettings(
      limit: ready.spec.frames, warmsUp: ready.spec.warmsUp, signals: signals,
      progress: SharedProgress(
        total: counts.count == sources.count ? counts.reduce(0, +) : nil))
    let ends = try predict(ready, settings)
    try tell(ends, of: ready, wasStopped: signals.wantsStop)
  }

  /// What a run is asked for, opened and not loaded.
  private struct Asked {
    let spec: ExperimentSpec
    let network: any NetworkSource
    let sources: [RunSource]
  }

  /// What a run is made of, once all of it is found to be good.
  private struct Ready<Prediction: Sendable> {
    let asked: Asked
    /// What is predicted where it is not the network's labels.
    let task: String?
    let resolved: ResolvedPipeline<Prediction>
    /// Every file that is read.
    let files: [String]
    /// Of each source: its frames, where they go, where its result goes, what is odd about it.
    let streams: [any FrameSource]
    let outputs: [OutputStage<Prediction>]
    let results: [OutputFile?]
    let warnings: [[String]]

    var spec: ExperimentSpec { asked.spec }
    var sources: [RunSource] { asked.sources }
  }

  /// A source that cannot be read, and outputs that cannot be made, are known before anything is
  /// loaded.
  private func prepare<Prediction>(
    _ asked: Asked, _ prediction: RunPrediction<Prediction>
  ) throws -> Ready<Prediction> {
    let (spec, network, sources) = (asked.spec, asked.network, asked.sources)
    let registries = Parts.registries
    let own = network.files + prediction.files
    let files = own + spec.files(in: registries) + [parts.config].compactMap(\.self)
    try RunSource.check(sources, files: files)
    let results = try sources.map { source in
      try source.json.map { (path) throws(Failure) in try OutputFile(path) }
    }
    let outputs = try sources.map { source in
      try prediction.stage(for: source, overlaps: overlap)
    }
    try parts.threading.apply()
    let (heavy, labels) = try network.load()
    Warnings.say(network.remarks)
    let resolved = try spec.pipeline.resolve(
      around: heavy, head: prediction.head(heavy, labels), path: network.path, in: registries,
      threads: ownThreads, usual: prediction.usualPropagator)
    try RunSource.check(sources, files: files + resolved.files)
    let streams = try sources.map { try open($0, for: resolved) }
    let found = streams.map { $0.info.warnings(along: resolved.pipeline.flow) }
    say(found, of: sources, before: resolved.warnings)
    return Ready(
      asked: asked, task: prediction.name, resolved: resolved, files: own + resolved.files,
      streams: streams,
      outputs: outputs, results: results, warnings: found.map { resolved.warnings + $0 })
  }

  /// The sources, and where what comes of each goes.
  private func opened() throws -> [RunSource] {
    try sources.enumerated().map { place, path in
      func own(_ text: String?) -> String? {
        text?.replacingOccurrences(of: "{name}", with: RunSource.name(of: path))
          .replacingOccurrences(of: "{number}", with: "\(place + 1)")
      }
      var places = places.places(threads: ownThreads)
      (places.video, places.labels) = (own(places.video), own(places.labels))
      places.table = own(places.table)
      places.predictions = own(places.predictions)
      return try RunSource(path, to: places, json: own(json))
    }
  }

  /// Threads that a stream takes in its flow, decoding and encoding: side by side, streams share
  /// them out.
  private var ownThreads: Int {
    let threads = parts.threading.threads
    return max(1, threads / min(threads, sources.count))
  }

  private func open(
    _ source: RunSource, for resolved: ResolvedPipeline<some Sendable>
  ) throws -> any FrameSource {
    let threads = ownThreads
    guard readAhead || overlap else { return try source.open(for: resolved, threads: threads) }
    return Prefetching(try source.open(for: resolved, threads: threads))
  }

  private func predict<Prediction>(
    _ ready: Ready<Prediction>, _ settings: RunSettings
  ) throws -> [RunEnd] {
    if ready.streams.count > 1, ready.resolved.takesStreamsOneByOne {
      return try oneByOne(ready, settings)
    }
    guard ready.streams.count > 1 else {
      var job = RunJob(ready.streams[0], to: ready.outputs[0], settings)
      return [job.run(with: try ready.resolved.streaming())]
    }
    let group = StreamGroup(
      ready.resolved.pipeline, threads: parts.threading.threads, batch: batch ?? 4)
    let jobs = try ready.sources.indices.map { place in
      GroupedJob(
        RunJob(
          try open(ready.sources[place], for: ready.resolved), to: ready.outputs[place], settings))
    }
    let begin = ContinuousClock.now
    let failures = group.run(jobs)
    let seconds = (ContinuousClock.now - begin) / .seconds(1)
    settings.progress.end()
    var ends = zip(jobs, failures).map { $0.end(after: $1.map { Failure($0) }) }
    let frames = ends.reduce(0) { $0 + $1.costs.speed.frames }
    for place in ends.indices {
      ends[place].wall.group = .init(streams: ends.count, frames: frames, seconds: seconds)
    }
    return ends
  }

  /// Predictions that are carried, or wait, are the streams' own: one source after the other.
  private func oneByOne<Prediction>(
    _ ready: Ready<Prediction>, _ settings: RunSettings
  ) throws -> [RunEnd] {
    if batch != nil {
      throw Failure(
        .usage, "--batch is for feature maps: predictions that are carried, or wait, go one by one")
    }
    return try zip(ready.streams, ready.outputs).map { stream, output in
      var job = RunJob(stream, to: output, settings)
      return job.run(with: try ready.resolved.streaming())
    }
  }

  /// Warnings of the pipeline, and of each source, by its name where there are several.
  private func say(_ found: [[String]], of sources: [RunSource], before common: [String] = []) {
    Warnings.say(common)
    for (warnings, source) in zip(found, sources) {
      Warnings.say(warnings.map { named($0, source) })
    }
  }

  private func named(_ text: String, _ source: RunSource) -> String {
    sources.count == 1 || text.hasPrefix(source.path) ? text : "\(source.path): \(text)"
  }

  /// Writes and prints what each job came to, and ends with what went wrong.
  private func tell<Prediction>(
    _ ends: [RunEnd], of ready: Ready<Prediction>, wasStopped: Bool
  ) throws {
    let scheduler = ready.resolved.spec.scheduler
    let after = ends.map { end in
      [Parts.registries.rateWarning(of: scheduler, after: end.costs.speed)]
        .compactMap(\.self) + end.report.warnings
    }
    say(after, of: ready.sources)
    let isPrinted =
      ready.outputs.contains(where: \.areStandardOutput)
      || ready.results.contains { $0?.isStandardOutput == true }
    var failures: [Failure] = []
    for (place, end) in ends.enumerated() {
      let source = ready.sources[place]
      let summary = summary(
        of: end, from: source, ready, warnings: ready.warnings[place] + after[place])
      if end.costs.speed.frames > 0, !isPrinted {
        print(ResultTable(summary, title: source.path))
      }
      try ready.results[place]?.write(
        json: ExtendedResult(result: summary, key: ResultKey.wall, value: end.wall))
      let truncation = allowTruncated ? nil : end.truncation(of: source.path)
      if let failure = end.failure ?? truncation {
        let own = Failure(failure.code, named(failure.message, source))
        failures.append(wasStopped ? failure : own)
      }
    }
    if !isPrinted, let group = ends[0].wall.group { print(group) }
    // The last one ends the program, which says it; an interruption is that of all of them.
    for failure in failures.dropLast() where failure.message != failures.last?.message {
      failure.report()
    }
    if let failure = failures.last { throw failure }
  }

  private func summary(
    of end: RunEnd, from source: RunSource, _ ready: Ready<some Sendable>, warnings: [String]
  ) -> RunResult {
    var used = ready.spec
    used.pipeline = ready.resolved.spec
    var names = ready.resolved.spec.names(in: Parts.registries)
    if !end.costs.usesFlow { names["flow"] = nil }
    names["recipe"] = ready.spec.recipe
    names["head"] = ready.task
    return RunResult(
      status: end.status, specification: used, pipeline: names, speed: end.costs.speed,
      cost: .now(macs: end.costs.macs),
      input: .init(
        path: source.path, codec: end.info.codec, framesContainer: end.info.claimedFrameCount,
        framesDecoded: end.report.decoded, decodeErrors: end.report.errors,
        truncated: end.report.truncated, breaks: end.report.breaks),
      environment: Surroundings.facts(
        threads: parts.threading.threads, files: ready.files),
      warnings: warnings)
  }

  private enum ResultKey: String, CodingKey { case wall }
}
