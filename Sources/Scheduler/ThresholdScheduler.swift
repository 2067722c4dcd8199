// SPDX-License-Identifier: Apache-2.0

public import Frames

/// A key frame once a change score from the last one is more than a threshold, or cannot be told.
public struct ThresholdScheduler: KeyframeScheduler {
  /// What is compared with the threshold.
  public let changeScore: any ChangeScore
  /// How much change since the last key frame is tolerated, in the change score's unit.
  public let threshold: Double

  /// A key frame wherever `changeScore` is above `threshold`, in its own unit.
  ///
  /// - Precondition: `threshold` is no less than 0.
  public init(_ changeScore: some ChangeScore, threshold: Double) {
    precondition(threshold >= 0, "a key frame after a change score of \(threshold) makes no sense")
    (self.changeScore, self.threshold) = (changeScore, threshold)
  }

  /// Key where the change score exceeds the threshold or cannot be told.
  public func decision(at context: FrameContext) throws -> Decision {
    guard let score = try changeScore.score(at: context) else {
      return Decision(.key, because: Reason("\(changeScore.name) unknown"))
    }
    return Decision(
      score > threshold ? .key : .propagated,
      because: Reason(changeScore.name, score: score, threshold: threshold))
  }
}

extension KeyframeScheduler where Self == ThresholdScheduler {
  /// A key frame once the picture has moved more than `threshold` pixels of the working size since
  /// the last one, in the mean, or once most of its motion is unknown.
  ///
  /// - Precondition: `threshold` is a positive number.
  public static func whenMoved(pixels threshold: Double) -> Self {
    precondition(
      threshold > 0 && threshold.isFinite, "a key frame after \(threshold) pixels makes no sense")
    return .init(MotionMagnitude(), threshold: threshold)
  }
}
