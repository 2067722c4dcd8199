// SPDX-License-Identifier: Apache-2.0

public import Frames
internal import Video

/// Key frames spread evenly, at an interval that need not be whole.
///
/// One every 2.5 frames is frames 0, 3, 5, 8, 10 and so on. It is the baseline of another scheduler
/// at the same rate of key frames, and of another propagation at the same time. With an offset of
/// 2 it is frames 0, 2, 5, 7, 10 and so on: the first frame is a key frame in any case.
///
/// How accurate a fixed interval is depends on where its key frames fall, on short clips more than
/// on what is measured. A mean over all offsets, as Deep Feature Flow (Zhu et al., CVPR 2017,
/// section 5) takes it over distances from the key frame, does not.
public struct MeanInterval: KeyframeScheduler {
  /// Frames from one key frame to the next, in the mean.
  public let interval: Double
  /// The frame after the first one from which intervals are counted.
  public let offset: Double

  /// A key frame every `interval` frames in the mean: at the first frame at or after each multiple
  /// of it, counted from frame `offset`.
  ///
  /// - Precondition: `interval` is at least 1 and finite; `offset` is not below 0 and below
  ///   `interval`.
  public init(every interval: Double, offset: Double = 0) {
    precondition(
      interval >= 1 && interval.isFinite, "a key frame every \(interval) frames makes no sense")
    precondition(offset >= 0 && offset < interval, "an offset of \(offset) in \(interval) frames")
    (self.interval, self.offset) = (interval, offset)
  }

  /// The interval, rounded up.
  public var longestInterval: Int? { Int(exactly: interval.rounded(.up)) }

  /// Key where a multiple of the interval lies after the frame before and not after this one.
  public func decision(at context: FrameContext) -> Decision {
    let index = Double(context.frame.index) - offset
    let multiples = ((index / interval).rounded(.down), ((index - 1) / interval).rounded(.down))
    return Decision(
      multiples.0 > multiples.1 ? .key : .propagated,
      because: Reason(
        "frames since key", score: Double(context.framesSinceKeyframe), threshold: interval))
  }
}
