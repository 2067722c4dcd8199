// SPDX-License-Identifier: Apache-2.0

internal import Video

/// A text file of numbers, a row a line, with commas, tabs or blanks between them.
struct BoxRows {
  let path: String
  let rows: [[Double]]

  /// Files beyond this are no annotation of one sequence.
  private static let mostBytes = 256 << 20

  /// Reads the file `name`; each row must have at least `columns` finite numbers.
  ///
  /// Other numbers of a row are read too; words in them, as in some extensions, end it.
  init(_ name: String, in folder: DataFolder, columns: Int) throws(DatasetError) {
    path = "\(folder.path)/\(name)"
    var rows: [[Double]] = []
    for (index, line) in try folder.lines(of: name, limit: Self.mostBytes).enumerated() {
      let fields = line.split { $0 == "," || $0 == "\t" || $0 == " " || $0 == ";" }
      let numbers = fields.prefix { Double($0) != nil }.compactMap { Double($0) }
      let needed = numbers.prefix(columns)
      // A frame without a box is `NaN,NaN,NaN,NaN` in some sequences of OTB and its kin.
      guard needed.count == columns,
        needed.allSatisfy({ !$0.isInfinite && abs($0) < 1e9 || $0.isNaN })
      else {
        throw DatasetError(
          .malformed,
          "line \(index + 1) of \(path) must begin with \(columns) numbers; it is "
            + "'\(line.prefix(60))'")
      }
      rows.append(numbers)
    }
    self.rows = rows
  }
}

extension BoundingBox {
  /// The box of four numbers of a row; nil where one is no number or it has no inside.
  init?(_ row: [Double], at first: Int, origin: Double = 0) {
    let values = row[first..<first + 4]
    guard values.allSatisfy(\.isFinite), row[first + 2] > 0, row[first + 3] > 0 else { return nil }
    self.init(
      x: row[first] - origin, y: row[first + 1] - origin, width: row[first + 2],
      height: row[first + 3])
  }
}
