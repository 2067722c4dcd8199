// SPDX-License-Identifier: Apache-2.0

public import Frames

/// Asks for the best keys that there are at a rate: only a measurement, which knows the labels, can
/// grant it (`OracleSchedule` in Evaluation, which puts `ExplicitKeyframes` in its place).
///
/// On its own it makes every frame key.
public struct OracleKeyframes: KeyframeScheduler {
  /// The share of frames that are to be key.
  public let rate: Double

  /// - Precondition: the rate is above 0 and not above 1.
  public init(rate: Double) {
    precondition(rate > 0 && rate <= 1, "a rate of \(rate)")
    self.rate = rate
  }

  public func decision(at _: FrameContext) -> Decision {
    Decision(.key, because: Reason("no labels to choose by"))
  }
}
