// SPDX-License-Identifier: Apache-2.0

internal import Flow
internal import Scheduler
internal import Tensors
internal import Video

/// What one stream remembers: a value, so copying it forks the stream.
///
/// Two interleaved streams, each with its own state, equal their solo runs.
public struct StreamState: Sendable {
  var scheduler: any KeyframeScheduler
  var key: Key?
  var previous: FrameView?
  /// The carried tensor of the previous frame, for propagators that chain.
  var carried: Tensor?
  /// Features of the frame that motion leads to, by stage: those that the propagator wants kept.
  var kept: [String: Tensor] = [:]
  /// Features of the key frame that the scheduler has asked for, by stage.
  var keyFeatures: [String: Tensor] = [:]
  /// Motion gathered since the key, for estimators that reach back one frame only.
  var chain: MotionChain?
  /// How many frames have passed since the last key frame; 0 at the key itself.
  public internal(set) var framesSinceKey = 0

  /// The last key frame and what was cached of it.
  struct Key: Sendable {
    let view: FrameView
    let cached: Tensor
    /// How many outputs of stages before the tap are read after it, of each frame its own.
    let skipCount: Int
  }

  init(scheduler: any KeyframeScheduler) { self.scheduler = scheduler }

  /// Makes `view` the key.
  mutating func become(key view: FrameView, cached: Tensor, skipCount: Int) {
    key = Key(view: view, cached: cached, skipCount: skipCount)
    (carried, keyFeatures) = (nil, [:])
    framesSinceKey = 0
  }

  /// From here on, motion leads back to `view`.
  mutating func beginChain(at view: FrameView, of flow: any FlowEstimator) throws {
    if chain == nil {
      chain = MotionChain(of: flow, key: view.source)
    } else {
      try chain?.setKey(view.source)
    }
  }
}
