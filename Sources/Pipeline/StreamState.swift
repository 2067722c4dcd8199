// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Flow
internal import Frames
internal import Propagation
internal import Scheduler
internal import Tensors
internal import Video

/// What one stream remembers: a value, so copying it forks the stream.
///
/// Two interleaved streams, each with its own state, equal their solo runs.
public struct StreamState: Sendable {
  var scheduler: any KeyframeScheduler
  var propagator: any Propagator
  var keyframe: Keyframe?
  /// The last frame whose scores were made, not propagated; nil where there is none since the
  /// key frame.
  var scored: Scored?
  /// The last frame since the key frame on which stages with a clock of their own ran; nil where
  /// there is none.
  var refreshed: Refreshed?
  var previous: Previous?
  /// Features of the key frame that the scheduler has asked for, by stage.
  var keyframeFeatures: [String: Tensor] = [:]
  /// Optical flow gathered since the key frame, for estimators that reach back one frame only.
  var chain: FlowAccumulator?
  /// The key frame that is computed in the background; nil where none is.
  var coming: Coming?
  /// Where the last non-key frame was asked for optical flow to, found between two pictures.
  var flowsAsked: Set<FlowReference> = []
  /// Optical flow that is estimated ahead for the next frame; nil where none is.
  var ahead: FlowAhead?
  /// How long frames have taken.
  var times = UsualTimes()
  /// How many frames have passed since the last key frame; 0 at the key frame itself.
  public internal(set) var framesSinceKeyframe = 0

  /// The last key frame and what was cached of it.
  struct Keyframe: Sendable {
    let view: FrameView
    /// What the propagator was given.
    let taps: FeatureMaps
    /// How many outputs of stages before the last tap are read after it.
    let skipCount: Int
    /// Features that are kept of it, by stage.
    let kept: [String: Tensor]
  }

  /// The frame before, and features that are kept of it.
  struct Previous: Sendable {
    let view: FrameView
    let kept: [String: Tensor]
  }

  /// A frame on which the stages after the taps ran, and what they and the fusion gave.
  struct Scored: Sendable {
    let view: FrameView
    let output: FeatureMaps
    /// How many frames have passed since it.
    var age = 0
  }

  /// A non-key frame on which stages up to a tap ran, and what propagates what they gave.
  struct Refreshed: Sendable {
    let view: FrameView
    /// The tapped stages that ran.
    let stages: Set<String>
    var propagator: any Propagator
    /// How many frames have passed since it.
    var age = 0
  }

  /// A key frame that is computed in the background.
  struct Coming: Sendable {
    let work: BackgroundKeyframe
    /// How many frames after it others borrow from it, and how many have passed.
    let dueAfter: Int
    var passed = 0
    /// Optical flow gathered since it.
    var chain: FlowAccumulator?
    /// Features of it that the scheduler has asked for.
    let keyframeFeatures: [String: Tensor]

    init(
      work: BackgroundKeyframe, dueAfter: Int, chain: FlowAccumulator?,
      keyframeFeatures: [String: Tensor]
    ) {
      precondition(dueAfter >= 1, "a key frame that is ready \(dueAfter) frames later")
      (self.work, self.dueAfter, self.chain) = (work, dueAfter, chain)
      self.keyframeFeatures = keyframeFeatures
    }
  }

  init(scheduler: any KeyframeScheduler, propagator: any Propagator) {
    (self.scheduler, self.propagator) = (scheduler, propagator)
  }

  /// From here on, frames are propagated to from `keyframe`, by `propagator`, which has taken it.
  mutating func become(_ keyframe: Keyframe, in propagator: any Propagator) {
    (self.keyframe, self.propagator) = (keyframe, propagator)
    (coming, keyframeFeatures, scored, refreshed) = (nil, [:], nil, nil)
    framesSinceKeyframe = 0
  }

  /// Before `frame` is looked at, makes that the key frame which was computed in the background and
  /// is due now: all that is known of it at once, waiting for what is not ready.
  mutating func takeUpKeyframeThatIsDue(at frame: FrameView) throws {
    guard var coming else { return }
    coming.passed += 1
    guard coming.passed >= coming.dueAfter else {
      _ = try coming.chain?.motionToKey(from: frame.source)
      self.coming = coming
      return
    }
    let product = try coming.work.result()
    become(product.keyframe, in: product.propagator)
    (chain, keyframeFeatures) = (coming.chain, coming.keyframeFeatures)
    framesSinceKeyframe = coming.passed - 1
  }

  /// From here on, optical flow leads back to `view`.
  mutating func beginChain(at view: FrameView, of flow: any FlowEstimator) throws {
    if chain == nil {
      chain = FlowAccumulator(of: flow, key: view.source)
    } else {
      try chain?.setKey(view.source)
    }
  }
}

/// How long a stream's frames of either role take: means that forget, half of it within some seven
/// frames.
struct UsualTimes: Sendable {
  private var keyframe: Double?
  private var propagated: Double?
  /// How many streams share a frame's time, each its regions': what they take alike is added up.
  var parts = 1

  /// Nil before there was a frame of each role.
  var usual: (keyframe: Duration, propagated: Duration)? {
    guard let keyframe, let propagated else { return nil }
    return (.seconds(keyframe * Double(parts)), .seconds(propagated * Double(parts)))
  }

  mutating func add(_ trace: FrameTrace) {
    let seconds = trace.total / .seconds(1)
    func updated(_ mean: Double?) -> Double { mean.map { $0 + 0.1 * (seconds - $0) } ?? seconds }
    if trace.role == .key {
      keyframe = updated(keyframe)
    } else {
      propagated = updated(propagated)
    }
  }
}
