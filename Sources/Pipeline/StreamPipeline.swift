// SPDX-License-Identifier: Apache-2.0

public import Video

/// Predicts something of every frame of a stream, in order, some frames late if need be.
///
/// What a stream remembers is a value.
public protocol StreamPipeline<Prediction>: Sendable {
  /// What a stream remembers.
  associatedtype State: Sendable
  /// What is predicted of a frame.
  associatedtype Prediction: Sendable

  /// What a stream knows before its first frame.
  func start() -> State

  /// Takes the next frame of a stream, and gives the predictions that are ready: each frame's once,
  /// in the order of the frames.
  ///
  /// Where the frame that comes `next` is at hand, work on it may begin on another thread.
  ///
  /// - Throws: `PipelineError` with the stage and the frame; the state is then as it was before.
  func add(
    _ frame: Frame, before next: Frame?, to state: inout State
  ) throws(PipelineError) -> [FramePrediction<Prediction>]

  /// The predictions that are still owed where a stream has ended.
  ///
  /// - Throws: `PipelineError` as `add` does.
  func finish(_ state: inout State) throws(PipelineError) -> [FramePrediction<Prediction>]
}

extension PredictionPipeline {
  /// The prediction of the frame itself: none is late.
  public func add(
    _ frame: Frame, before next: Frame?, to state: inout State
  ) throws(PipelineError) -> [FramePrediction<Prediction>] {
    [try predict(frame, before: next, in: &state)]
  }

  /// Nothing is owed.
  public func finish(_ state: inout State) -> [FramePrediction<Prediction>] { [] }
}
