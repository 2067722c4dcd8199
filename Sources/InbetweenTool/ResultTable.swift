// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Experiments
internal import Foundation

/// A result as a person reads it.
struct ResultTable: CustomStringConvertible {
  private let result: RunResult
  private let title: String

  init(_ result: RunResult, title: String) { (self.result, self.title) = (result, title) }

  var description: String {
    (heading + (result.accuracy.map(lines) ?? []) + scores + lines(for: result.speed)
      + lines(for: result.cost)).joined(separator: "\n")
  }

  private var heading: [String] {
    let parts = [
      "recipe", "head", "scheduler", "propagator", "fusion", "flow", "tap", "temporal_smoothing",
      "bidirectional", "regions",
    ].compactMap { name in
      result.pipeline[name].map {
        ["tap", "temporal_smoothing", "bidirectional"].contains(name) ? "\(name) \($0)" : $0
      }
    }
    return ["\(title): \(result.speed.frames) frames, \(parts.joined(separator: ", "))"]
  }

  private var scores: [String] {
    guard let scores = result.scores, !scores.isEmpty else { return [] }
    let texts = scores.sorted { $0.key < $1.key }.map { "\($0.key) \(score($0.value))" }
    // Jumps at key frames are of no other distance than 0.
    let distances = (result.scoresByDistance ?? [:]).filter { _, values in
      values.count { $0 != nil } > 1
    }
    let rows = distances.sorted { $0.key < $1.key }.map { name, values in
      "  \(name) by distance  "
        + values.prefix(20).enumerated().map { "\($0): \(score($1))" }.joined(separator: "  ")
    }
    return ["  " + texts.joined(separator: "  ")] + rows
  }

  private func lines(for accuracy: Accuracy) -> [String] {
    var scores = [
      "mIoU \(score(accuracy.mIoU))", "mAcc \(score(accuracy.mAcc))",
      "aAcc \(score(accuracy.aAcc))",
    ]
    if result.specification.consistency != .left {
      scores += [
        "TC \(score(accuracy.temporalConsistency))",
        "TC-ETC \(score(accuracy.publishedConsistency))",
      ]
    }
    scores.append("VC8 \(score(accuracy.videoConsistency8))")
    let distances = accuracy.mIoUByDistance.enumerated().prefix(20)
    return [
      "  " + scores.joined(separator: "  "),
      "  by class     "
        + accuracy.perClass.map { "\($0.key) \(score($0.value))" }.sorted()
        .joined(separator: "  "),
      "  by distance  "
        + distances.map { "\($0.offset): \(score($0.element))" }
        .joined(separator: "  "),
    ]
  }

  private func lines(for speed: Speed) -> [String] {
    let keys = String(format: "%.1f %%", 100 * speed.keyframeRatio)
    let rate = speed.throughput.map { String(format: "%.1f frames a second", $0) } ?? "not timed"
    var lines = ["  key frames \(keys); \(rate); milliseconds:"]
    lines.append("  " + row("", ["mean", "p50", "p90", "p95", "max", "n"]))
    let byRole = [
      ("pipeline", speed.latency.all), ("  key", speed.latency.key),
      ("  propagated", speed.latency.propagated),
    ]
    let byStage = speed.latency.byStage.sorted { $0.value.mean > $1.value.mean }
    for (name, summary) in byRole + byStage.map({ ("    " + $0.key, $0.value) })
      + [("end to end", speed.endToEnd)]
    {
      guard let summary else { continue }
      lines.append("  " + row(name, cells(of: summary)))
    }
    return lines
  }

  private func lines(for cost: RunResult.Cost) -> [String] {
    guard let frame = cost.macsPerFrame, let key = cost.macsPerKey else {
      return []
    }
    let (work, share) = (frame / 1e9, 100 * frame / key)
    return [
      String(format: "  %.3f G multiply-adds a frame, %.1f %% of a key frame's", work, share)
    ]
  }

  private func cells(of summary: LatencySummary) -> [String] {
    [summary.mean, summary.p50, summary.p90, summary.p95, summary.max].map {
      $0.map { String(format: "%.2f", $0) } ?? "n/a"
    } + ["\(summary.n)"]
  }

  private func row(_ name: String, _ cells: [String]) -> String {
    let name = name.padding(toLength: 16, withPad: " ", startingAt: 0)
    return name + cells.map { String(repeating: " ", count: max(0, 9 - $0.count)) + $0 }.joined()
  }

  private func score(_ value: Double?) -> String {
    value.map { String(format: "%.4f", $0) } ?? "n/a"
  }
}
