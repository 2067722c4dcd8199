// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A zip archive taken apart by the tests' own means and put together again, its records changed:
/// what a damaged or a hostile archive is.
struct MadeArchive {
  /// Names, with the folder, and bytes as they are stored.
  struct Record {
    var name: String
    var bytes: [UInt8]
    /// How many bytes it has once inflated, and its CRC-32; of what is not packed, by the tests.
    var count: Int
    var checksum: UInt32
    var isDeflated: Bool
    var flags: UInt16 = 0
  }

  var records: [Record] = []

  /// Reads an archive whose directory is sound.
  init(_ file: [UInt8]) {
    func number(_ at: Int, _ count: Int) -> Int {
      (0..<count).reduce(0) { $0 | Int(file[at + $1]) << (8 * $1) }
    }
    var place = number(file.count - 6, 4)
    for _ in 0..<number(file.count - 12, 2) {
      let (stored, name, header) = (
        number(place + 20, 4), number(place + 28, 2), number(place + 42, 4)
      )
      let start = header + 30 + number(header + 26, 2) + number(header + 28, 2)
      records.append(
        Record(
          name: String(decoding: file[place + 46..<place + 46 + name], as: UTF8.self),
          bytes: Array(file[start..<start + stored]), count: number(place + 24, 4),
          checksum: UInt32(number(place + 16, 4)), isDeflated: number(place + 10, 2) == 8))
      place += 46 + name + number(place + 30, 2) + number(place + 32, 2)
    }
  }

  /// The record whose name ends so; to set it corrects its size and its CRC-32.
  subscript(_ suffix: String) -> [UInt8]? {
    get { records.first { $0.name.hasSuffix(suffix) }?.bytes }
    set {
      let index = records.firstIndex { $0.name.hasSuffix(suffix) }
      guard let index else { return }
      guard let newValue else {
        records.remove(at: index)
        return
      }
      records[index] = Record(
        name: records[index].name, bytes: newValue, count: newValue.count,
        checksum: slowChecksum(newValue), isDeflated: false)
    }
  }

  /// Changes the bytes of the record whose name ends so.
  mutating func edit(_ suffix: String, _ change: ([UInt8]) -> [UInt8]) {
    if let bytes = self[suffix] { self[suffix] = change(bytes) }
  }

  mutating func add(_ name: String, _ bytes: [UInt8]) {
    records.append(
      Record(
        name: name, bytes: bytes, count: bytes.count, checksum: slowChecksum(bytes),
        isDeflated: false))
  }

  /// The archive as a file.
  var file: [UInt8] {
    var (file, directory): ([UInt8], [UInt8]) = ([], [])
    for record in records {
      let header = file.count
      let common =
        little(20, 2) + little(Int(record.flags), 2) + little(record.isDeflated ? 8 : 0, 2)
        + little(0, 4) + little(Int(record.checksum), 4) + little(record.bytes.count, 4)
        + little(record.count, 4) + little(record.name.utf8.count, 2) + little(0, 2)
      file += Array("PK\u{3}\u{4}".utf8) + common + Array(record.name.utf8) + record.bytes
      directory +=
        Array("PK\u{1}\u{2}".utf8) + little(20, 2) + common + little(0, 10) + little(header, 4)
        + Array(record.name.utf8)
    }
    let place = file.count
    return file + directory + Array("PK\u{5}\u{6}".utf8) + little(0, 4) + little(records.count, 2)
      + little(records.count, 2) + little(directory.count, 4) + little(place, 4) + little(0, 2)
  }

  private func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 }
  }
}

/// CRC-32, bit by bit.
func slowChecksum(_ bytes: [UInt8]) -> UInt32 {
  var sum: UInt32 = 0xFFFF_FFFF
  for byte in bytes {
    sum ^= UInt32(byte)
    for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
  }
  return ~sum
}

extension [UInt8] {
  /// The same with the first `old` in the place of it turned into `new`.
  func replacing(_ old: [UInt8], by new: [UInt8]) -> [UInt8] {
    for start in indices where self[start...].starts(with: old) {
      return Array(self[..<start]) + new + Array(self[(start + old.count)...])
    }
    return self
  }

  /// The same with text in the place of text.
  func replacing(_ old: String, by new: String) -> [UInt8] {
    replacing(Array(old.utf8), by: Array(new.utf8))
  }
}
