// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Experiments
internal import Foundation
internal import Synchronization

/// A sweep as a person reads it: each pipeline's figures with intervals, the mean over clips.
struct SweepTable: CustomStringConvertible {
  private let summary: SweepSummary

  init(_ folder: SweepFolder) throws { summary = try SweepSummary(folder) }

  init(_ summary: SweepSummary) { self.summary = summary }

  var description: String {
    let figure = summary.figure
    let clips = "\(summary.clips.count) clip\(summary.clips.count == 1 ? "" : "s")"
    var lines = ["\(figure) with 95 % intervals, \(clips):"]
    let width = min(48, max(10, summary.rows.map(\.name.count).max() ?? 10))
    for row in summary.rows {
      let name = row.name.padding(toLength: max(width, row.name.count), withPad: " ", startingAt: 0)
      var line = "  \(name)  \(number(row.score.estimate))"
      if row.score.low < row.score.high {
        line += " [\(number(row.score.low)), \(number(row.score.high))]"
      }
      if let difference = row.difference {
        line += String(format: "  %+.4f", difference.estimate)
        line += String(format: " [%+.4f, %+.4f]", difference.low, difference.high)
        line += difference.excludesZero ? " *" : "  "
      }
      line += String(format: "  %3.0f %% key", 100 * row.keyframeRatio)
      if let time = row.time {
        line += String(format: "  %7.2f ms", time.milliseconds)
        if let ratio = time.ratio, !row.isBaseline {
          line += String(format: "  %.3f [%.3f, %.3f]", ratio.estimate, ratio.low, ratio.high)
        }
      }
      if row.points.count < summary.clips.count {
        line += "  of \(row.points.count) clip\(row.points.count == 1 ? "" : "s") only"
      }
      lines.append(line)
    }
    lines.append("  * the difference from per-frame inference excludes zero")
    return lines.joined(separator: "\n")
  }

  private func number(_ value: Double) -> String { String(format: "%.4f", value) }
}

/// The facts of a machine and of files, each file's hash taken once.
final class KeptFacts: Sendable {
  private let threads: Int
  private let kept = Mutex<[String: [String: String]]>([:])

  init(threads: Int) { self.threads = threads }

  func facts(of files: [String]) -> [String: String] {
    let key = files.sorted().joined(separator: "\n")
    if let known = kept.withLock({ $0[key] }) { return known }
    let facts = Surroundings.facts(threads: threads, files: files)
    kept.withLock { $0[key] = facts }
    return facts
  }
}
