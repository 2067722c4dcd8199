// SPDX-License-Identifier: Apache-2.0

public import Frames

/// Another scheduler's keys, and one at the latest `frames` after the last.
///
/// What a score does not see, as new things where only known ones are followed, then waits no
/// longer than that.
public struct LongestInterval: KeyframeScheduler {
  /// The scheduler whose key frames are kept.
  public private(set) var base: any KeyframeScheduler
  /// That of `base`.
  public var movingThreshold: Double? {
    get { base.movingThreshold }
    set { base.movingThreshold = newValue }
  }
  /// The most frames from one key frame to the next.
  public let frames: Int

  /// The key frames of `base`, and one wherever none came for `frames` frames.
  ///
  /// - Precondition: `frames` is positive.
  public init(_ base: some KeyframeScheduler, frames: Int) {
    precondition(frames > 0, "a key frame after \(frames) frames makes no sense")
    (self.base, self.frames) = (base, frames)
  }

  /// That many frames, or fewer where the other scheduler promises it.
  public var longestInterval: Int? { min(frames, base.longestInterval ?? frames) }

  /// What the other scheduler says, but key where the interval is over.
  public mutating func decision(at context: FrameContext) throws -> Decision {
    let decision = try base.decision(at: context), age = context.framesSinceKeyframe
    guard decision.role != .key, age >= frames else { return decision }
    return decision.with(
      .key, because: Reason("frames since key", score: Double(age), threshold: Double(frames)),
      refresh: .immediate)
  }
}
