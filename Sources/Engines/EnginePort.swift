// SPDX-License-Identifier: Apache-2.0
internal import CEngines

/// An input or an output of a model.
public struct EnginePort: Sendable, Hashable {
  /// What the model calls it.
  public let name: String
  /// How its elements are stored; nil for what is no tensor of numbers.
  public let type: EngineElementType?
  /// The size of each axis, nil for any; nil where not even the number of axes is known.
  public let sizes: [Int?]?

  /// A port with what is known of it.
  public init(name: String, type: EngineElementType?, sizes: [Int?]?) {
    (self.name, self.type, self.sizes) = (name, type, sizes)
  }

  init(_ name: UnsafePointer<CChar>?, _ view: ce_view) {
    self.name = name.map { String(cString: $0) } ?? ""
    type = EngineElementType(rawValue: Int(view.type.rawValue))
    sizes =
      view.rank < 0
      ? nil
      : withUnsafeBytes(of: view.sizes) { bytes in
        bytes.bindMemory(to: Int64.self).prefix(Int(view.rank)).map { $0 < 0 ? nil : Int($0) }
      }
  }
}

extension EnginePort: CustomStringConvertible {
  /// The name, the type and the sizes: `images: float32 1×3×?×?`.
  public var description: String {
    let shape = sizes.map { sizes in
      sizes.isEmpty ? "scalar" : sizes.map { $0.map(String.init) ?? "?" }.joined(separator: "×")
    }
    return "\(name): \(type.map { "\($0)" } ?? "no tensor of numbers") \(shape ?? "of any rank")"
  }
}

/// How an element of a model's input or output is stored, by ONNX's `TensorProto.DataType`.
public enum EngineElementType: Int, Sendable, Hashable, CaseIterable, CustomStringConvertible {
  /// IEEE 754's single precision, and integers without and with a sign.
  case float32 = 1, uint8 = 2, int8 = 3, uint16 = 4, int16 = 5, int32 = 6, int64 = 7
  /// A byte that is 0 or 1.
  case bool = 9
  /// IEEE 754's half and double precision.
  case float16 = 10, float64 = 11
  /// Wider integers without a sign.
  case uint32 = 12, uint64 = 13
  /// Half precision with eight bits of exponent.
  case bfloat16 = 16

  /// The name as messages write it: `float32`.
  public var description: String {
    switch self {
    case .float32: "float32"
    case .uint8: "uint8"
    case .int8: "int8"
    case .uint16: "uint16"
    case .int16: "int16"
    case .int32: "int32"
    case .int64: "int64"
    case .bool: "bool"
    case .float16: "float16"
    case .float64: "float64"
    case .uint32: "uint32"
    case .uint64: "uint64"
    case .bfloat16: "bfloat16"
    }
  }

  /// Bytes that an element takes.
  public var byteCount: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .float32, .int32, .uint32: 4
    case .int64, .float64, .uint64: 8
    }
  }

  var code: ce_type { ce_type(rawValue: ce_type.RawValue(rawValue)) }
}
