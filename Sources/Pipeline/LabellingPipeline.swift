// SPDX-License-Identifier: Apache-2.0

public import Video

/// Labels the frames of a stream one by one; what a stream remembers is a value.
public protocol LabellingPipeline: Sendable {
  associatedtype State: Sendable

  /// What a stream knows before its first frame.
  func start() -> State

  /// Labels the next frame of a stream.
  ///
  /// - Throws: `PipelineError` with the stage and the frame; the state is then as it was before.
  func label(_ frame: Frame, in state: inout State) throws(PipelineError) -> LabelledFrame
}

extension KeyframePipeline: LabellingPipeline {}
