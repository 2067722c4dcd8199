// SPDX-License-Identifier: Apache-2.0

/// A key frame once a deviation from the last one is more than a limit, or cannot be told.
public struct DeviationLimit: KeyframeScheduler {
  public let deviation: any Deviation
  public let limit: Double

  /// - Precondition: `limit` is no less than 0.
  public init(_ deviation: some Deviation, limit: Double) {
    precondition(limit >= 0, "a key frame after a deviation of \(limit) makes no sense")
    (self.deviation, self.limit) = (deviation, limit)
  }

  public func decision(at moment: inout Moment) throws -> Decision {
    guard let score = try deviation.score(at: &moment) else {
      return Decision(.key, because: Reason("\(deviation.name) unknown"))
    }
    return Decision(
      score > limit ? .key : .propagated,
      because: Reason(deviation.name, score: score, threshold: limit))
  }
}

extension KeyframeScheduler where Self == DeviationLimit {
  /// A key frame once the picture has moved more than `limit` pixels of the working size since the last one, in the
  /// mean, or once most of its motion is unknown.
  ///
  /// - Precondition: `limit` is a positive number.
  public static func whenMoved(pixels limit: Double) -> Self {
    precondition(limit > 0 && limit.isFinite, "a key frame after \(limit) pixels makes no sense")
    return .init(MotionAmount(), limit: limit)
  }
}
