// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Datasets
internal import Evaluation
internal import Experiments
internal import Flow
internal import Foundation
internal import Outputs
internal import Pipeline
internal import Recipes
internal import Specification
internal import Video

struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval", abstract: "Measure a pipeline on a labelled clip.",
    discussion: """
      Prints mIoU over the schedule, at each distance from the key frame and of each class, \
      temporal consistency, the share of key frames, and latency of key and of non-key frames \
      and into stages.
      """)

  @Argument(
    help: """
      The labelled clip: camvid:, cityscapes:, davis:, folder: or stills:DIR, or street:SEED; with \
      --agreement also video:FILE.
      """,
    completion: .custom { _, _, _ in Parts.registries.datasets.descriptors.map(\.kind) })
  var data: String?

  @Option(help: "Which part of the data set: train, val or test. Usually val.")
  var split: String?

  @Option(help: "Stop after so many frames.")
  var frames: Int?

  @OptionGroup var parts: PartOptions

  @Option(
    help: """
      The optical flow used for temporal consistency; by default Farnebäck's, or dense inverse \
      search's where --flow is the former. A clip's exact motion takes its place. none leaves \
      temporal consistency out.
      """)
  var consistency: String?

  @Option(
    name: [.customLong("metric")], help: "Measure this too; may be given several times; see list.",
    completion: .custom { _, _, _ in Parts.registries.metrics.descriptors.map(\.kind) })
  var metrics: [String] = []

  @Option(
    help: """
      For --flow codec: pictures from one intra picture to the next, in the H.264 encoding of the \
      clip that is made for it, without B pictures. Usually 12.
      """)
  var group: Int?

  @Flag(
    help: """
      Measure agreement with per-frame inference, in the place of labels: for clips that have none.
      """)
  var agreement = false

  @Flag(help: "Time the first frames too, without labelling any beforehand.")
  var noWarmUp = false

  @Option(
    help: """
      Write a map a frame into this folder, as error_NUMBER_NAME.png: the class that was given \
      where it is wrong, else void.
      """)
  var errors: String?

  @Option(
    help: "Write the label map of each frame into this folder, as PNG with a palette, for score.")
  var labels: String?

  @Option(help: "Write the result there as JSON; - for standard output, without the table.")
  var json: String?

  @Option(
    help: """
      Keep the run in this folder: result.json, and frames.json with what each frame counts, for \
      compare.
      """)
  var out: String?

  private var own: [(key: String, value: OptionValue)] {
    var own: [(String, OptionValue)] = []
    if let data { own.append(("data", .text(data))) }
    if let split { own.append(("split", .text(split))) }
    if let frames { own.append(("frames", .integer(frames))) }
    if let consistency { own.append(("consistency", .text(consistency))) }
    if !metrics.isEmpty { own.append(("metrics", .list(metrics.map { .text($0) }))) }
    if let group { own.append(("group", .integer(group))) }
    if agreement { own.append(("agreement", true)) }
    if noWarmUp { own.append(("warm_up", false)) }
    return own
  }

  /// What is wrong with the arguments, once the parser knows them all.
  private func check() throws {
    try data.map(DataArgument.check)
    let spec = try parts.validated(own)
    guard spec.data != nil else {
      throw ValidationError("the clip must be named: camvid:DIR, street:SEED, video:FILE, …")
    }
    guard spec.pipeline.backbone != nil else {
      throw ValidationError("--backbone must be given, or a --recipe that has one")
    }
    try spec.checkAgreement(in: Parts.registries)
  }

  func run() throws {
    try check()
    let signals = Signals()
    let (registries, threads) = (Parts.registries, parts.threading.threads)
    let run = try EvaluationRun(parts.specification(own), in: registries, threads: threads)
    let inputs = run.allInputs + [parts.config].compactMap(\.self)
    try checkPaths(inputs)
    let output = try json.map { (path) throws(Failure) in try OutputFile(path) }
    if labels != nil, run.spec.pipeline.head != nil {
      throw Failure(.usage, "--labels keeps label maps; leave out --head or --labels")
    }
    var made: [String] = []
    // What is refused leaves no folder behind.
    defer { removeEmptyFolders(made) }
    for folder in [errors, labels, out].compactMap(\.self) {
      made += try OutputFile.make(folder: folder)
    }
    try parts.threading.apply()
    if let task = try run.task() {
      return try measure(task, in: run, writing: output, until: signals)
    }
    guard let loaded = try load(run, until: signals) else { return }
    try checkPaths(inputs + loaded.files)
    Warnings.say(loaded.warnings)
    var extra = try run.metrics(of: Image.self, against: Image.self)
    let (measurement, failure) = measure(loaded, by: &extra, until: signals)
    let after = [
      measurement.speed.frames > 0 ? try loaded.colorOrderWarning(in: registries) : nil,
      loaded.spec.agreement ? nil : measurement.absenceWarning,
      registries.rateWarning(of: loaded.spec.pipeline.scheduler, after: measurement.speed),
    ].compactMap(\.self)
    Warnings.say(after)
    let result = RunResult(
      status: failure != nil ? .failed : signals.wantsStop ? .cancelled : .ok,
      specification: loaded.spec,
      pipeline: loaded.names(
        in: registries, usesFlow: measurement.usesFlow, consistency: measurement.consistencyFlow),
      accuracy: measurement.accuracy, against: loaded.spec.agreement ? .agreement : .labels,
      scores: extra.isEmpty ? nil : scores(of: extra),
      intervals: measurement.records.intervals(),
      speed: measurement.speed, cost: .now(after: measurement),
      input: .init(
        path: registries.text(of: loaded.spec.data), framesDecoded: measurement.speed.frames,
        breaks: measurement.breaks),
      environment: Surroundings.facts(threads: threads, files: loaded.files),
      warnings: loaded.warnings + after)
    if measurement.speed.frames > 0, output?.isStandardOutput != true {
      print(ResultTable(result, title: loaded.clip.name))
    }
    try output?.write(json: result)
    if let out { try RunFolder(out).write(result, frames: measurement.records) }
    if let failure = failure ?? signals.failure { throw failure }
  }

  /// Looks for what would be written over before anything is.
  private func checkPaths(_ inputs: [String]) throws {
    let kept = out.map { RunFolder($0) }
    try Overwriting.check(
      outputs: ["--json": json, "--out": kept?.resultPath, "--out": kept?.framesPath],
      inputs: inputs)
    if let errors {
      try Overwriting.check(option: "--errors", folder: errors, inputs: inputs) {
        $0.hasPrefix("error_")
      }
    }
    if let labels {
      if let errors, FileIdentity(errors) == FileIdentity(labels) {
        throw Failure(.usage, "--errors and --labels both name \(labels)")
      }
      try Overwriting.check(option: "--labels", folder: labels, inputs: inputs) { _ in true }
    }
  }

  /// The experiment, ready; nil where the search for an oracle's key frames was stopped.
  private func load(_ run: EvaluationRun, until signals: Signals) throws -> LoadedEvaluation? {
    let progress = SharedProgress()
    defer { progress.end() }
    do {
      return try run.load(
        isStopped: { signals.wantsStop }, advance: { progress.advance() })
    } catch is CancellationError {
      if let failure = signals.failure { throw failure }
      return nil
    }
  }

  private func scores(of metrics: [any Metric<Image, Image>]) -> [String: Double] {
    metrics.reduce(into: [:]) { scores, metric in scores.merge(metric.values) { $1 } }
  }

  private func measure(
    _ loaded: LoadedEvaluation, by metrics: inout [any Metric<Image, Image>],
    until signals: Signals
  ) -> (RunMeasurement, Failure?) {
    measure(loaded.pipeline, loaded, by: &metrics, until: signals)
  }

  private func measure(
    _ pipeline: some StreamPipeline<Image>, _ loaded: LoadedEvaluation,
    by metrics: inout [any Metric<Image, Image>], until signals: Signals
  ) -> (RunMeasurement, Failure?) {
    let clip = loaded.clip
    let evaluator = Evaluator(
      pipeline, on: clip, consistency: loaded.consistency, warmsUp: loaded.spec.warmsUp)
    var measurement = evaluator.emptyMeasurement(keeping: .records)
    var progress = Progress(total: clip.count)
    var (counted, names) = ([[String: FigureCounts]](), LabelMapNames())
    defer { progress.end() }
    do {
      signals.keepsWork()
      try evaluator.run(into: &measurement) { sample, result in
        progress.advance(isKey: result.trace.startsBackbone)
        counted.append([:])
        for place in metrics.indices {
          let counts = try metrics[place].counts(
            adding: result.labels, target: sample.labels, trace: result.trace)
          counted[counted.count - 1].merge(counts) { first, _ in first }
        }
        if let errors, let truth = sample.labels {
          // Frames of two sequences may share a name, and the folder may hold pictures.
          let name = sample.frame.name.map { "_\($0)" } ?? ""
          let number = String(format: "error_%06d", sample.frame.index)
          try ErrorMap(result.labels, truth: truth, classes: clip.classes)
            .write(to: "\(errors)/\(number)\(name).png")
        }
        if let labels {
          try result.labels.scaledLabels(to: sample.frame.pixels.size)
            .writePNG(
              to: "\(labels)/\(names.next(sample.frame)).png", palette: clip.classes.palette)
        }
        return !signals.wantsStop
      } isStopped: {
        signals.wantsStop
      }
      measurement.keep(counted)
      return (measurement, nil)
    } catch {
      measurement.keep(counted)
      return (measurement, Failure(error))
    }
  }
}

