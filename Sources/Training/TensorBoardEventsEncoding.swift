// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// One `tensorflow.Event` (tensorflow/core/util/event.proto), as far as it is needed here.
struct Event {
  private var message = ProtobufMessage()

  init(step: Int, at now: Date) {
    message.add(1, double: now.timeIntervalSince1970)
    message.add(2, integer: step)
  }

  mutating func setVersion() { message.add(3, bytes: Array("brain.Event:2".utf8)) }

  /// `SessionLog.START`, at which readers forget later steps of earlier files.
  mutating func setSessionStart() {
    var session = ProtobufMessage()
    session.add(1, integer: 1)
    message.add(7, bytes: session.bytes)
  }

  mutating func setScalars(_ scalars: [(tag: String, value: Float)]) {
    var summary = ProtobufMessage()
    for scalar in scalars {
      var value = ProtobufMessage()
      value.add(1, bytes: Array(scalar.tag.utf8))
      value.add(2, float: scalar.value)
      summary.add(1, bytes: value.bytes)
    }
    message.add(5, bytes: summary.bytes)
  }

  mutating func setImage(_ png: [UInt8], tag: String, width: Int, height: Int) {
    var (summary, value, image) = (ProtobufMessage(), ProtobufMessage(), ProtobufMessage())
    image.add(1, integer: height)
    image.add(2, integer: width)
    image.add(3, integer: 3)  // red, green, blue
    image.add(4, bytes: png)
    value.add(1, bytes: Array(tag.utf8))
    value.add(4, bytes: image.bytes)
    summary.add(1, bytes: value.bytes)
    message.add(5, bytes: summary.bytes)
  }

  /// The event as a TFRecord: its length, that length's checksum, itself, its checksum.
  var record: [UInt8] {
    let length = littleEndian(UInt64(message.bytes.count))
    return length + littleEndian(maskedChecksum(length)) + message.bytes
      + littleEndian(maskedChecksum(message.bytes))
  }
}

/// The bytes of a protocol buffer, field by field.
private struct ProtobufMessage {
  private(set) var bytes: [UInt8] = []

  private enum WireType: UInt64 { case varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 }

  mutating func add(_ field: UInt64, integer: Int) {
    begin(field, .varint)
    addVarint(UInt64(bitPattern: Int64(integer)))
  }

  mutating func add(_ field: UInt64, double: Double) {
    begin(field, .fixed64)
    bytes += littleEndian(double.bitPattern)
  }

  mutating func add(_ field: UInt64, float: Float) {
    begin(field, .fixed32)
    bytes += littleEndian(float.bitPattern)
  }

  mutating func add(_ field: UInt64, bytes content: [UInt8]) {
    begin(field, .bytes)
    addVarint(UInt64(content.count))
    bytes += content
  }

  private mutating func begin(_ field: UInt64, _ type: WireType) {
    addVarint(field << 3 | type.rawValue)
  }

  private mutating func addVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// CRC-32C, turned and shifted as TFRecords want it, so that a record may hold records.
private func maskedChecksum(_ bytes: [UInt8]) -> UInt32 {
  let sum = ~bytes.reduce(UInt32.max) { sum, byte in
    checksumTable[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ (sum >> 8)
  }
  return (sum >> 15 | sum << 17) &+ 0xA282_EAD8
}

/// The remainders of all bytes modulo Castagnoli's polynomial, bits back to front.
private let checksumTable: [UInt32] = (0..<256).map { byte in
  (0..<8).reduce(UInt32(byte)) { rest, _ in rest >> 1 ^ (rest & 1 == 0 ? 0 : 0x82F6_3B78) }
}
