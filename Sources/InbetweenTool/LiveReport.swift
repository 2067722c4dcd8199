// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Video

/// How old results of a live stream were, counted in classes that are 2 % wide: what is held does
/// not grow with the stream.
struct AgeHistogram: Encodable {
  private var counts: [Int: Int] = [:]
  private var (count, sum, most) = (0, 0.0, 0.0)
  private static let width = 1.02

  mutating func add(_ age: Duration) {
    let milliseconds = max(age / .milliseconds(1), 0.01)
    counts[Int((log(milliseconds) / log(Self.width)).rounded()), default: 0] += 1
    (count, sum, most) = (count + 1, sum + milliseconds, max(most, milliseconds))
  }

  /// The least age, in milliseconds, that the share of all does not exceed; nil without any.
  func percentile(_ share: Double) -> Double? {
    var below = 0
    for (place, number) in counts.sorted(by: { $0.key < $1.key }) {
      below += number
      if Double(below) >= share * Double(count) * (1 - 1e-12) {
        return min(pow(Self.width, Double(place)), most)
      }
    }
    return nil
  }

  private enum CodingKeys: String, CodingKey { case mean, p50, p90, p95, p99, max, n }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(count, forKey: .n)
    guard count > 0 else { return }
    try container.encode(sum / Double(count), forKey: .mean)
    for (key, share) in [
      (CodingKeys.p50, 0.5), (.p90, 0.9), (.p95, 0.95), (.p99, 0.99),
    ] { try container.encodeIfPresent(percentile(share), forKey: key) }
    try container.encode(most, forKey: .max)
  }
}

/// What `result.json` says of a live run, under `live`.
struct LiveReport: Encodable {
  /// `newest` or `every`.
  var frames: String
  var deadline: Double?
  var onLate: String?
  /// Frames that were decoded, those that got a result, and those that a network ran on or that
  /// features were propagated to.
  var decoded = 0, results = 0, labelled = 0
  /// Frames that were replaced by newer ones, that were left out as late, that were given the
  /// labels before them, and key frames that were put off.
  var dropped = 0, late = 0, reused = 0, putOff = 0
  /// Results that came too late, or not at all since they would have.
  var missed = 0
  var ages = AgeHistogram()
  var stalls = 0, reconnections = 0, outage = 0.0

  var missRate: Double? {
    let due = results + late
    return deadline == nil || due == 0 ? nil : Double(missed) / Double(due)
  }

  mutating func add(_ progress: LiveQueue.Progress) {
    (decoded, dropped) = (progress.report.decoded, progress.dropped)
    (stalls, reconnections) = (progress.outages.stalls, progress.outages.reconnections)
    outage = progress.outages.time / .seconds(1)
  }

  /// In a few words for a person.
  var sentence: String {
    func text(_ share: Double) -> String {
      ages.percentile(share).map { String(format: "%.0f", $0) } ?? "–"
    }
    var parts = [
      "\(decoded) frames, \(results) results, \(dropped) dropped",
      "age p50 \(text(0.5)) ms, p95 \(text(0.95)) ms",
    ]
    if let missRate { parts.append(String(format: "%.1f %% missed", 100 * missRate)) }
    if stalls + reconnections > 0 {
      parts.append("\(stalls) stalls, \(reconnections) reconnections")
    }
    return parts.joined(separator: "; ")
  }

  private enum CodingKeys: String, CodingKey {
    case frames, decoded, results, labelled, dropped, late, reused, missed, stalls, reconnections
    case deadline = "deadline_ms"
    case onLate = "on_late"
    case putOff = "key_frames_put_off"
    case ages = "age_ms"
    case outage = "outage_s"
    case missRate = "miss_rate"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(frames, forKey: .frames)
    try container.encodeIfPresent(deadline, forKey: .deadline)
    try container.encodeIfPresent(onLate, forKey: .onLate)
    for (key, value) in [
      (CodingKeys.decoded, decoded), (.results, results), (.labelled, labelled),
      (.dropped, dropped), (.late, late), (.reused, reused), (.putOff, putOff),
      (.missed, missed), (.stalls, stalls), (.reconnections, reconnections),
    ] { try container.encode(value, forKey: key) }
    try container.encodeIfPresent(missRate, forKey: .missRate)
    try container.encode(ages, forKey: .ages)
    try container.encode(outage, forKey: .outage)
  }
}
