// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Foundation
internal import Outputs

/// A report of measured pipelines: one page that needs nothing else, and the same as files.
///
/// ```
/// report.html              everything, with pictures inside
/// figures/NAME.svg         each figure
/// figures/NAME.vl.json     each figure for Vega-Lite, data inside
/// results.csv, results.json, table.tex
/// ```
public struct Report: Sendable {
  private let data: ReportData
  private let figures: [ReportFigure]
  private let strips: FilmStrips
  private let command: [String]

  /// A report of `data` that this command makes again.
  public init(_ data: ReportData, strips: FilmStrips = .none(""), command: [String] = []) {
    (self.data, self.strips, self.command) = (data, strips, command)
    figures = FigureMaker(data).figures()
  }

  /// The names of its figures.
  public var figureNames: [String] { figures.map(\.name) }

  /// A figure as SVG; nil where the data cannot tell it.
  public func svg(of name: String, width: Double = 860) -> String? {
    figures.first { $0.name == name }?.svg(width: width)
  }

  /// The page.
  public var html: String {
    ReportPage(
      data: data, figures: figures, table: ReportTable(data), strips: strips, command: command
    ).html
  }

  /// The table as comma-separated values, and for LaTeX.
  public var csv: String { ReportTable(data).csv }
  /// The table for LaTeX.
  public var latex: String { ReportTable(data).latex }

  /// Whether a folder holds nothing that somebody else made under these names.
  public static func mayWrite(into folder: String) -> Bool {
    let page = "\(folder)/report.html"
    let names = ["report.html", "results.csv", "results.json", "table.tex", "figures"]
    let manager = FileManager.default
    guard names.contains(where: { manager.fileExists(atPath: "\(folder)/\($0)") }) else {
      return true
    }
    let handle = FileHandle(forReadingAtPath: page)
    let beginning = (try? handle?.read(upToCount: 400)).flatMap { $0 } ?? Data()
    return String(decoding: beginning, as: UTF8.self).contains(ReportPage.mark)
  }

  /// Writes all files, the page last; each appears whole or not at all.
  public func write(to folder: String) throws {
    try makeFolder("\(folder)/figures")
    for figure in figures {
      try PendingFile.write(
        [UInt8](figure.svg(width: 860).utf8), to: "\(folder)/figures/\(figure.name).svg")
      try PendingFile.write(figure.vegaLite.bytes, to: "\(folder)/figures/\(figure.name).vl.json")
    }
    let table = ReportTable(data)
    try PendingFile.write([UInt8](table.csv.utf8), to: "\(folder)/results.csv")
    try PendingFile.write(table.json.bytes, to: "\(folder)/results.json")
    try PendingFile.write([UInt8](table.latex.utf8), to: "\(folder)/table.tex")
    try PendingFile.write([UInt8](html.utf8), to: "\(folder)/report.html")
  }
}
