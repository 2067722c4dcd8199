// SPDX-License-Identifier: Apache-2.0

internal import Flow

/// A key frame once the picture has moved further than `limit` pixels since the last one.
///
/// Looks at the mean length of the motion back to the key, in pixels of the pipeline's working size,
/// over the pixels whose motion is known. Where most of it is unknown (a picture the codec coded on
/// its own, a cut), the frame is key. The motion is the one that a warp needs anyway.
public struct MotionLimit: KeyframeScheduler {
  public let limit: Double

  /// The part of a picture whose motion may be unknown before the frame is made key.
  public static let tolerableUnknown = 0.5

  /// - Precondition: `limit` is a positive number.
  public init(pixels limit: Double) {
    precondition(limit > 0 && limit.isFinite, "a key frame after \(limit) pixels makes no sense")
    self.limit = limit
  }

  public func decision(at moment: inout Moment) throws -> Decision {
    let motion = try moment.motionToKey()
    let unknown = 1 - Double(motion.knownShare)
    guard unknown <= Self.tolerableUnknown, let length = motion.meanLength else {
      let reason = Reason("motion unknown", score: unknown, threshold: Self.tolerableUnknown)
      return Decision(.key, because: reason)
    }
    let moved = Double(length)
    return Decision(
      moved > limit ? .key : .propagated,
      because: Reason("pixels moved", score: moved, threshold: limit))
  }
}

extension KeyframeScheduler where Self == MotionLimit {
  /// A key frame once the picture has moved more than `limit` pixels.
  public static func whenMoved(pixels limit: Double) -> Self { .init(pixels: limit) }
}
