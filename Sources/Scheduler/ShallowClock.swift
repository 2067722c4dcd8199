// SPDX-License-Identifier: Apache-2.0

public import Frames

/// Another scheduler's keys, and a clock of its own for what comes after the tap: between keys it
/// runs on every Nth frame only, whose scores the others borrow.
///
/// Of the stages of Clockwork Convnets (Shelhamer et al., ECCV 2016 workshops, section 4) each has
/// its clock: deep ones change slowly, so that their features are propagated far; shallow ones
/// follow the frame, and what they give is propagated over a few frames. With a fusion in the
/// pipeline, it and its light network are on that clock too.
public struct ShallowClock: KeyframeScheduler {
  /// The scheduler whose key frames these are.
  public private(set) var base: any KeyframeScheduler
  /// That of `base`.
  public var movingThreshold: Double? {
    get { base.movingThreshold }
    set { base.movingThreshold = newValue }
  }
  /// Frames from one run of the stages after the tap to the next.
  public let interval: Int

  /// The key frames of `base`, and the stages after the tap on every `interval`th frame since one.
  ///
  /// - Precondition: `interval` is at least 1.
  public init(_ base: some KeyframeScheduler, every interval: Int) {
    precondition(interval >= 1, "shallow stages on every \(interval) frames")
    (self.base, self.interval) = (base, interval)
  }

  /// What the other scheduler says, with features to borrow on every Nth frame and scores on
  /// others.
  public mutating func decision(at context: FrameContext) throws -> Decision {
    let decision = try base.decision(at: context)
    let runs = decision.refreshed != nil || context.framesSinceScores >= interval
    return decision.with(propagated: runs ? .features : .scores)
  }
}
