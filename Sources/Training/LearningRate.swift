// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// How the learning rate runs over the steps of a stage.
public struct LearningRateSchedule: Hashable, Sendable {
  /// What the rate does after it has reached its peak.
  public enum Shape: Hashable, Sendable {
    /// The peak until the end.
    case constant
    /// (1 - step / steps) to the power, as in DeepLab and PSPNet with 0.9.
    case polynomial(power: Double)
    /// Half a cosine from the peak to zero (Loshchilov and Hutter, ICLR 2017).
    case cosine
  }

  /// The largest rate, reached at the end of the warm-up.
  public let peak: Double
  /// How the rate falls from there.
  public let shape: Shape
  /// Steps over which the rate rises to the peak.
  public let warmUp: Int

  /// A schedule that begins at its peak unless there is a warm-up.
  public init(peak: Double, shape: Shape = .cosine, warmUp: Int = 0) {
    (self.peak, self.shape, self.warmUp) = (peak, shape, warmUp)
  }

  /// The rate at `step`, from 0 on, of `steps`.
  public func rate(at step: Int, of steps: Int) -> Double {
    let rise = step < warmUp ? Double(step + 1) / Double(warmUp + 1) : 1
    let progress = min(1, Double(step) / Double(max(steps, 1)))
    switch shape {
    case .constant: return peak * rise
    case .polynomial(let power): return peak * rise * pow(1 - progress, power)
    case .cosine: return peak * rise * (1 + cos(.pi * progress)) / 2
    }
  }
}
