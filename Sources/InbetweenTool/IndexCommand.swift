// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Foundation
internal import Outputs
internal import ResultsIndex

struct IndexCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "index", abstract: "Put measured runs into an SQLite database, or ask it.",
    discussion: """
      Finds every finished run in the folders, sweeps among them. The database is made anew each \
      time: results in the runs' folders are what counts. --sql 'SELECT name, clip, mIoU, \
      time_ratio FROM results ORDER BY mIoU DESC' prints a table instead; see the guide for others.
      """)

  @Argument(help: "Sweeps, folders that eval --out wrote, or folders that hold such.")
  var folders: [String]

  @Option(help: "The database. Usually index.sqlite in the first folder.")
  var out: String?

  @Option(help: "Print what this query gives, and write a database only where --out says so.")
  var sql: String?

  @Flag(help: "Print what --sql gives as CSV.")
  var csv = false

  func validate() throws {
    if folders.isEmpty { throw ValidationError("a sweep or a folder of runs must be named") }
    if csv, sql == nil { throw ValidationError("--csv goes with --sql") }
  }

  func run() throws {
    for folder in folders where !FileManager.default.fileExists(atPath: folder) {
      throw Failure(.missingInput, "\(folder): there is no such folder")
    }
    let path = out ?? (sql == nil ? "\(folders[0])/index.sqlite" : nil)
    if let path {
      guard Self.mayWrite(to: path) else {
        throw Failure(.cannotCreate, "\(path) is there and is no SQLite database")
      }
      try OutputFile.check(file: path)
    }
    let index = try ResultsIndex(of: folders, in: Parts.registries)
    Warnings.say(index.warnings)
    if let sql {
      let rows = try index.rows(of: sql)
      print(csv ? rows.csv : rows.table, terminator: "")
    }
    guard let path else { return }
    try index.write(to: path)
    if sql == nil { print("\(path): \(index.count) run\(index.count == 1 ? "" : "s")") }
  }

  /// Whether nothing is there, or a database.
  private static func mayWrite(to path: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: path) else { return true }
    let start = (try? file.read(upToCount: 16)) ?? nil
    return start == nil || start?.isEmpty == true || start == Data("SQLite format 3\0".utf8)
  }
}

extension ResultsIndex.Rows {
  /// Columns side by side, numbers with four digits after the point.
  fileprivate var table: String {
    let cells = cells.map { row in row.map(Self.short) }
    let widths = columns.indices.map { column in
      max(columns[column].count, cells.map { $0[column].count }.max() ?? 0)
    }
    return ([columns] + cells).map { row in
      row.indices.map { row[$0].padding(toLength: widths[$0], withPad: " ", startingAt: 0) }
        .joined(separator: "  ").trimmingCharacters(in: .whitespaces) + "\n"
    }.joined()
  }

  private static func short(_ cell: String?) -> String {
    guard let cell else { return "" }
    guard cell.contains("."), let number = Double(cell) else { return cell }
    return abs(number) < 1e6 ? String(format: "%.4f", number) : String(format: "%.4g", number)
  }

  /// As RFC 4180 has it.
  fileprivate var csv: String {
    ([columns] + cells.map { row in row.map { $0 ?? "" } }).map { row in
      row.map { cell in
        cell.contains { ",\"\r\n".contains($0) }
          ? "\"\(cell.replacingOccurrences(of: "\"", with: "\"\""))\"" : cell
      }.joined(separator: ",") + "\r\n"
    }.joined()
  }
}
