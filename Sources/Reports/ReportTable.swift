// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Experiments
internal import Foundation

/// All pipelines with their figures, as text for programs and for papers.
package struct ReportTable {
  /// A cell: a text, or a number with the interval around it.
  enum Cell: Sendable {
    case text(String)
    case number(Double, Interval?, digits: Int)
    case none
  }

  struct Column: Sendable {
    /// The name in files, and as people read it.
    var key: String, title: String
    var cell: @Sendable (ReportData.Row) -> Cell
    /// Whether a difference is told, of which it matters whether it excludes zero.
    var isDifference = false
  }

  let data: ReportData
  let columns: [Column]

  init(_ data: ReportData) {
    self.data = data
    let all =
      [Column(key: "pipeline", title: "pipeline") { .text($0.name) }]
      + Self.accuracy(data) + Self.costs
    // A column that nothing is in is left out.
    columns = all.filter { column in
      data.rows.contains { if case .none = column.cell($0) { false } else { true } }
    }
  }

  private static func accuracy(_ data: ReportData) -> [Column] {
    let main = data.figure
    let others = ["TC", "TC_at_keys", "TC_between", "VC8", "boundary_mIoU", "mAcc"].filter {
      $0 != main
    }
    return [
      Column(key: main, title: main) { .number($0.score.estimate, $0.score, digits: 4) },
      Column(
        key: "\(main)_difference", title: "difference",
        cell: { row in
          row.difference.map { .number($0.estimate, $0, digits: 4) } ?? .none
        }, isDifference: true),
    ]
      + others.map { figure in
        Column(key: figure, title: figure.replacingOccurrences(of: "_", with: " ")) { row in
          row.values[figure].map { .number($0, row.intervals[figure], digits: 4) } ?? .none
        }
      }
  }

  private static var costs: [Column] {
    [
      Column(key: "key_share", title: "key frames, %") { row in
        row.keyShare.map { .number(100 * $0, nil, digits: 1) } ?? .none
      },
      Column(key: "macs_share", title: "MACs, %") { row in
        row.macsShare.map { .number(100 * $0, nil, digits: 1) } ?? .none
      },
      Column(key: "ms", title: "ms a frame") { row in
        row.milliseconds.map { .number($0.estimate, $0, digits: 2) } ?? .none
      },
      Column(key: "time_ratio", title: "time ratio") { row in
        row.ratio.map { .number($0.estimate, $0, digits: 3) } ?? .none
      },
      Column(key: "break_even", title: "break-even N") { row in
        guard !row.isBaseline, let found = BreakEven(row) else { return .none }
        return found.interval.map { .number(Double($0), nil, digits: 0) } ?? .text("never")
      },
    ]
  }

  /// Comma-separated values (RFC 4180), each interval in columns of its own.
  ///
  /// A text that a spreadsheet would take for a formula begins with an apostrophe.
  var csv: String {
    let header = columns.flatMap { column -> [String] in
      hasInterval(column) ? [column.key, "\(column.key)_low", "\(column.key)_high"] : [column.key]
    }
    let lines = data.rows.map { row in
      columns.flatMap { column -> [String] in
        let cells: [String]
        switch column.cell(row) {
        case .text(let text): cells = [Self.quoted(text), "", ""]
        case .none: cells = ["", "", ""]
        case .number(let value, let interval, _):
          let bounds = interval.flatMap { $0.isKnown ? ["\($0.low)", "\($0.high)"] : nil }
          cells = ["\(value)"] + (bounds ?? ["", ""])
        }
        return hasInterval(column) ? cells : [cells[0]]
      }
    }
    return ([header.map(Self.quoted)] + lines).map { $0.joined(separator: ",") + "\r\n" }.joined()
  }

  func hasInterval(_ column: Column) -> Bool {
    data.rows.contains { row in
      if case .number(_, let interval, _) = column.cell(row) {
        interval?.isKnown == true
      } else {
        false
      }
    }
  }

  package static func quoted(_ text: String) -> String {
    let isFormula = text.first.map { "=+-@\t\r".contains($0) } ?? false
    let text = isFormula ? "'" + text : text
    guard text.contains(where: { ",\"\r\n".contains($0) || $0.isNewline }) else { return text }
    return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }

  /// A table for LaTeX, with the package booktabs.
  var latex: String {
    let alignment = "l" + String(repeating: "r", count: columns.count - 1)
    let header = columns.map { Self.latex($0.title) }.joined(separator: " & ")
    let lines = data.rows.map { row in
      columns.map { column -> String in
        switch column.cell(row) {
        case .text(let text): return Self.latex(text)
        case .none: return "--"
        case .number(let value, let interval, let digits):
          let sign = column.isDifference ? "+" : ""
          let number = String(format: "%\(sign).\(digits)f", value)
          guard let interval, interval.isKnown else { return "$\(number)$" }
          let bounds = String(
            format: "%\(sign).\(digits)f, %\(sign).\(digits)f", interval.low, interval.high)
          return "$\(number)$ {\\scriptsize $[\(bounds)]$}"
        }
      }.joined(separator: " & ") + " \\\\"
    }
    return """
      % Written by inbetween report; \\usepackage{booktabs}. In brackets: 95 % intervals.
      \\begin{tabular}{\(alignment)}
      \\toprule
      \(header) \\\\
      \\midrule
      \(lines.joined(separator: "\n"))
      \\bottomrule
      \\end{tabular}

      """
  }

  package static func latex(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "\\": result += "\\textbackslash{}"
      case "~": result += "\\textasciitilde{}"
      case "^": result += "\\textasciicircum{}"
      case "&", "%", "$", "#", "_", "{", "}": result += "\\\(character)"
      case "<", ">": result += "$\(character)$"
      case _ where character.isNewline: result += " "
      default: result.append(character)
      }
    }
  }
}

