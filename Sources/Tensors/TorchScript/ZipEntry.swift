// SPDX-License-Identifier: Apache-2.0

/// What a zip archive's central directory says of one record.
struct ZipEntry {
  let name: String
  let checksum: UInt32
  let isDeflated: Bool
  /// Bytes in the file, and once inflated.
  let stored: Int, count: Int
  /// Where its local header is.
  let header: Int

  private static let longestName = 1024

  init(_ reader: inout ByteReader) throws(ArchiveFault) {
    guard try reader.integer(UInt32.self) == 0x0201_4B50 else {
      throw ArchiveFault(nil, "its directory is damaged")
    }
    reader.skip(4)
    let (flags, method) = (try reader.integer(UInt16.self), try reader.integer(UInt16.self))
    reader.skip(4)
    checksum = try reader.integer(UInt32.self)
    var sizes = [
      UInt64(try reader.integer(UInt32.self)), UInt64(try reader.integer(UInt32.self)),
    ]
    let nameCount = Int(try reader.integer(UInt16.self))
    let extraCount = Int(try reader.integer(UInt16.self))
    let commentCount = Int(try reader.integer(UInt16.self))
    reader.skip(8)
    var place = UInt64(try reader.integer(UInt32.self))
    name = try Self.name(reader.bytes(nameCount))
    let extra = try reader.bytes(extraCount)
    try Self.widen(&sizes, &place, by: extra, of: name)
    _ = try reader.bytes(commentCount)
    guard flags & 0x2041 == 0, method == 0 || method == 8 else {
      throw ArchiveFault(name, "is encrypted, or packed in a way that PyTorch does not use")
    }
    guard let stored = Int(exactly: sizes[0]), let count = Int(exactly: sizes[1]),
      let header = Int(exactly: place)
    else { throw ArchiveFault(name, "has an impossible size") }
    (isDeflated, self.stored, self.count, self.header) = (method == 8, stored, count, header)
  }

  private static func name(_ bytes: [UInt8]) throws(ArchiveFault) -> String {
    guard let name = String(validating: bytes, as: UTF8.self), !name.isEmpty,
      bytes.count <= longestName, bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
    else { throw ArchiveFault(nil, "a record has a name that cannot be one") }
    return name
  }

  /// Sizes and places of 32 bits that are full stand in the extra field, 64 bits wide.
  private static func widen(
    _ sizes: inout [UInt64], _ place: inout UInt64, by extra: [UInt8], of name: String
  ) throws(ArchiveFault) {
    let full = UInt64(UInt32.max)
    guard sizes.contains(full) || place == full else { return }
    var fields = ByteReader(extra)
    while !fields.isAtEnd {
      let (kind, count) = (try fields.integer(UInt16.self), try fields.integer(UInt16.self))
      let bytes = try fields.bytes(Int(count))
      guard kind == 1 else { continue }
      var field = ByteReader(bytes)
      if sizes[1] == full { sizes[1] = try field.integer(UInt64.self) }
      if sizes[0] == full { sizes[0] = try field.integer(UInt64.self) }
      if place == full { place = try field.integer(UInt64.self) }
      return
    }
    throw ArchiveFault(name, "has an impossible size")
  }
}

/// The end of a zip archive: where its central directory is.
struct ZipEnd {
  let records: Int
  let directory: Range<Int>

  init(of input: borrowing ArchiveInput) throws(ArchiveFault) {
    let tail = input.count - 22
    guard tail >= 0 else { throw ArchiveFault(nil, "it is too short for a zip archive") }
    let bytes = try input.bytes(at: tail, count: 22)
    var reader = ByteReader(bytes)
    guard try reader.integer(UInt32.self) == 0x0605_4B50 else {
      throw ArchiveFault(nil, "its end is missing, or something stands behind it")
    }
    let disks = try reader.integer(UInt32.self)
    let (here, all) = (try reader.integer(UInt16.self), try reader.integer(UInt16.self))
    let (size, place) = (try reader.integer(UInt32.self), try reader.integer(UInt32.self))
    guard disks == 0, here == all, try reader.integer(UInt16.self) == 0 else {
      throw ArchiveFault(nil, "its end is damaged, or something stands behind it")
    }
    let short = Counts(records: UInt64(all), size: UInt64(size), place: UInt64(place))
    let (wide, start) = try Self.wide(before: tail, of: input) ?? (short, tail)
    guard short.fits(wide), let records = Int(exactly: wide.records),
      let size = Int(exactly: wide.size), let place = Int(exactly: wide.place),
      place <= start, start - place == size
    else { throw ArchiveFault(nil, "its directory is not where its end says") }
    (self.records, directory) = (records, place..<start)
  }

  private struct Counts {
    var records: UInt64, size: UInt64, place: UInt64

    /// Whether these, of fewer bits, say the same: a number that is full says nothing.
    func fits(_ wide: Counts) -> Bool {
      (records == wide.records || records == UInt64(UInt16.max))
        && (size == wide.size || size == UInt64(UInt32.max))
        && (place == wide.place || place == UInt64(UInt32.max))
    }
  }

  /// What the record for large archives says, where there is one, and where it begins.
  private static func wide(
    before tail: Int, of input: borrowing ArchiveInput
  ) throws(ArchiveFault) -> (Counts, start: Int)? {
    guard tail >= 76 else { return nil }
    var locator = ByteReader(try input.bytes(at: tail - 20, count: 20))
    guard try locator.integer(UInt32.self) == 0x0706_4B50 else { return nil }
    locator.skip(4)
    let start = tail - 76
    guard try locator.integer(UInt64.self) == UInt64(start) else {
      throw ArchiveFault(nil, "its end is damaged")
    }
    var reader = ByteReader(try input.bytes(at: start, count: 56))
    let signature = try reader.integer(UInt32.self)
    reader.skip(20)
    let here = try reader.integer(UInt64.self)
    let counts = Counts(
      records: try reader.integer(UInt64.self), size: try reader.integer(UInt64.self),
      place: try reader.integer(UInt64.self))
    guard signature == 0x0606_4B50, here == counts.records else {
      throw ArchiveFault(nil, "its end is damaged")
    }
    return (counts, start)
  }
}

/// Little-endian numbers, one after the other.
struct ByteReader {
  private let all: [UInt8]
  private(set) var position = 0

  init(_ bytes: [UInt8]) { all = bytes }

  var isAtEnd: Bool { position >= all.count }

  mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(
    _: Value.Type
  ) throws(ArchiveFault) -> Value {
    var value: Value = 0
    for (shift, byte) in try bytes(MemoryLayout<Value>.size).enumerated() {
      value |= Value(byte) << Value(8 * shift)
    }
    return value
  }

  mutating func bytes(_ count: Int) throws(ArchiveFault) -> [UInt8] {
    guard position <= all.count, count <= all.count - position else {
      throw ArchiveFault(nil, "it ends too soon")
    }
    defer { position += count }
    return Array(all[position..<position + count])
  }

  mutating func skip(_ count: Int) { position += count }
}
