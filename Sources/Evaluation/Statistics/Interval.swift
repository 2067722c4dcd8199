// SPDX-License-Identifier: Apache-2.0

/// An estimate with the bounds between which the true value lies in 95 of 100 such experiments.
public struct Interval: Sendable, Hashable, Codable {
  /// What was measured.
  public let estimate: Double
  /// The lower and the upper bound.
  public let low, high: Double

  /// An estimate with its bounds.
  public init(estimate: Double, low: Double, high: Double) {
    (self.estimate, self.low, self.high) = (estimate, low, high)
  }

  /// Whether 0 lies outside the interval.
  public var excludesZero: Bool { low > 0 || high < 0 }

  /// Whether the intervals have a value in common.
  public func overlaps(_ other: Interval) -> Bool { low <= other.high && other.low <= high }
}

extension Interval {
  /// The mean of a few independent values, with Student's interval; nil of fewer than three, which
  /// tell nothing of their spread.
  ///
  /// For clips, seeds and rounds: few values that are each a whole experiment.
  public init?(meanOf values: [Double]) {
    guard values.count >= 3 else { return nil }
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
    let reach = Self.studentQuantile(freedom: values.count - 1) * (variance / count).squareRoot()
    self.init(estimate: mean, low: mean - reach, high: mean + reach)
  }

  /// The 0.975 quantile of Student's distribution; beyond thirty degrees of freedom by Cornish and
  /// Fisher's expansion, to the third digit.
  static func studentQuantile(freedom: Int) -> Double {
    let table = [
      12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281, 2.2010,
      2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860, 2.0796, 2.0739,
      2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
    ]
    if freedom <= table.count { return table[max(freedom, 1) - 1] }
    let (normal, count) = (1.959964, Double(freedom))
    let cube = normal * normal * normal
    return normal + (cube + normal) / (4 * count)
      + (5 * cube * normal * normal + 16 * cube + 3 * normal) / (96 * count * count)
  }
}
