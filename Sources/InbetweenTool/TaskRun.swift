// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Experiments
internal import Foundation
internal import Pipeline
internal import Recipes
internal import Specification
internal import Video

/// A run of a network that predicts something else than labels, depth or boxes, over one source.
struct TaskRun {
  let source: RunSource
  let spec: ExperimentSpec
  let network: any NetworkSource
  let threading: ThreadOptions

  /// Predicts of every frame, draws it, and tells what it took.
  func predictAll(until signals: Signals) throws {
    guard let task = network.task else { return }
    try predictAll(task, until: signals)
  }

  private func predictAll<Prediction, Target>(
    _ task: some PredictionTask<Prediction, Target>, until signals: Signals
  ) throws {
    let registries = Parts.registries
    let files = network.files + task.files + spec.files(in: registries)
    try RunSource.check([source], files: files)
    let output = try source.json.map { (path) throws(Failure) in try OutputFile(path) }
    let frames = try FrameOutputs(
      source.places, info: source.info, palette: network.classes.palette)
    try threading.apply()
    let (backbone, _) = try network.load()
    let resolved = try spec.pipeline.resolve(
      around: backbone, head: task.head(behind: backbone), path: network.path, in: registries,
      threads: threading.threads)
    let warnings = network.remarks + resolved.warnings
    Warnings.say(warnings)
    signals.keepsWork()
    let stream = try source.open(for: resolved, threads: threading.threads)
    var costs = RunCosts(warmUp: spec.warmsUp ? RunCosts.usualWarmUp : 0)
    let failure = drawAll(
      stream, with: resolved.pipeline, task, to: frames, counting: &costs, until: signals)
    var used = spec
    used.pipeline = resolved.spec
    var names = resolved.spec.names(in: registries)
    names["head"] = task.name
    if !costs.usesFlow { names["flow"] = nil }
    let result = RunResult(
      status: failure != nil ? .failed : signals.wantsStop ? .cancelled : .ok,
      specification: used, pipeline: names, speed: costs.speed, cost: .now(macs: costs.macs),
      input: .init(
        path: source.path, codec: stream.info.codec, framesContainer: stream.info.claimedFrameCount,
        framesDecoded: stream.report.decoded, decodeErrors: stream.report.errors,
        truncated: stream.report.truncated, breaks: stream.report.breaks),
      environment: Surroundings.facts(threads: threading.threads, files: files + resolved.files),
      warnings: warnings + stream.report.warnings)
    if costs.speed.frames > 0, !frames.areStandardOutput, output?.isStandardOutput != true {
      print(ResultTable(result, title: source.path))
    }
    try output?.write(json: result)
    if let failure = failure ?? signals.failure { throw failure }
  }

  /// What ended it early; nil where it came to the stream's end.
  private func drawAll<Prediction, Target>(
    _ stream: any FrameSource, with pipeline: some PredictionPipeline<Prediction>,
    _ task: some PredictionTask<Prediction, Target>, to outputs: FrameOutputs,
    counting costs: inout RunCosts, until signals: Signals
  ) -> Failure? {
    let progress = SharedProgress(total: spec.frames ?? stream.info.claimedFrameCount)
    defer { progress.end() }
    do {
      var state = pipeline.start()
      while stream.report.decoded < spec.frames ?? .max, !signals.wantsStop {
        let begin = ContinuousClock.now
        guard let frame = try stream.next() else { break }
        let decode = ContinuousClock.now - begin
        let result = try pipeline.predict(frame, in: &state)
        costs.add(result.trace, decode: decode)
        let drawn = task.drawn(
          result.prediction, over: frame.pixels, mark: Overlay.Mark(result.trace))
        try outputs.add(frame, drawn: drawn, result.trace, decode: decode)
        progress.advance(isKey: result.trace.startsBackbone)
      }
      try outputs.finish()
      return nil
    } catch {
      try? outputs.finish()
      return Failure(error)
    }
  }
}
