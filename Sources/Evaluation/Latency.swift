// SPDX-License-Identifier: Apache-2.0

/// A set of durations, and what is usually asked of one.
public struct Latency: Sendable {
  private var milliseconds: [Double] = []

  /// An empty set.
  public init() {}

  /// Adds one duration.
  public mutating func add(_ duration: Duration) { milliseconds.append(duration.milliseconds) }

  /// Mean and percentiles in milliseconds; nil where nothing was timed.
  public var summary: LatencySummary? {
    guard !milliseconds.isEmpty else { return nil }
    let sorted = milliseconds.sorted()
    func percentile(_ part: Double, atLeast count: Int = 1) -> Double? {
      guard sorted.count >= count else { return nil }
      return sorted[max(0, Int((part * Double(sorted.count)).rounded(.up)) - 1)]
    }
    return LatencySummary(
      mean: sorted.reduce(0, +) / Double(sorted.count), p50: percentile(0.5), p90: percentile(0.9),
      p95: percentile(0.95), p99: percentile(0.99, atLeast: 500), max: sorted[sorted.count - 1],
      n: sorted.count)
  }
}

/// Milliseconds; a percentile is nil where there are too few samples to say it (p99 under 500).
public struct LatencySummary: Sendable, Hashable, Codable {
  /// The mean of all samples.
  public let mean: Double
  /// What 50, 90, 95 and 99 of a hundred samples do not exceed.
  public let p50, p90, p95, p99: Double?
  /// The longest of all samples.
  public let max: Double
  /// How many samples the figures rest on.
  public let n: Int
}

extension Duration {
  /// In milliseconds.
  public var milliseconds: Double {
    Double(components.seconds) * 1e3 + Double(components.attoseconds) * 1e-15
  }
}
