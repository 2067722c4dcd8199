// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Experiments
internal import Foundation
internal import GRDB
internal import GRDBSQLite
internal import Outputs
public import Recipes
internal import Specification

/// Measured runs as an SQLite database, to be asked by SQL.
///
/// The results in the runs' folders are the source of truth: an index is made of them from the
/// beginning each time, in a fraction of a second for hundreds of runs. Tables:
///
/// | table | a row for each |
/// |---|---|
/// | `runs` | run: pipeline, clip, share of key frames, latency, work, machine |
/// | `figures` | figure of a run, with its 95 % interval |
/// | `settings` | key that a sweep set for a run |
/// | `times` | round of timing of a run, with the ratio to per-frame inference of that round |
/// | `results` (a view) | run: `mIoU`, `TC`, `time_ratio` and `ms` beside what `runs` has |
public struct ResultsIndex {
  private let database: DatabaseQueue
  /// How many runs there are.
  public let count: Int
  /// What could not be read, and why, a sentence each.
  public let warnings: [String]

  /// Reads every finished run in these folders and the folders inside, sweeps among them.
  ///
  /// A run that cannot be read is left out, with a warning.
  ///
  /// - Throws: `SpecificationError` where there is no finished run; what SQLite throws.
  public init(of folders: [String], in registries: Registries) throws {
    let database = try DatabaseQueue()
    let found = try IndexedRuns(folders, registries)
    try database.write { database in
      try database.execute(sql: IndexSchema.tables)
      for (place, run) in found.runs.enumerated() {
        try run.insert(into: database, as: Int64(place + 1))
      }
    }
    (self.database, count, warnings) = (database, found.runs.count, found.warnings)
  }

  /// Writes it as a database file, whole or not at all.
  public func write(to path: String) throws {
    let bytes = try database.read { database -> [UInt8] in
      var size: sqlite3_int64 = 0
      guard let memory = sqlite3_serialize(database.sqliteConnection, "main", &size, 0) else {
        throw DatabaseError(resultCode: .SQLITE_NOMEM)
      }
      defer { sqlite3_free(memory) }
      return [UInt8](UnsafeBufferPointer(start: memory, count: Int(size)))
    }
    try PendingFile.write(bytes, to: path)
  }

  /// What a query gives.
  public struct Rows: Sendable, Hashable {
    /// The names of the columns.
    public let columns: [String]
    /// The cells, row by row; nil for NULL.
    public let cells: [[String?]]
  }

  /// What a query gives; it cannot change anything.
  ///
  /// - Throws: `SpecificationError` with SQLite's reason where it is wrong.
  public func rows(of query: String) throws -> Rows {
    do {
      return try database.read { database in
        let statement = try database.makeStatement(sql: query)
        let rows = try Row.fetchAll(statement)
        return Rows(
          columns: statement.columnNames,
          cells: rows.map { row in row.databaseValues.map(Self.text(of:)) })
      }
    } catch let error as DatabaseError {
      let reason = error.message ?? "it cannot be carried out"
      throw SpecificationError(.badValue, "SQL: \(reason)")
    }
  }

  private static func text(of value: DatabaseValue) -> String? {
    switch value.storage {
    case .null: nil
    case .int64(let number): "\(number)"
    case .double(let number): "\(number)"
    case .string(let text): text
    case .blob(let data): "\(data.count) bytes"
    }
  }
}
