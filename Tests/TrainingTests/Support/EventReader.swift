// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A field of a protocol buffer; lengths and numbers as they were read.
enum ProtobufValue: Equatable {
  case number(UInt64)
  case eight(UInt64)
  case four(UInt32)
  case bytes([UInt8])

  /// What a message within the message holds.
  var message: [(field: Int, value: ProtobufValue)] {
    guard case .bytes(let bytes) = self else { return [] }
    return (try? fields(of: bytes)) ?? []
  }

  var text: String? {
    guard case .bytes(let bytes) = self else { return nil }
    return String(bytes: bytes, encoding: .utf8)
  }
}

struct Damage: Error {}

/// The payloads of TFRecords, each with its checksums verified bit by bit.
func records(of bytes: [UInt8]) throws -> [[UInt8]] {
  var rest = bytes[...]
  var found: [[UInt8]] = []
  while !rest.isEmpty {
    let header = try take(8, from: &rest)
    guard try number(take(4, from: &rest)) == UInt64(masked(header)) else { throw Damage() }
    let payload = try take(Int(number(header)), from: &rest)
    guard try number(take(4, from: &rest)) == UInt64(masked(payload)) else { throw Damage() }
    found.append(payload)
  }
  return found
}

func fields(of bytes: [UInt8]) throws -> [(field: Int, value: ProtobufValue)] {
  var rest = bytes[...]
  var found: [(field: Int, value: ProtobufValue)] = []
  while !rest.isEmpty {
    let key = try varint(&rest)
    let value: ProtobufValue
    switch key & 7 {
    case 0: value = .number(try varint(&rest))
    case 1: value = .eight(number(try take(8, from: &rest)))
    case 2: value = .bytes(try take(Int(varint(&rest)), from: &rest))
    case 5: value = .four(UInt32(number(try take(4, from: &rest))))
    default: throw Damage()
    }
    found.append((Int(key >> 3), value))
  }
  return found
}

private func take(_ count: Int, from bytes: inout ArraySlice<UInt8>) throws -> [UInt8] {
  guard count <= bytes.count else { throw Damage() }
  defer { bytes = bytes.dropFirst(count) }
  return Array(bytes.prefix(count))
}

private func number(_ bytes: [UInt8]) -> UInt64 {
  bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
}

private func varint(_ bytes: inout ArraySlice<UInt8>) throws -> UInt64 {
  var (value, shift): (UInt64, UInt64) = (0, 0)
  while true {
    let byte = try take(1, from: &bytes)[0]
    value |= UInt64(byte & 0x7F) << shift
    shift += 7
    if byte < 0x80 { return value }
  }
}

/// CRC-32C by long division, most significant bit first, each byte turned round; then the mask.
private func masked(_ bytes: [UInt8]) -> UInt32 {
  var rest = UInt32.max
  for byte in bytes {
    for bit in 0..<8 {
      let top = (rest >> 31) ^ UInt32(byte >> bit & 1)
      rest = rest << 1 ^ (top == 1 ? 0x1EDC_6F41 : 0)
    }
  }
  let turned = (0..<32).reduce(UInt32(0)) { $0 | (rest >> $1 & 1) << (31 - $1) }
  let sum = turned ^ UInt32.max
  return (sum >> 15 | sum << 17) &+ 0xA282_EAD8
}
