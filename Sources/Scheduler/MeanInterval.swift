// SPDX-License-Identifier: Apache-2.0

public import Frames
internal import Video

/// Key frames spread evenly, at an interval that need not be whole.
///
/// One every 2.5 frames is frames 0, 3, 5, 8, 10 and so on. It is the baseline of another scheduler
/// at the same rate of key frames, and of another propagation at the same time.
public struct MeanInterval: KeyframeScheduler {
  /// Frames from one key frame to the next, in the mean.
  public let interval: Double

  /// A key frame every `interval` frames in the mean: at the first frame at or after each multiple.
  ///
  /// - Precondition: `interval` is at least 1 and finite.
  public init(every interval: Double) {
    precondition(
      interval >= 1 && interval.isFinite, "a key frame every \(interval) frames makes no sense")
    self.interval = interval
  }

  /// The interval, rounded up.
  public var longestInterval: Int? { Int(exactly: interval.rounded(.up)) }

  /// Key where a multiple of the interval lies after the frame before and not after this one.
  public func decision(at context: FrameContext) -> Decision {
    let index = Double(context.frame.index)
    let multiples = ((index / interval).rounded(.down), ((index - 1) / interval).rounded(.down))
    return Decision(
      multiples.0 > multiples.1 ? .key : .propagated,
      because: Reason(
        "frames since key", score: Double(context.framesSinceKeyframe), threshold: interval))
  }
}
