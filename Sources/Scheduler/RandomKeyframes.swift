// SPDX-License-Identifier: Apache-2.0

public import Frames

/// Each frame is key with the same probability, whatever it shows: what an adaptive scheduler at
/// the same rate has to beat.
///
/// What is drawn follows from the seed and from how many frames were decided before.
public struct RandomKeyframes: KeyframeScheduler {
  /// The probability of each frame to be key, from 0 to 1.
  public let rate: Double
  /// What the draws follow from.
  public let seed: UInt64
  private var decided: UInt64 = 0

  /// Frames that are key with a probability of `rate`; the same seed draws the same schedule.
  ///
  /// - Precondition: the rate is from 0 to 1.
  public init(rate: Double, seed: UInt64 = 1) {
    precondition((0...1).contains(rate), "a key frame with a probability of \(rate)")
    (self.rate, self.seed) = (rate, seed)
  }

  /// Key where the draw is below the rate.
  public mutating func decision(at _: FrameContext) -> Decision {
    decided += 1
    let drawn = Double(Self.mixed(seed &+ decided &* 0x9E37_79B9_7F4A_7C15) >> 11) * 0x1p-53
    return Decision(
      drawn < rate ? .key : .propagated,
      because: Reason("drawn", score: drawn, threshold: rate))
  }

  /// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
  private static func mixed(_ value: UInt64) -> UInt64 {
    var mixed = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension KeyframeScheduler where Self == RandomKeyframes {
  /// Each frame is key with this probability.
  public static func random(rate: Double, seed: UInt64 = 1) -> Self {
    .init(rate: rate, seed: seed)
  }
}
