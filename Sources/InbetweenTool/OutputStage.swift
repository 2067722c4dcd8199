// SPDX-License-Identifier: Apache-2.0

internal import Outputs
internal import Pipeline
internal import Synchronization
internal import Video

/// Where predicted frames go: written before the next frame begins, or behind it on a thread of its
/// own.
///
/// Either way frames are written in order, and what one of them threw ends the run.
final class OutputStage<Prediction: Sendable>: Sendable {
  /// Whether anything goes among what is printed.
  let areStandardOutput: Bool
  private let outputs: Mutex<FrameOutputs<Prediction>>
  private let spent = Mutex(Duration.zero)
  private let behind: WorkBehind?

  /// With `overlaps`, frames are drawn, encoded and written on a thread of its own, at most four of
  /// them behind.
  init(_ outputs: sending FrameOutputs<Prediction>, overlaps: Bool) {
    areStandardOutput = outputs.areStandardOutput
    self.outputs = Mutex(outputs)
    behind = overlaps ? WorkBehind("outputs") : nil
  }

  /// Whether frames are written behind, on a thread of its own.
  var overlaps: Bool { behind != nil }

  /// The time that drawing, encoding and writing took so far.
  var time: Duration { spent.withLock(\.self) }

  /// Takes a frame; where four before it are not written yet, it waits.
  ///
  /// - Throws: why this frame, or an earlier one, cannot be written.
  func add(_ frame: Frame, _ result: FramePrediction<Prediction>, decode: Duration) throws {
    guard let behind else { return try write(frame, result, decode) }
    try behind.add { [self] in try write(frame, result, decode) }
  }

  private func write(_ frame: Frame, _ result: FramePrediction<Prediction>, _ decode: Duration)
    throws
  {
    try timed { try $0.add(frame, result, decode: decode) }
  }

  /// Waits for what is not written yet, and closes the files; those without a frame do not appear.
  func finish() throws {
    var failure: (any Error)?
    do { try behind?.finish() } catch { failure = error }
    do { try timed { try $0.finish() } } catch { failure = failure ?? error }
    if let failure { throw failure }
  }

  private func timed(_ body: (FrameOutputs<Prediction>) throws -> Void) throws {
    let (clock, begin) = (ContinuousClock(), ContinuousClock.now)
    defer { spent.withLock { $0 += clock.now - begin } }
    try outputs.withLock { try body($0) }
  }
}
