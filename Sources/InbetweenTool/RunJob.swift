// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Experiments
internal import Foundation
internal import Pipeline
internal import Scheduler
internal import Video

/// Labels a stream to its end, or to wherever it breaks off, keeping what was done until then.
struct RunJob {
  private let pipeline: any PredictionPipeline<Image>
  private let stream: any FrameSource
  private let outputs: OutputStage
  private let limit: Int?
  private let signals: Signals
  private(set) var measurement: RunMeasurement
  private(set) var status = RunResult.Status.ok
  private(set) var wall: WallTime

  init(
    pipeline: some PredictionPipeline<Image>, classes: ClassList, stream: any FrameSource,
    outputs: OutputStage, limit: Int?, warmsUp: Bool, signals: Signals
  ) {
    (self.pipeline, self.stream) = (pipeline, stream)
    (self.outputs, self.limit, self.signals) = (outputs, limit, signals)
    wall = WallTime(overlaps: outputs.overlaps)
    measurement = RunMeasurement(classes: classes, warmUp: warmsUp ? RunCosts.usualWarmUp : 0)
  }

  var info: StreamInfo { stream.info }
  var report: StreamReport { stream.report }

  /// - Returns: what ended the job early; nil where it came to its end. Either way the outputs are
  ///   whole files that hold what was labelled.
  mutating func run() -> Failure? {
    var failure: Failure?
    do { try labelAll() } catch { failure = Failure(error) }
    do { try outputs.finish() } catch { failure = failure ?? Failure(error) }
    wall.finish(output: outputs.time)
    // What is written now could be made before the job began: it is writing that fails.
    if let text = failure?.message, failure?.code == .cannotCreate {
      failure = Failure(.inputOutput, text)
    }
    status = status(after: failure)
    return failure ?? signals.failure
  }

  private func status(after failure: Failure?) -> RunResult.Status {
    if let failure { return failure.code == .badInput ? .partial : .failed }
    return signals.wantsStop ? .cancelled : report.isClean ? .ok : .partial
  }

  private mutating func labelAll() throws { try labelAll(with: pipeline) }

  private mutating func labelAll(with pipeline: some PredictionPipeline<Image>) throws {
    var (state, progress) = (pipeline.start(), Progress(total: limit ?? info.claimedFrameCount))
    defer { progress.end() }
    let (clock, ahead) = (ContinuousClock(), stream as? Prefetching)
    while report.decoded < limit ?? .max, !signals.wantsStop {
      let begin = clock.now
      guard let frame = try stream.next() else { return }
      let decode = ahead?.decoding ?? (clock.now - begin)
      let result = try pipeline.label(frame, before: ahead?.peek(), in: &state)
      measurement.add(result, truth: nil, decode: decode)
      try outputs.add(frame, result, decode: decode)
      wall.add(result.trace, decode: decode, output: outputs.time)
      progress.advance(isKey: result.trace.startsBackbone)
    }
  }
}
