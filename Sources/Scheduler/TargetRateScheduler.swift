// SPDX-License-Identifier: Apache-2.0

internal import Foundation
public import Frames
internal import Video

/// How often frames are to be key.
public enum KeyframeTarget: Hashable, Sendable {
  /// This share of them, above 0 and not above 1.
  case rate(Double)
  /// As often as a mean time a frame leaves room for, from the frame in memory to its labels. It
  /// rests on how long frames take, so that the same input need not give the same schedule.
  case latency(Duration)
}

/// A key frame once a change score is more than a threshold that is moved so that a target is met.
///
/// After each frame the threshold's logarithm goes up by `gain · (isKey - rate)`: the share of keys
/// is then `rate` in the long run whatever the change score's scale (stochastic approximation of a
/// quantile; Robbins and Monro, 1951), and the threshold rests where the change score is as usual.
/// It starts at what the first 1 / rate frames come to. Keys that are forced count too, and so do
/// the frames that pass while a key is computed in the background. Where nothing changes no frame
/// is key, whatever the rate; the threshold never falls below a hundredth of the largest change
/// score seen, so that a long still is not followed by a burst.
public struct TargetRateScheduler: KeyframeScheduler {
  /// What the threshold is compared with.
  public let changeScore: any ChangeScore
  /// How often frames are to be key.
  public let target: KeyframeTarget
  /// How far the threshold's logarithm moves after a frame; larger follows changes sooner.
  public let gain: Double
  /// What the change score is compared with; nil before one was seen.
  public private(set) var threshold: Double?

  /// The threshold, once there is one.
  public var movingThreshold: Double? {
    get { threshold }
    set { threshold = newValue ?? threshold }
  }

  /// A scheduler whose threshold settles where the target is met.
  ///
  /// - Precondition: a rate is above 0 and not above 1; a latency and the gain are positive.
  public init(
    _ changeScore: some ChangeScore, target: KeyframeTarget, gain: Double = 0.3
  ) {
    switch target {
    case .rate(let rate): precondition(rate > 0 && rate <= 1, "a rate of \(rate)")
    case .latency(let latency): precondition(latency > .zero, "a latency of \(latency)")
    }
    precondition(gain > 0, "a gain of \(gain)")
    (self.changeScore, self.target, self.gain) = (changeScore, target, gain)
  }

  /// The same for a share of frames.
  public init(_ changeScore: some ChangeScore, rate: Double) {
    self.init(changeScore, target: .rate(rate))
  }

  /// Key where the change score exceeds the threshold or cannot be told; both move the threshold.
  public mutating func decision(at context: FrameContext) throws -> Decision {
    let rate = rate(at: context)
    // The key itself, of which nobody asked, is the first frame that counts; what was made key
    // against what was decided here counts as that.
    if context.framesSinceKeyframe == 1, !decidedLast {
      threshold = thresholdBefore ?? threshold
      follow(isKey: true, rate: rate)
    }
    if decidedLast, let threshold, let lastIndex {
      // Nobody asked about the frames since the key, which was on its way.
      let passed = Double(max(0, context.frame.index - lastIndex - 1))
      self.threshold = max(threshold * exp(-gain * rate * passed), largest / 100)
    }
    (decidedLast, thresholdBefore, lastIndex) = (false, threshold, context.frame.index)
    guard let score = try changeScore.score(at: context) else {
      return answer(.key, Reason("\(changeScore.name) unknown"), rate: rate)
    }
    largest = max(largest, score)
    guard let threshold else { return begin(score, at: context, rate: rate) }
    return answer(
      score > threshold || rate == 1 ? .key : .propagated,
      Reason(changeScore.name, score: score, threshold: threshold), rate: rate)
  }

  /// Whether the last frame was made key here, and has been counted.
  private var decidedLast = false
  /// The last frame that was asked about.
  private var lastIndex: Int?
  /// The threshold before the last frame was counted.
  private var thresholdBefore: Double?
  private var largest = 0.0

  /// Until it is known how long frames take, one in ten.
  private func rate(at context: FrameContext) -> Double {
    switch target {
    case .rate(let rate): return rate
    case .latency(let latency):
      guard let (key, propagated) = context.usualTimes, key > propagated else { return 0.1 }
      return min(1, max(0.001, (latency - propagated) / (key - propagated)))
    }
  }

  /// The first key comes after 1 / rate frames, or once something has changed after that: how far
  /// the frame has come by then sets the scale.
  private mutating func begin(_ score: Double, at context: FrameContext, rate: Double) -> Decision {
    let isDue = Double(context.framesSinceKeyframe) * rate >= 1 - 1e-9 && score > 0
    if isDue { threshold = score }
    return answer(
      isDue || rate == 1 ? .key : .propagated, Reason(changeScore.name, score: score), rate: rate)
  }

  private mutating func answer(_ role: FrameRole, _ reason: Reason, rate: Double) -> Decision {
    follow(isKey: role == .key, rate: rate)
    decidedLast = role == .key
    return Decision(role, because: reason)
  }

  private mutating func follow(isKey: Bool, rate: Double) {
    guard let threshold else { return }
    self.threshold = max(threshold * exp(gain * ((isKey ? 1 : 0) - rate)), largest / 100)
  }
}
