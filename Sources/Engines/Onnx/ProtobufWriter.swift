// SPDX-License-Identifier: Apache-2.0

/// Writes the fields of one message of a protocol buffer.
package struct ProtobufWriter {
  /// The message so far.
  package private(set) var bytes: [UInt8] = []

  /// An empty message.
  package init() {}

  /// A number of an enumeration or an integer field.
  package mutating func write(_ number: Int, as field: Int) {
    varint(UInt64(field) << 3)
    varint(UInt64(bitPattern: Int64(number)))
  }

  /// A single-precision number.
  package mutating func write(_ number: Float, as field: Int) {
    varint(UInt64(field) << 3 | 5)
    withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// A run of bytes: a text, a message, packed numbers.
  package mutating func write(_ run: some Collection<UInt8>, as field: Int) {
    varint(UInt64(field) << 3 | 2)
    varint(UInt64(run.count))
    bytes.append(contentsOf: run)
  }

  /// A text.
  package mutating func write(_ text: String, as field: Int) { write(text.utf8, as: field) }

  /// A message inside this one.
  package mutating func write(_ message: ProtobufWriter, as field: Int) {
    write(message.bytes, as: field)
  }

  /// A field as it is in another message, its key included.
  mutating func write(raw field: ArraySlice<UInt8>) { bytes.append(contentsOf: field) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