extension ReportTable {
  /// Everything, for programs.
  var json: JSONValue {
    .object([
      "figure": .string(data.figure), "source": .string(data.source),
      "clips": .array(data.clips.map(JSONValue.string)),
      "environment": .object(data.environment.mapValues(JSONValue.string)),
      "command": .array(data.command.map(JSONValue.string)),
      "rows": .array(data.rows.map(Self.json)),
    ])
  }

  private static func json(_ row: ReportData.Row) -> JSONValue {
    var object: [String: JSONValue] = [
      "name": .string(row.name), "is_baseline": .bool(row.isBaseline),
      "score": json(row.score), "values": .object(row.values.mapValues { JSONValue($0) }),
      "intervals": .object(row.intervals.mapValues(json)),
      "points": .array(
        row.parts.map { part in
          [
            "clip": .string(part.clip),
            "specification_hash": .string(part.run?.result.specificationHash ?? ""),
          ]
        }),
      "differences": .array(row.comparison.map(json)),
    ]
    for (name, interval) in [
      ("difference", row.difference), ("ms", row.milliseconds), ("time_ratio", row.ratio),
    ] {
      object[name] = interval.map(json)
    }
    for (name, value) in [
      ("key_share", row.keyShare), ("macs_share", row.macsShare), ("macs", row.macs),
      ("break_even", row.isBaseline ? nil : BreakEven(row)?.interval.map(Double.init)),
    ] {
      object[name] = value.map { .number($0) }
    }
    if !row.group.isEmpty { object["group"] = .string(row.group) }
    return .object(object)
  }

  private static func json(_ interval: Interval) -> JSONValue {
    [
      "estimate": .init(interval.estimate), "low": .init(interval.low),
      "high": .init(interval.high),
    ]
  }

  private static func json(_ row: Comparison.Row) -> JSONValue {
    var object: [String: JSONValue] = [
      "figure": .string(row.figure), "clip": row.clip.map(JSONValue.string) ?? .null,
      "base": .init(row.base), "other": .init(row.other),
      "excludes_zero": .bool(row.excludesZero),
    ]
    object["difference"] = row.difference.map(json)
    return .object(object)
  }
}