// Heads of their own.
extension EvalCommand {
  private func measure(
    _ task: some PredictionTask, in run: EvaluationRun, writing output: OutputFile?,
    until signals: Signals
  ) throws {
    let (registries, threads) = (Parts.registries, parts.threading.threads)
    var progress = Progress(total: run.spec.frames)
    defer { progress.end() }
    let measured = try run.measure(task) { trace in
      signals.keepsWork()
      progress.advance(isKey: trace.startsBackbone)
      return !signals.wantsStop
    }
    progress.end()
    Warnings.say(measured.warnings)
    var names = measured.spec.pipeline.names(in: registries)
    names["head"] = measured.task
    if !measured.costs.usesFlow { names["flow"] = nil }
    let result = RunResult(
      status: signals.wantsStop ? .cancelled : .ok, specification: measured.spec,
      pipeline: names, against: measured.spec.agreement ? .agreement : .labels,
      scores: measured.scores, scoresByDistance: measured.frames.valuesByDistance,
      intervals: measured.frames.intervals(), speed: measured.costs.speed,
      cost: .now(macs: measured.costs.macs),
      input: .init(
        path: registries.text(of: measured.spec.data),
        framesDecoded: measured.costs.speed.frames, breaks: measured.costs.breaks),
      environment: Surroundings.facts(threads: threads, files: measured.files),
      warnings: measured.warnings)
    if output?.isStandardOutput != true { print(ResultTable(result, title: measured.clip)) }
    try output?.write(json: result)
    if let out { try RunFolder(out).write(result, frames: measured.frames) }
    if let failure = signals.failure { throw failure }
  }
}

extension Registries {
  /// The short text of a data set; nothing where there is none.
  func text(of data: PartSpec?) -> String {
    data.map { grammar.text(of: $0, as: datasets.role) } ?? ""
  }
}
