// SPDX-License-Identifier: Apache-2.0

public import Frames
internal import Video

/// A key frame where the codec has one: pictures coded on their own, which streams have at cuts and
/// every few seconds; and after `longest` frames at the latest.
public struct CodecKeyframes: KeyframeScheduler {
  /// Frames from one key frame to the next at most.
  public let longest: Int

  /// The codec's intra pictures, and a key frame every `longest` frames without one.
  ///
  /// - Precondition: `longest` is at least 1.
  public init(longest: Int = .max) {
    precondition(longest >= 1, "a key frame every \(longest) frames makes no sense")
    self.longest = longest
  }

  /// `longest`, where it was given.
  public var longestInterval: Int? { longest == .max ? nil : longest }

  /// Key where the codec coded the picture on its own, and `longest` frames after the last key
  /// frame.
  public func decision(at context: FrameContext) -> Decision {
    if context.frame.pictureType == .intra {
      return Decision(.key, because: Reason("coded on its own"))
    }
    return Decision(
      context.framesSinceKeyframe >= longest ? .key : .propagated,
      because: Reason(
        "frames since key", score: Double(context.framesSinceKeyframe),
        threshold: longest == .max ? nil : Double(longest)))
  }
}
