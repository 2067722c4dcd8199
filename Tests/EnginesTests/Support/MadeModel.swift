// SPDX-License-Identifier: Apache-2.0

/// An ONNX model of one operator, written by hand after onnx.proto: what a file says of itself can
/// be anything.
struct MadeModel {
  var input: [Int] = [1, 3, 32, 48]
  var outputs: [[Int]]
  var metadata: [String: String] = [:]
  var node = "Identity"

  /// The file.
  var bytes: [UInt8] {
    var graph = Self.field(1, Self.text(1, "x") + Self.text(2, "y0") + Self.text(4, node))
    graph += Self.field(11, Self.port("x", input))
    for (index, sizes) in outputs.enumerated() {
      graph += Self.field(12, Self.port("y\(index)", sizes))
    }
    var model = Self.number(1, 8) + Self.field(7, graph) + Self.field(8, Self.number(2, 17))
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      model += Self.field(14, Self.text(1, key) + Self.text(2, value))
    }
    return model
  }

  /// A `ValueInfoProto` of a tensor of single precision; sizes below 1 are any.
  private static func port(_ name: String, _ sizes: [Int]) -> [UInt8] {
    let axes = sizes.flatMap { field(1, $0 > 0 ? number(1, $0) : text(2, "any")) }
    return text(1, name) + field(2, field(1, number(1, 1) + field(2, axes)))
  }

  private static func field(_ number: Int, _ content: [UInt8]) -> [UInt8] {
    varint(number << 3 | 2) + varint(content.count) + content
  }

  private static func text(_ number: Int, _ text: String) -> [UInt8] {
    field(number, Array(text.utf8))
  }

  private static func number(_ number: Int, _ value: Int) -> [UInt8] {
    varint(number << 3) + varint(value)
  }

  private static func varint(_ value: Int) -> [UInt8] {
    value < 128 ? [UInt8(value)] : [UInt8(value & 127 | 128)] + varint(value >> 7)
  }
}
