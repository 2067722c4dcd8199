// SPDX-License-Identifier: Apache-2.0

/// The fields of one message of a protocol buffer, one after the other, never beyond its end.
///
/// The wire format alone: a key of field number and wire type, then a number or a counted run of
/// bytes (protobuf.dev, "Encoding"). A run is a slice of the bytes that were read, not a copy.
struct ProtobufReader {
  private let bytes: ArraySlice<UInt8>
  private var place: Int

  /// What is wrong with the bytes: the end of a sentence that begins with the file.
  struct Fault: Error {
    let message: String
  }

  /// One field.
  struct Field {
    let number: Int
    let value: Value
    /// The field as it is in the file, its key included.
    let raw: ArraySlice<UInt8>
  }

  /// What a field holds, by its wire type.
  enum Value {
    case number(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    case bytes(ArraySlice<UInt8>)
  }

  init(_ bytes: ArraySlice<UInt8>) { (self.bytes, place) = (bytes, bytes.startIndex) }

  /// The next field; nil at the end.
  mutating func next() throws(Fault) -> Field? {
    guard place < bytes.endIndex else { return nil }
    let start = place
    let key = try varint()
    let number = Int(key >> 3)
    guard number > 0, number < 1 << 29 else { throw Fault(message: "holds a field of no number") }
    let value: Value
    switch key & 7 {
    case 0: value = .number(try varint())
    case 1: value = .fixed64(try fixed())
    case 2: value = .bytes(try run())
    case 5: value = .fixed32(UInt32(truncatingIfNeeded: try fixed(4)))
    default: throw Fault(message: "holds a field of wire type \(key & 7), which there is not")
    }
    return Field(number: number, value: value, raw: bytes[start..<place])
  }

  private mutating func varint() throws(Fault) -> UInt64 {
    var (value, shift): (UInt64, UInt64) = (0, 0)
    while place < bytes.endIndex, shift < 64 {
      let byte = bytes[place]
      place += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw Fault(message: shift < 64 ? "ends in the middle of a number" : "holds an endless number")
  }

  private mutating func fixed(_ count: Int = 8) throws(Fault) -> UInt64 {
    guard count <= bytes.endIndex - place else {
      throw Fault(message: "ends in the middle of a number")
    }
    var value: UInt64 = 0
    for offset in 0..<count { value |= UInt64(bytes[place + offset]) << UInt64(8 * offset) }
    place += count
    return value
  }

  private mutating func run() throws(Fault) -> ArraySlice<UInt8> {
    let count = try varint()
    guard count <= UInt64(bytes.endIndex - place) else {
      throw Fault(message: "claims \(count) bytes where \(bytes.endIndex - place) are left")
    }
    let end = place + Int(count)
    defer { place = end }
    return bytes[place..<end]
  }
}

extension ProtobufReader.Field {
  /// The run of bytes that is wanted here.
  func run() throws(ProtobufReader.Fault) -> ArraySlice<UInt8> {
    guard case .bytes(let run) = value else {
      throw ProtobufReader.Fault(message: "holds a number in field \(number), where bytes belong")
    }
    return run
  }

  /// The text that is wanted here; what is not UTF-8 is replaced.
  func text() throws(ProtobufReader.Fault) -> String { String(decoding: try run(), as: UTF8.self) }

  /// The number that is wanted here.
  func integer() throws(ProtobufReader.Fault) -> Int {
    guard case .number(let number) = value else {
      throw ProtobufReader.Fault(message: "holds no number in field \(self.number)")
    }
    return Int(Int64(bitPattern: number))
  }

  /// The numbers of a repeated field, which may be packed into one run or come one by one.
  func integers() throws(ProtobufReader.Fault) -> [Int] {
    guard case .bytes(let run) = value else { return [try integer()] }
    var (numbers, reader) = ([Int](), ProtobufReader(run))
    while let number = try reader.packed() { numbers.append(number) }
    return numbers
  }
}

extension ProtobufReader {
  fileprivate mutating func packed() throws(Fault) -> Int? {
    guard place < bytes.endIndex else { return nil }
    return Int(Int64(bitPattern: try varint()))
  }
}
