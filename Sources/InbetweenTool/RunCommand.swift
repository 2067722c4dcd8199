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
    commandName: "run", abstract: "Label a video.",
    discussion: """
      The source is a video file, a folder of pictures, a pattern such as 'clip/*.png', or one \
      picture. Frames are read to the end; what the container says of their number is not believed.
      """)

  @Argument(help: "A video file, a folder of pictures, a pattern, or one picture.")
  var source: String

  @OptionGroup var parts: PartOptions

  @OptionGroup var places: OutputOptions

  @Option(help: "Write the result there as JSON; - for standard output, without the table.")
  var json: String?

  @Option(help: "Stop after so many frames.")
  var frames: Int?

  @Flag(help: "End well even where the stream ends before its container says it should.")
  var allowTruncated = false

  @Flag(help: "Decode ahead on another thread: more frames a second, less steady stage times.")
  var readAhead = false

  @Flag(
    help: """
      Decode, estimate flow, label, and draw, encode and write on threads of their own: more frames \
      a second, the same results, less steady stage times.
      """)
  var overlap = false

  @Flag(help: "Time the first frames of each role too, on which networks still compile.")
  var noWarmUp = false

  private var own: [(key: String, value: OptionValue)] {
    (frames.map { [("frames", .integer($0))] } ?? []) + (noWarmUp ? [("warm_up", false)] : [])
  }

  /// What is wrong with the arguments, once the parser knows them all.
  private func check() throws {
    try parts.checkLabelling(own)
    try places.check()
  }

  func run() throws {
    try check()
    let signals = Signals()
    let (spec, registries) = (try parts.specification(own), Parts.registries)
    let context = registries.context(threads: parts.threading.threads)
    // A source that cannot be read, and outputs that cannot be made, are known before anything is
    // loaded.
    let probe = try VideoSource.open(source)
    guard let backbone = spec.pipeline.backbone else { return }
    let network = try registries.source(of: backbone, in: context)
    let pictures = (probe as? ImageFiles)?.paths ?? []
    var files = network.files + spec.files(in: registries) + [parts.config].compactMap(\.self)
    try checkPaths(pictures: pictures, files: files)
    let result = try json.map { (path) throws(Failure) in try OutputFile(path) }
    let outputs = OutputStage(
      try FrameOutputs(
        places.places(threads: parts.threading.threads), info: probe.info,
        palette: network.classes.palette), overlaps: overlap)
    try parts.threading.apply()
    let (heavy, head) = try network.load()
    let resolved = try spec.pipeline.resolve(
      around: heavy, head: head, path: network.path, in: registries,
      threads: parts.threading.threads)
    let regional = try resolved.regional()
    files += resolved.files
    try checkPaths(pictures: pictures, files: files)
    let stream = try openStream(for: resolved)
    let warnings = resolved.warnings + stream.info.warnings(along: resolved.pipeline.flow)
    Warnings.say(warnings)
    var job = RunJob(
      pipeline: regional, classes: network.classes, stream: stream, outputs: outputs,
      limit: spec.frames, warmsUp: spec.warmsUp, signals: signals)
    signals.keepsWork()
    let failure = job.run()
    let after =
      [registries.rateWarning(of: resolved.spec.scheduler, after: job.measurement.speed)]
      .compactMap(\.self) + job.report.warnings
    Warnings.say(after)
    let summary = summary(
      of: job, spec, resolved, files: network.files + resolved.files, warnings: warnings + after)
    let isPrinted = result?.isStandardOutput == true || outputs.areStandardOutput
    if job.measurement.speed.frames > 0, !isPrinted {
      print(ResultTable(summary, title: self.source))
    }
    try result?.write(
      json: ExtendedResult(result: summary, key: ResultKey.wall, value: job.wall))
    if let failure { throw failure }
    if job.report.truncated && !allowTruncated { throw truncation(of: job.report) }
  }

  /// The frames, with motion vectors where the flow is the codec's.
  private func openStream(for resolved: ResolvedPipeline<Image>) throws -> any FrameSource {
    let options = VideoOptions(
      motionVectors: resolved.pipeline.flow.needsMotionVectors, threads: parts.threading.threads)
    let source = try VideoSource.open(self.source, options: options)
    if options.motionVectors, (source as? ImageFiles) != nil {
      let flow = resolved.spec.names(in: Parts.registries)["flow"] ?? ""
      let sentence = "pictures carry no motion vectors, which --flow \(flow) needs"
      throw Failure(.badInput, "\(self.source): \(source.info.codec) \(sentence)")
    }
    guard readAhead || overlap else { return source }
    return Prefetching(try VideoSource.open(self.source, options: options))
  }

  /// Looks for what would be written over before anything is.
  private func checkPaths(pictures: [String], files: [String]) throws {
    let inputs = (pictures.isEmpty ? [self.source] : pictures) + files
    try Overwriting.check(
      outputs: ["--output": places.output, "--json": json, "--per-frame": places.perFrame],
      inputs: inputs)
    guard let labels = places.labels else { return }
    try Overwriting.check(folder: labels, pictures: pictures)
    let names = Set(
      pictures.map { URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent })
    try Overwriting.check(option: "--labels", folder: labels, inputs: inputs) { name in
      names.contains(name) || (pictures.isEmpty && name.count >= 6 && name.allSatisfy(\.isNumber))
    }
  }

  private func summary(
    of job: RunJob, _ spec: ExperimentSpec, _ resolved: ResolvedPipeline<Image>, files: [String],
    warnings: [String]
  ) -> RunResult {
    var used = spec
    used.pipeline = resolved.spec
    var names = resolved.spec.names(in: Parts.registries)
    if !job.measurement.usesFlow { names["flow"] = nil }
    names["recipe"] = spec.recipe
    return RunResult(
      status: job.status, specification: used, pipeline: names, speed: job.measurement.speed,
      cost: .now(after: job.measurement),
      input: .init(
        path: source, codec: job.info.codec, framesContainer: job.info.claimedFrameCount,
        framesDecoded: job.report.decoded, decodeErrors: job.report.errors,
        truncated: job.report.truncated, breaks: job.report.breaks),
      environment: Surroundings.facts(threads: parts.threading.threads, files: files),
      warnings: warnings)
  }

  private enum ResultKey: String, CodingKey { case wall }

  private func truncation(of report: StreamReport) -> Failure {
    let claimed = report.claimed.map { " of \($0) claimed" } ?? ""
    return Failure(
      .badInput,
      "\(source) breaks off after \(report.decoded)\(claimed) frames; what there was is labelled "
        + "(--allow-truncated ends well)")
  }
}
