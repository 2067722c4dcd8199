// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Evaluation
internal import Experiments
internal import Flow
internal import Foundation
internal import Outputs
internal import Pipeline
internal import Recipes
internal import Scheduler
internal import Specification
internal import Video

struct LiveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "live", abstract: "Label a live stream, a line of JSON a frame.",
    discussion: """
      The source is a camera (/dev/video0, or 0), an address (rtsp, rtsps, http, https, udp, tcp, \
      rtmp, srt), a named pipe, - for standard input, or a file at its own rate. Standard input \
      and pipes hold any format of a video file that can be read from front to back, such as y4m, \
      or raw pictures with --raw. Decoding, labelling and writing run side by side.
      """)

  enum OnLate: String, ExpressibleByArgument, CaseIterable { case drop, reuse, degrade }

  @Argument(help: "A camera, an address, a named pipe, - or a file.")
  var source: String

  @OptionGroup var parts: PartOptions
  @OptionGroup var places: OutputOptions

  @Flag(help: "Label the newest frame; those that came meanwhile are dropped and counted.")
  var newest = false

  @Flag(help: "Label every frame, however old it gets; the sender is made to wait where it can be.")
  var everyFrame = false

  @Option(help: "The age, from capture to result, at which a result is late.")
  var deadlineMs: Double?

  @Option(
    help: """
      What becomes of a frame that will be late by what others took: drop (no result), reuse (the \
      labels before it), degrade (where it is to be a key frame, propagate and put the key frame \
      off). Without it, it is labelled all the same.
      """)
  var onLate: OnLate?

  @Option(help: "Standard input or a pipe holds pictures without a header: 640x480:rgb24@30.")
  var raw: String?

  @Option(help: "Seconds without a frame after which a stream has stalled.")
  var timeout = 5.0

  @Option(
    help: """
      Seconds that a stream may stay away before it is given up; usually 60. Given for a pipe, it \
      is also how long its next sender is waited for.
      """)
  var maxOutage: Double?

  @Option(help: "Write the result there as JSON.")
  var json: String?

  @Option(help: "Stop after so many results.")
  var frames: Int?

  private var own: [(key: String, value: OptionValue)] {
    frames.map { [("frames", .integer($0))] } ?? []
  }

  private func check() throws {
    guard newest != everyFrame else {
      throw ValidationError(
        "say which frames to label where more come than can be: --newest or --every-frame")
    }
    try parts.checkLabelling(own, takesHeads: false)
    if places.predictions != nil {
      throw ValidationError("--predictions is for run: live labels frames")
    }
    try places.check()
    guard deadlineMs.map({ $0.isFinite && $0 > 0 && $0 <= 1e9 }) ?? true else {
      throw ValidationError("--deadline-ms needs a positive number")
    }
    guard onLate == nil || deadlineMs != nil else {
      throw ValidationError("--on-late needs --deadline-ms")
    }
    for (name, value) in [("--timeout", timeout), ("--max-outage", maxOutage ?? 1)] {
      guard value.isFinite, value > 0, value <= 1e9 else {
        throw ValidationError("\(name) needs a positive number of seconds")
      }
    }
    guard json != "-" else {
      throw ValidationError("--json -: standard output holds a line a frame; name a file")
    }
    guard raw == nil || rawVideo != nil else {
      throw ValidationError(
        "--raw \(raw ?? "") is no WIDTHxHEIGHT:FORMAT@RATE, as 640x480:rgb24@30")
    }
  }

  private var rawVideo: RawVideo? { raw.flatMap { RawVideo($0) } }

  private var policy: LiveQueue.Policy { newest ? .newest : .everyFrame }

  func run() throws {
    try check()
    let signals = Signals()
    guard let ready = try prepared() else { return }
    // The stream is opened last: what comes while networks are loaded would be old.
    let watch = LiveWatch()
    let stream = try open(ready.address, for: ready.spec.pipeline, watch: watch)
    let info = stream.info
    let outputs = try outputs(of: info, ready.classes)
    let pipeline = try gated(ready.resolved)
    // Networks compile on what nobody waits for; who cannot be made to wait is read meanwhile.
    let waits = ready.address.senderWaits
    if waits { try pipeline.0.warmUp(width: info.width, height: info.height) }
    let queue = LiveQueue(stream, policy: policy, watch: watch)
    defer { queue.cancel() }
    if !waits { try pipeline.0.warmUp(width: info.width, height: info.height) }
    Warnings.say(ready.resolved.warnings)
    var job = LiveJob(
      pipeline, classes: ready.classes, queue: queue, watch: watch, outputs: outputs,
      lines: LiveLines(classes: ready.classes, folder: places.labels),
      settings: .init(
        policy: policy, deadline: deadlineMs, onLate: onLate, limit: ready.spec.frames),
      signals: signals)
    signals.keepsWork()
    let failure = job.run()
    Warnings.say(job.progress.report.warnings)
    try ready.result?.write(
      json: ExtendedResult(
        result: summary(of: job, ready, info: info), key: Key.live, value: job.report))
    StandardError.say("\(ready.address.name): \(job.report.sentence)\n")
    if let failure { throw failure }
  }

  /// What is made before the stream is opened.
  private struct Ready {
    let spec: ExperimentSpec
    let resolved: ResolvedPipeline<Image>
    let classes: ClassList
    let files: [String]
    let address: LiveAddress
    let result: OutputFile?
  }

  private func prepared() throws -> Ready? {
    let (spec, registries) = (try parts.specification(own), Parts.registries)
    guard let backbone = spec.pipeline.backbone else { return nil }
    let address = try LiveAddress(source)
    try checkRaw(address)
    let network = try registries.source(
      of: backbone, in: registries.context(threads: parts.threading.threads))
    let files = network.files + spec.files(in: registries) + [parts.config].compactMap(\.self)
    try checkPaths(address, files: files)
    let result = try json.map { (path) throws(Failure) in try OutputFile(path) }
    for path in [places.output, places.perFrame].compactMap(\.self) {
      try OutputFile.check(file: path)
    }
    try parts.threading.apply()
    let (heavy, head) = try network.load()
    Warnings.say(network.remarks)
    let resolved = try spec.pipeline.resolve(
      around: heavy, head: head, path: network.path, in: registries,
      threads: parts.threading.threads)
    try checkPaths(address, files: files + resolved.files)
    try checkMotion(of: resolved)
    return Ready(
      spec: spec, resolved: resolved, classes: network.classes,
      files: network.files + resolved.files, address: address, result: result)
  }

  private func outputs(of info: StreamInfo, _ classes: ClassList) throws -> OutputStage<Image> {
    let places = places.places(threads: parts.threading.threads)
    let outputs = OutputStage(
      try FrameOutputs(places, info: info, LabelOutput(places, palette: classes.palette)),
      overlaps: true)
    guard !outputs.areStandardOutput else {
      throw Failure(.usage, "standard output holds a line a frame: write the overlay to a file")
    }
    return outputs
  }

  private enum Key: String, CodingKey { case live }

  private func open(
    _ address: LiveAddress, for pipeline: PipelineSpec, watch: LiveWatch
  ) throws -> LiveStream {
    var patience = LivePatience()
    patience.timeout = .microseconds(Int64(timeout * 1e6))
    patience.maxOutage = .microseconds(Int64((maxOutage ?? 60) * 1e6))
    return try LiveSource.open(
      address, raw: rawVideo,
      options: VideoOptions(motionVectors: try namesCodec(pipeline), threads: 1),
      patience: patience,
      pipeReturns: maxOutage != nil, watch: watch
    ) { Warnings.say([$0]) }
  }

  private func checkRaw(_ address: LiveAddress) throws {
    guard raw != nil else { return }
    switch address {
    case .standardInput, .pipe: return
    default: throw Failure(.usage, "--raw is for standard input and pipes; \(source) is none")
    }
  }

  /// Whether motion is to be the codec's, by what the options say: it is to be known before the
  /// stream is opened, which may be possible once only.
  private func namesCodec(_ pipeline: PipelineSpec) throws -> Bool {
    guard let flow = pipeline.flow else { return false }
    let registries = Parts.registries
    return try registries.flows.build(
      flow, in: registries.context(threads: parts.threading.threads)
    ).needsMotionVectors
  }

  private func checkMotion(of resolved: ResolvedPipeline<Image>) throws {
    guard resolved.pipeline.flow.needsMotionVectors else { return }
    guard everyFrame else {
      throw Failure(
        .usage, "--flow codec leads from each frame to the one before: take --every-frame")
    }
    guard try namesCodec(resolved.spec) == namesCodec(parts.specification(own).pipeline) else {
      throw Failure(.usage, "these parts follow the codec's motion: name it with --flow codec")
    }
  }

  private func gated(
    _ resolved: ResolvedPipeline<Image>
  ) throws -> (any PredictionPipeline<Image>, KeyframeGate?) {
    guard let onLate else { return (try resolved.regional(), nil) }
    let gate = KeyframeGate(onLate == .degrade ? .putOff : .refuse)
    return (try resolved.regional(with: PuttingOff(resolved.pipeline.scheduler, gate: gate)), gate)
  }

  private func checkPaths(_ address: LiveAddress, files: [String]) throws {
    var inputs = files
    if case .file(let path) = address { inputs.append(path) }
    try Overwriting.check(
      outputs: ["--output": places.output, "--json": json, "--per-frame": places.perFrame],
      inputs: inputs)
    guard let labels = places.labels else { return }
    try Overwriting.check(option: "--labels", folder: labels, inputs: inputs) { name in
      name.count >= 6 && name.allSatisfy(\.isNumber)
    }
  }

  private func summary(
    of job: LiveJob, _ ready: Ready, info: StreamInfo
  ) -> RunResult {
    var used = ready.spec
    used.pipeline = ready.resolved.spec
    let report = job.progress.report
    return RunResult(
      status: job.status, specification: used,
      pipeline: ready.resolved.spec.names(in: Parts.registries), speed: job.measurement.speed,
      cost: .now(after: job.measurement),
      input: .init(
        path: ready.address.name, codec: info.codec,
        framesDecoded: report.decoded, decodeErrors: report.errors, breaks: report.breaks),
      environment: Surroundings.facts(threads: parts.threading.threads, files: ready.files),
      warnings: ready.resolved.warnings + report.warnings)
  }
}
