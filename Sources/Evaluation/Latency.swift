// SPDX-License-Identifier: Apache-2.0

/// A set of durations, and what is usually asked of one.
public struct Latency: Sendable {
  private var milliseconds: [Double] = []

  /// An empty set.
  public init() {}

  /// Adds one duration.
  public mutating func add(_ duration: Duration) { milliseconds.append(duration.milliseconds) }

  /// Mean and percentiles in milliseconds; nil where nothing was timed.
  public var summary: LatencySummary? { Self.summary(of: [(self, 1)]) }

  /// The same of several sets at once, each of whose durations counts as often as its weight says;
  /// nil where nothing was timed.
  ///
  /// A percentile is the least duration that the share of all weights does not exceed.
  static func summary(of sets: [(latency: Latency, weight: Double)]) -> LatencySummary? {
    let weighted = sets.flatMap { set in set.latency.milliseconds.map { ($0, set.weight) } }
      .sorted { $0.0 < $1.0 }
    guard let longest = weighted.last else { return nil }
    let whole = weighted.reduce(0) { $0 + $1.1 }
    func percentile(_ part: Double, atLeast count: Int = 1) -> Double? {
      guard weighted.count >= count else { return nil }
      var below = 0.0
      return weighted.first { duration in
        below += duration.1
        return below >= part * whole * (1 - 1e-12)
      }?.0
    }
    return LatencySummary(
      mean: weighted.reduce(0) { $0 + $1.0 * $1.1 } / whole, p50: percentile(0.5),
      p90: percentile(0.9), p95: percentile(0.95), p99: percentile(0.99, atLeast: 500),
      max: longest.0, n: weighted.count)
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
