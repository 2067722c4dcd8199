// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// How one element of a tensor is stored.
public enum ElementType: String, Sendable, Hashable, CaseIterable {
  /// IEEE 754's single and half precision, half with eight bits of exponent, and whole numbers.
  case float32, float16, bfloat16, uint8, int64

  /// Bytes an element takes.
  public var byteCount: Int {
    switch self {
    case .uint8: 1
    case .float16, .bfloat16: 2
    case .float32: 4
    case .int64: 8
    }
  }

  /// Whether fractions can be stored, and gradients can flow.
  public var isFloatingPoint: Bool { self != .uint8 && self != .int64 }
}

extension ElementType: CustomStringConvertible {
  /// The name as it is written in files and messages, such as `float32`.
  public var description: String { rawValue }
}

extension ElementType {
  var code: ct_type {
    switch self {
    case .float32: ct_float32
    case .float16: ct_float16
    case .bfloat16: ct_bfloat16
    case .uint8: ct_uint8
    case .int64: ct_int64
    }
  }

  init(_ code: ct_type) {
    switch code {
    case ct_float16: self = .float16
    case ct_bfloat16: self = .bfloat16
    case ct_uint8: self = .uint8
    case ct_int64: self = .int64
    default: self = .float32
    }
  }
}
