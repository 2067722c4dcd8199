// SPDX-License-Identifier: Apache-2.0

/// Where in a Python source each part of a program comes from, as an archive says it.
///
/// A tuple of (offset, (source, start, end), tag), or without the tag; a source is (text, file or
/// none, first line). Today's archives have a table of texts first, and say where a source's text
/// is in it by a list of numbers.
enum DebuggingLines {
  /// Whether all of it is as it should be: LibTorch does not look.
  static func areSound(_ value: PickleValue) -> Bool {
    guard var lines = value.members else { return false }
    var table: [Int]?
    if lines.first?.string == "FORMAT_WITH_STRING_TABLE" {
      guard lines.count == 3, let texts = lines[1].members, let inner = lines[2].members else {
        return false
      }
      let lengths = texts.compactMap(length)
      guard lengths.count == texts.count else { return false }
      (table, lines) = (lengths, inner)
    }
    return lines.allSatisfy { isLine($0, table) }
  }

  private static func length(_ value: PickleValue) -> Int? {
    if case .text(let text) = value { text.count } else { nil }
  }

  private static func isLine(_ value: PickleValue, _ table: [Int]?) -> Bool {
    guard let parts = value.members, parts.count == 2 || parts.count == 3,
      parts[0].number != nil, parts.count == 2 || parts[2].number != nil,
      let range = parts[1].members, range.count == 3,
      let length = lengthOfSource(range[0], table),
      let start = range[1].number, let end = range[2].number
    else { return false }
    // Of what has no source, PyTorch says that it comes from its first letter.
    return 0 <= start && start <= end && end <= max(length, 1) && start <= length
  }

  private static func lengthOfSource(_ value: PickleValue, _ table: [Int]?) -> Int? {
    guard let parts = value.members, parts.count == 3, let line = parts[2].number,
      line >= 0, line < 1 << 31
    else { return nil }
    guard let table else {
      if case .none = parts[1] { return length(parts[0]) }
      return length(parts[1]) == nil ? nil : length(parts[0])
    }
    let isFile =
      switch parts[1] {
      case .none: true
      case .integer(let index): index >= 0 && index < table.count
      default: false
      }
    guard isFile, case .list(let list) = parts[0] else { return nil }
    let places = list.members
    let lengths = places.compactMap { place -> Int? in
      guard let index = place.number, index >= 0, index < table.count else { return nil }
      return table[Int(index)]
    }
    return lengths.count == places.count ? lengths.reduce(0, +) : nil
  }
}
