// SPDX-License-Identifier: Apache-2.0

public import Frames

/// A key frame every `interval` frames, whatever the picture does.
///
/// Deep Feature Flow (Zhu et al., CVPR 2017), section 3.2; an interval of 1 is the per-frame
/// baseline.
public struct FixedInterval: KeyframeScheduler {
  /// Frames from one key frame to the next.
  public let interval: Int

  /// A key frame every `interval` frames.
  ///
  /// - Precondition: `interval` is at least 1.
  public init(every interval: Int) {
    precondition(interval >= 1, "a key frame every \(interval) frames makes no sense")
    self.interval = interval
  }

  /// The interval.
  public var longestInterval: Int? { interval }

  /// Key `interval` frames after the last key frame.
  public func decision(at context: FrameContext) -> Decision {
    Decision(
      context.framesSinceKeyframe >= interval ? .key : .propagated,
      because: Reason(
        "frames since key", score: Double(context.framesSinceKeyframe), threshold: Double(interval))
    )
  }
}

extension KeyframeScheduler where Self == FixedInterval {
  /// A key frame every `interval` frames.
  public static func every(_ interval: Int) -> Self { .init(every: interval) }
}
