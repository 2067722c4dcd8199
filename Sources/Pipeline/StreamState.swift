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
  /// The last frame whose scores were made, not carried; nil where there is none since the key.
  var scored: Scored?
  var previous: FrameView?
  /// The carried tensor of the previous frame, for propagators that chain.
  var carried: Tensor?
  /// Features of the frame that motion leads to, by stage: those that the propagator wants kept.
  var kept: [String: Tensor] = [:]
  /// Features of the key frame that the scheduler has asked for, by stage.
  var keyFeatures: [String: Tensor] = [:]
  /// Motion gathered since the key, for estimators that reach back one frame only.
  var chain: FlowAccumulator?
  /// The key that is computed in the background; nil where none is.
  var coming: Coming?
  /// How long frames have taken.
  var times = UsualTimes()
  /// How many frames have passed since the last key frame; 0 at the key itself.
  public internal(set) var framesSinceKey = 0

  /// The last key frame and what was cached of it.
  struct Key: Sendable {
    let view: FrameView
    let cached: Tensor
    /// How many outputs of stages before the tap are read after it, of each frame its own.
    let skipCount: Int
  }

  /// A frame on which the stages after the tap ran, and what they and the fusion gave.
  struct Scored: Sendable {
    let view: FrameView
    let output: Tensor
    /// How many frames have passed since it.
    var age = 0
  }

  init(scheduler: any KeyframeScheduler) { self.scheduler = scheduler }

  /// A key that is computed in the background.
  struct Coming: Sendable {
    let work: BackgroundKey
    /// How many frames after it others borrow from it, and how many have passed.
    let dueAfter: Int
    var passed = 0
    /// Motion gathered since it.
    var chain: FlowAccumulator?
    /// Features of it that the scheduler has asked for.
    let keyFeatures: [String: Tensor]

    init(
      work: BackgroundKey, dueAfter: Int, chain: FlowAccumulator?, keyFeatures: [String: Tensor]
    ) {
      precondition(dueAfter >= 1, "a key that is ready \(dueAfter) frames later")
      (self.work, self.dueAfter, self.chain) = (work, dueAfter, chain)
      self.keyFeatures = keyFeatures
    }
  }

  /// Makes `key` the key, with the features that are kept of it.
  mutating func become(_ key: Key, kept: [String: Tensor]) {
    (self.key, self.kept) = (key, kept)
    (carried, coming, keyFeatures, scored) = (nil, nil, [:], nil)
    framesSinceKey = 0
  }

  /// Before `frame` is looked at, makes that the key which was computed in the background and is due now: all that
  /// is known of it at once, waiting for what is not ready.
  mutating func takeUpKeyThatIsDue(at frame: FrameView) throws {
    guard var coming else { return }
    coming.passed += 1
    guard coming.passed >= coming.dueAfter else {
      _ = try coming.chain?.motionToKey(from: frame.source)
      self.coming = coming
      return
    }
    let (key, kept) = try coming.work.result()
    become(key, kept: kept)
    (chain, keyFeatures) = (coming.chain, coming.keyFeatures)
    framesSinceKey = coming.passed - 1
  }

  /// From here on, motion leads back to `view`.
  mutating func beginChain(at view: FrameView, of flow: any FlowEstimator) throws {
    if chain == nil {
      chain = FlowAccumulator(of: flow, key: view.source)
    } else {
      try chain?.setKey(view.source)
    }
  }
}

/// How long a stream's frames of either role take: means that forget, half of it within some seven frames.
struct UsualTimes: Sendable {
  private var key: Double?
  private var propagated: Double?
  /// How many streams share a frame's time, each its regions': what they take alike is added up.
  var parts = 1

  /// Nil before there was a frame of each role.
  var usual: (key: Duration, propagated: Duration)? {
    guard let key, let propagated else { return nil }
    return (.seconds(key) * parts, .seconds(propagated) * parts)
  }

  mutating func add(_ trace: FrameTrace) {
    let seconds = trace.total / .seconds(1)
    func updated(_ mean: Double?) -> Double { mean.map { $0 + 0.1 * (seconds - $0) } ?? seconds }
    if trace.role == .key { key = updated(key) } else { propagated = updated(propagated) }
  }
}
