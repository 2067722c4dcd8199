// SPDX-License-Identifier: Apache-2.0

/// A zip archive as PyTorch writes it, checked: every record lies within the file, is none of
/// another's, and has the bytes that were written.
struct ZipArchive: ~Copyable {
  /// One record: what the central directory says of it, and where its bytes are.
  struct Record {
    let name: String
    let checksum: UInt32
    let isDeflated: Bool
    /// The bytes in the file, and where its header begins.
    let range: Range<Int>
    let header: Int
    /// How many bytes it has once it is inflated.
    let count: Int
  }

  /// The folder in the archive that holds all records.
  let folder: String
  /// By name, without the folder.
  let records: [String: Record]
  private let input: ArchiveInput

  private static let mostRecords = 200_000
  private static let longestDirectory = 64 << 20
  /// What a record that is inflated may take; these are programs, and what is said of them.
  static let longestInflated = 32 << 20

  init(_ input: consuming ArchiveInput) throws(ArchiveFault) {
    let end = try ZipEnd(of: input)
    guard end.records <= Self.mostRecords, end.directory.count <= Self.longestDirectory else {
      throw ArchiveFault(nil, "it has more records than can be")
    }
    let directory = try input.bytes(at: end.directory.lowerBound, count: end.directory.count)
    var (reader, found): (ByteReader, [Record]) = (ByteReader(directory), [])
    for _ in 0..<end.records {
      found.append(try ZipArchive.record(&reader, before: end.directory.lowerBound, of: input))
    }
    guard reader.isAtEnd else { throw ArchiveFault(nil, "its directory is longer than it says") }
    try ZipArchive.checkOverlap(found)
    (folder, records) = try ZipArchive.named(found)
    self.input = input
  }

  /// The bytes of a record, inflated where need be, and checked against its CRC-32.
  func bytes(of record: Record, limit: Int) throws(ArchiveFault) -> [UInt8] {
    guard record.count <= limit else {
      throw ArchiveFault(record.name, "is larger than \(limit) bytes")
    }
    let stored = try input.bytes(at: record.range.lowerBound, count: record.range.count)
    guard record.isDeflated else { return try checked(stored, record) }
    guard let bytes = inflated(stored, count: record.count) else {
      throw ArchiveFault(record.name, "is damaged: it cannot be inflated")
    }
    return try checked(bytes, record)
  }

  private func checked(_ bytes: [UInt8], _ record: Record) throws(ArchiveFault) -> [UInt8] {
    guard crc32(bytes) == record.checksum else { throw Self.damage(of: record) }
    return bytes
  }

  /// Checks a record's CRC-32 without keeping its bytes.
  func check(_ record: Record) throws(ArchiveFault) {
    guard !record.isDeflated else {
      _ = try bytes(of: record, limit: Self.longestInflated)
      return
    }
    let sum = try input.checksum(at: record.range.lowerBound, count: record.range.count)
    guard sum == record.checksum else { throw Self.damage(of: record) }
  }

  private static func damage(of record: Record) -> ArchiveFault {
    ArchiveFault(record.name, "is damaged: its bytes do not have its CRC-32")
  }
}

// The central directory.
extension ZipArchive {
  private static func record(
    _ reader: inout ByteReader, before directory: Int, of input: borrowing ArchiveInput
  ) throws(ArchiveFault) -> Record {
    let entry = try ZipEntry(&reader)
    let local = try input.bytes(at: entry.header, count: 30)
    var head = ByteReader(local)
    let signature = try head.integer(UInt32.self)
    head.skip(4)
    let method = try head.integer(UInt16.self)
    head.skip(16)
    let (name, extra) = (try head.integer(UInt16.self), try head.integer(UInt16.self))
    let start = entry.header + 30 + Int(name) + Int(extra)
    guard signature == 0x0403_4B50, method == (entry.isDeflated ? 8 : 0),
      Int(name) == entry.name.utf8.count,
      try input.bytes(at: entry.header + 30, count: Int(name)) == Array(entry.name.utf8)
    else { throw ArchiveFault(entry.name, "is not where the directory says") }
    guard start <= directory, entry.stored <= directory - start else {
      throw ArchiveFault(entry.name, "ends beyond the archive's records")
    }
    guard entry.isDeflated || entry.stored == entry.count else {
      throw ArchiveFault(entry.name, "has two sizes")
    }
    return Record(
      name: entry.name, checksum: entry.checksum, isDeflated: entry.isDeflated,
      range: start..<start + entry.stored, header: entry.header, count: entry.count)
  }

  private static func checkOverlap(_ records: [Record]) throws(ArchiveFault) {
    var end = 0
    for record in records.sorted(by: { $0.header < $1.header }) {
      guard record.header >= end else {
        throw ArchiveFault(record.name, "overlaps the record before it")
      }
      end = record.range.upperBound
    }
  }

  /// LibTorch takes the folder of the first record, and does not tell capitals from small letters.
  private static func named(
    _ found: [Record]
  ) throws(ArchiveFault) -> (folder: String, records: [String: Record]) {
    guard let first = found.first?.name, let slash = first.firstIndex(of: "/") else {
      throw ArchiveFault(nil, "its records lie in no folder")
    }
    let prefix = first[...slash]
    var (records, seen): ([String: Record], Set<String>) = ([:], [])
    for record in found {
      guard record.name.hasPrefix(prefix) else {
        throw ArchiveFault(record.name, "lies outside the folder of the others")
      }
      guard seen.insert(record.name.lowercased()).inserted else {
        throw ArchiveFault(record.name, "is there twice")
      }
      records[String(record.name.dropFirst(prefix.count))] = record
    }
    return (String(first[..<slash]), records)
  }
}
