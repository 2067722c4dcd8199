// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Experiments
internal import Foundation
internal import Pipeline
internal import Scheduler
internal import Synchronization
internal import Video

/// What a job came to.
struct RunEnd: Sendable {
  let costs: RunCosts
  let status: RunResult.Status
  let info: StreamInfo
  let report: StreamReport
  var wall: WallTime
  /// What ended it early; nil where it came to its end.
  let failure: Failure?
}

/// What is the same for all sources of a run.
struct RunSettings {
  let limit: Int?
  let warmsUp: Bool
  let signals: Signals
  let progress: SharedProgress
}

/// Predicts a stream to its end, or to wherever it breaks off, keeping what was done until then.
struct RunJob<Prediction: Sendable> {
  private let stream: any FrameSource
  private let outputs: OutputStage<Prediction>
  private let limit: Int?
  private let signals: Signals
  private let progress: SharedProgress
  private let clock = ContinuousClock()
  private var costs: RunCosts
  private var wall: WallTime
  private var decode = Duration.zero

  init(
    _ stream: any FrameSource, to outputs: OutputStage<Prediction>, _ settings: RunSettings
  ) {
    (self.stream, self.outputs, limit) = (stream, outputs, settings.limit)
    (signals, progress) = (settings.signals, settings.progress)
    wall = WallTime(overlaps: outputs.overlaps)
    costs = RunCosts(warmUp: settings.warmsUp ? RunCosts.usualWarmUp : 0)
  }

  /// Predicts all of it; the outputs are then whole files that hold what was predicted.
  mutating func run(with pipeline: some StreamPipeline<Prediction>) -> RunEnd {
    var failure: Failure?
    do { try predictAll(with: pipeline) } catch { failure = Failure(error) }
    progress.end()
    return end(after: failure)
  }

  private mutating func predictAll(with pipeline: some StreamPipeline<Prediction>) throws {
    var state = pipeline.start()
    let ahead = stream as? Prefetching
    // Frames whose predictions are not ready, with what decoding them took.
    var waiting: [(frame: Frame, decode: Duration)] = []
    func keep(_ ready: [FramePrediction<Prediction>]) throws {
      for result in ready {
        let (frame, decode) = waiting.removeFirst()
        try add(result, of: frame, decode: decode)
      }
    }
    do {
      while let frame = try next() {
        waiting.append((frame, decode))
        try keep(pipeline.add(frame, before: ahead?.peek(), to: &state))
      }
    } catch {
      // What was read before is predicted all the same.
      try? keep(pipeline.finish(&state))
      throw error
    }
    try keep(pipeline.finish(&state))
  }

  /// The next frame; nil at the end, and where it is to stop.
  mutating func next() throws -> Frame? {
    guard stream.report.decoded < limit ?? .max, !signals.wantsStop else { return nil }
    let begin = clock.now
    guard let frame = try stream.next() else { return nil }
    decode = (stream as? Prefetching)?.decoding ?? (clock.now - begin)
    return frame
  }

  /// Counts and writes what was predicted of the frame that was read last.
  mutating func add(_ result: FramePrediction<Prediction>, of frame: Frame) throws {
    try add(result, of: frame, decode: decode)
  }

  private mutating func add(
    _ result: FramePrediction<Prediction>, of frame: Frame, decode: Duration
  ) throws {
    costs.add(result.trace, decode: decode)
    try outputs.add(frame, result, decode: decode)
    wall.add(result.trace, decode: decode, output: outputs.time)
    progress.advance(isKey: result.trace.startsBackbone)
  }

  /// Closes the files.
  mutating func end(after failure: Failure?) -> RunEnd {
    var failure = failure
    do { try outputs.finish() } catch { failure = failure ?? Failure(error) }
    wall.finish(output: outputs.time)
    // What is written now could be made before the job began: it is writing that fails.
    if let text = failure?.message, failure?.code == .cannotCreate {
      failure = Failure(.inputOutput, text)
    }
    return RunEnd(
      costs: costs, status: status(after: failure), info: stream.info,
      report: stream.report, wall: wall, failure: failure ?? signals.failure)
  }

  private func status(after failure: Failure?) -> RunResult.Status {
    if let failure { return failure.code == .badInput ? .partial : .failed }
    return signals.wantsStop ? .cancelled : stream.report.isClean ? .ok : .partial
  }
}

/// A job whose frames go through a pipeline beside those of others.
final class GroupedJob<Prediction: Sendable>: PredictedStream {
  private let job: Mutex<RunJob<Prediction>>

  init(_ job: sending RunJob<Prediction>) { self.job = Mutex(job) }

  func next() throws -> Frame? { try job.withLock { try $0.next() } }

  func add(_ prediction: FramePrediction<Prediction>, of frame: Frame) throws {
    try job.withLock { try $0.add(prediction, of: frame) }
  }

  func end(after failure: Failure?) -> RunEnd { job.withLock { $0.end(after: failure) } }
}
