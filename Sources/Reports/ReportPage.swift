// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Experiments
internal import Foundation

/// The report as one page, which asks the network for nothing.
package struct ReportPage {
  let data: ReportData
  let figures: [ReportFigure]
  let table: ReportTable
  let strips: FilmStrips
  let command: [String]

  /// What says that a page is ours.
  static let mark = "<meta name=\"generator\" content=\"inbetween report\">"

  var html: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    \(Self.mark)
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(escaped(title))</title>
    <style>\(Self.style)</style>
    </head>
    <body>
    <header>
    <h1>\(escaped(title))</h1>
    \(introduction)
    </header>
    <main>
    \(sections.joined(separator: "\n"))
    </main>
    <script>\(Self.script)</script>
    </body>
    </html>

    """
  }

  private var title: String {
    let clips = data.clips.count
    let what = "\(data.title): \(data.rows.count) pipeline\(data.rows.count == 1 ? "" : "s")"
    return clips == 0 ? what : what + ", \(clips) clip\(clips == 1 ? "" : "s")"
  }

  private var introduction: String {
    var text = "<p>Main figure: <b>\(escaped(data.figure))</b>. Intervals are 95 %: "
    text +=
      data.clips.count > 1
      ? "over several clips the clip is the unit (Student's, from three clips on), "
        + "on a clip by a moving-block bootstrap over frames."
      : "by a moving-block bootstrap over frames."
    text += "</p>"
    if data.clips.count == 2 {
      text +=
        "<p>Two clips are too few to tell the spread between clips: figures over both have "
        + "no intervals, those of each clip have.</p>"
    }
    if !data.clips.isEmpty {
      text += "<p>Clips: " + data.clips.map(escaped).joined(separator: ", ") + "</p>"
    }
    let facts = data.environment.sorted { $0.key < $1.key }
    if !facts.isEmpty {
      text +=
        "<p class=facts>"
        + facts.map { "\(escaped($0.key)): \(escaped($0.value))" }.joined(separator: " · ") + "</p>"
    }
    return text
  }

  private var sections: [String] {
    var sections: [String] = []
    if let first = figures.first { sections.append(section(first)) }
    sections.append(tableSection)
    sections += figures.dropFirst().map(section)
    sections.append(strips.section(reproducedBy: commandLines))
    let rest = [differences, warnings]
    return (sections + rest).filter { !$0.isEmpty }
  }

  private func section(_ figure: ReportFigure) -> String {
    """
    <section id="\(figure.name)">
    <h2>\(escaped(figure.title))</h2>
    <div class=wide>\(figure.svg(width: 860))</div>
    <div class=narrow>\(figure.svg(width: 360))</div>
    <p>\(escaped(figure.note))</p>
    \(reproduction(files: ["figures/\(figure.name).svg", "figures/\(figure.name).vl.json"]))
    </section>
    """
  }

  /// The commands that make a figure again, and the files that hold it.
  private func reproduction(files: [String]) -> String {
    let links = files.map { "<a href=\"\($0)\">\($0)</a>" }.joined(separator: ", ")
    return "<details class=command><summary>Command and files</summary>"
      + "<pre>\(escaped(commandLines.joined(separator: "\n")))</pre><p>\(links)</p></details>"
  }

  private var commandLines: [String] {
    [data.command, command].filter { !$0.isEmpty }.map(Self.shellText)
  }

  /// A command as a shell reads it; the program by its name.
  package static func shellText(_ words: [String]) -> String {
    words.enumerated().map { place, word in
      let word = place == 0 ? word.split(separator: "/").last.map(String.init) ?? word : word
      let isPlain =
        !word.isEmpty
        && word.unicodeScalars.allSatisfy {
          CharacterSet.alphanumerics.contains($0) && $0.isASCII
            || "-_./:=,+@%".unicodeScalars.contains($0)
        }
      return isPlain ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }.joined(separator: " ")
  }

  private var tableSection: String {
    let header = table.columns.map { "<th scope=col tabindex=0>\(escaped($0.title))</th>" }
    let rows = data.rows.map { row in
      let cells = table.columns.enumerated().map { place, column in
        cell(column, row, isHead: place == 0)
      }
      return "<tr\(row.isBaseline ? " class=base" : "")>\(cells.joined())</tr>"
    }
    return """
      <section id="table">
      <h2>All pipelines</h2>
      <p>A press on a heading sorts. Differences are from per-frame inference; those in bold exclude
      zero.</p>
      <div class=scroll><table class=sortable><thead><tr>\(header.joined())</tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
      \(reproduction(files: ["results.csv", "results.json", "table.tex"]))
      </section>
      """
  }

  private func cell(_ column: ReportTable.Column, _ row: ReportData.Row, isHead: Bool) -> String {
    switch column.cell(row) {
    case .text(let text):
      return isHead ? "<th scope=row>\(escaped(text))</th>" : "<td>\(escaped(text))</td>"
    case .none: return "<td>–</td>"
    case .number(let value, let interval, let digits):
      return Self.cell(value, interval, digits: digits, isDifference: column.isDifference)
    }
  }

  private static func cell(
    _ value: Double, _ interval: Interval?, digits: Int, isDifference: Bool
  ) -> String {
    let sign = isDifference ? "+" : ""
    var text = String(format: "%\(sign).\(digits)f", value)
    if isDifference, interval?.excludesZero == true { text = "<b>\(text)</b>" }
    if let interval, interval.isKnown {
      let bounds = String(
        format: "%\(sign).\(digits)f, %\(sign).\(digits)f", interval.low, interval.high)
      text += " <small>[\(bounds)]</small>"
    }
    return "<td data-v=\"\(value)\">\(text)</td>"
  }

  private var differences: String {
    let rows = data.rows.flatMap { row in
      row.comparison.map { line -> String in
        let verdict =
          line.difference.map { $0.excludesZero ? "excludes zero" : "does not exclude zero" }
          ?? "too few to tell"
        let difference = Self.cell(
          line.other - line.base, line.difference, digits: 4, isDifference: true)
        return "<tr><th scope=row>\(escaped(row.name))</th><td>\(escaped(line.figure))</td>"
          + "<td>\(escaped(line.clip ?? "all clips"))</td>"
          + Self.cell(line.base, nil, digits: 4, isDifference: false)
          + Self.cell(line.other, nil, digits: 4, isDifference: false)
          + difference + "<td>\(verdict)</td></tr>"
      }
    }
    guard !rows.isEmpty else { return "" }
    let titles = ["pipeline", "figure", "clip", "per frame", "pipeline's", "difference", "verdict"]
    return """
      <section id="differences">
      <h2>Differences from per-frame inference</h2>
      <details><summary>\(rows.count) differences, clip by clip</summary>
      <div class=scroll><table class=sortable>
      <thead><tr>\(titles.map { "<th scope=col tabindex=0>\($0)</th>" }.joined())</tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
      \(reproduction(files: ["results.json"]))
      </details>
      </section>
      """
  }

  private var warnings: String {
    var found: [(text: String, names: [String])] = []
    for row in data.rows {
      for part in row.parts {
        for text in part.run?.result.warnings ?? [] {
          let name = "\(row.name) on \(part.clip)"
          if let place = found.firstIndex(where: { $0.text == text }) {
            found[place].names.append(name)
          } else {
            found.append((text, [name]))
          }
        }
      }
    }
    let failures = data.failures.map { "<li>not measured: \(escaped($0))</li>" }
    let items = found.map { warning, names in
      let whose =
        names.count > 3
        ? "\(names.prefix(3).joined(separator: "; ")) and \(names.count - 3) more"
        : names.joined(separator: "; ")
      return "<li>\(escaped(warning)) <small>(\(escaped(whose)))</small></li>"
    }
    let list = (failures + items).joined(separator: "\n")
    return """
      <section id="warnings">
      <h2>Warnings</h2>
      \(list.isEmpty ? "<p>None.</p>" : "<ul>\(list)</ul>")
      </section>
      """
  }
}
