// SPDX-License-Identifier: Apache-2.0
internal import CTorch

// Element by element. Sizes of one stretch; integers stay integers but in divisions, and unless a
// scalar is a fraction.
extension Tensor {
  public static func + (lhs: Tensor, rhs: Tensor) throws(TensorError) -> Tensor {
    try lhs.combined(ct_add, rhs)
  }

  public static func - (lhs: Tensor, rhs: Tensor) throws(TensorError) -> Tensor {
    try lhs.combined(ct_subtract, rhs)
  }

  public static func * (lhs: Tensor, rhs: Tensor) throws(TensorError) -> Tensor {
    try lhs.combined(ct_multiply, rhs)
  }

  /// The quotient; that of integers is float32.
  public static func / (lhs: Tensor, rhs: Tensor) throws(TensorError) -> Tensor {
    try lhs.combined(ct_divide, rhs)
  }

  public static func + (lhs: Tensor, rhs: Float) throws(TensorError) -> Tensor {
    try lhs.combined(ct_add, rhs)
  }

  public static func - (lhs: Tensor, rhs: Float) throws(TensorError) -> Tensor {
    try lhs.combined(ct_subtract, rhs)
  }

  public static func * (lhs: Tensor, rhs: Float) throws(TensorError) -> Tensor {
    try lhs.combined(ct_multiply, rhs)
  }

  public static func / (lhs: Tensor, rhs: Float) throws(TensorError) -> Tensor {
    try lhs.combined(ct_divide, rhs)
  }

  public static func + (lhs: Float, rhs: Tensor) throws(TensorError) -> Tensor {
    try rhs.combined(lhs, ct_add)
  }

  public static func - (lhs: Float, rhs: Tensor) throws(TensorError) -> Tensor {
    try rhs.combined(lhs, ct_subtract)
  }

  public static func * (lhs: Float, rhs: Tensor) throws(TensorError) -> Tensor {
    try rhs.combined(lhs, ct_multiply)
  }

  public static func / (lhs: Float, rhs: Tensor) throws(TensorError) -> Tensor {
    try rhs.combined(lhs, ct_divide)
  }

  public static prefix func - (operand: Tensor) throws(TensorError) -> Tensor {
    try operand.mapped(ct_negate)
  }

  /// Each element to the power of `exponent`.
  public func power(_ exponent: Float) throws(TensorError) -> Tensor {
    try combined(ct_power, exponent)
  }

  /// Each element to the power of the other's.
  public func power(_ exponent: Tensor) throws(TensorError) -> Tensor {
    try combined(ct_power, exponent)
  }

  /// The larger of each two elements.
  public func maximum(_ other: Tensor) throws(TensorError) -> Tensor {
    try combined(ct_maximum, other)
  }

  /// The smaller of each two elements.
  public func minimum(_ other: Tensor) throws(TensorError) -> Tensor {
    try combined(ct_minimum, other)
  }

  /// The matrix product of the last two axes; axes before them stretch.
  public func matmul(_ other: Tensor) throws(TensorError) -> Tensor {
    try shim { ct_matmul(handle, other.handle, &$0, &$1) }
  }
}

extension Tensor {
  public func exp() throws(TensorError) -> Tensor { try mapped(ct_exp) }
  /// The natural logarithm.
  public func log() throws(TensorError) -> Tensor { try mapped(ct_log) }
  public func sqrt() throws(TensorError) -> Tensor { try mapped(ct_sqrt) }
  public func abs() throws(TensorError) -> Tensor { try mapped(ct_abs) }
  public func relu() throws(TensorError) -> Tensor { try mapped(ct_relu) }
  public func sigmoid() throws(TensorError) -> Tensor { try mapped(ct_sigmoid) }
  public func tanh() throws(TensorError) -> Tensor { try mapped(ct_tanh) }

  /// Negative elements times `slope`, the others as they are.
  public func leakyRelu(slope: Float = 0.01) throws(TensorError) -> Tensor {
    try shim { ct_leaky_relu(handle, Double(slope), &$0, &$1) }
  }

  /// Each element, brought into `range`.
  public func clamped(to range: ClosedRange<Float>) throws(TensorError) -> Tensor {
    try shim {
      ct_clamp(handle, Double(range.lowerBound), Double(range.upperBound), &$0, &$1)
    }
  }

  /// Exponentials along `axis`, divided by their sum.
  public func softmax(axis: Int) throws(TensorError) -> Tensor {
    try shim { ct_softmax(handle, Int64(axis), 0, &$0, &$1) }
  }

  /// The logarithm of `softmax`, computed without taking any of zero.
  public func logSoftmax(axis: Int) throws(TensorError) -> Tensor {
    try shim { ct_softmax(handle, Int64(axis), 1, &$0, &$1) }
  }
}

extension Tensor {
  func mapped(
    _ kind: ct_unary_kind, _ operation: StaticString = #function
  ) throws(TensorError) -> Tensor {
    try shim(operation) { ct_unary(kind, handle, &$0, &$1) }
  }

  func combined(
    _ kind: ct_binary_kind, _ other: Tensor, _ operation: StaticString = #function
  ) throws(TensorError) -> Tensor {
    try shim(operation) { ct_binary(kind, handle, other.handle, &$0, &$1) }
  }

  func combined(
    _ kind: ct_binary_kind, _ other: Float, _ operation: StaticString = #function
  ) throws(TensorError) -> Tensor {
    try shim(operation) { ct_binary_scalar(kind, handle, Double(other), &$0, &$1) }
  }

  /// With the scalar on the left.
  func combined(
    _ other: Float, _ kind: ct_binary_kind, _ operation: StaticString = #function
  ) throws(TensorError) -> Tensor {
    try shim(operation) { ct_scalar_binary(kind, Double(other), handle, &$0, &$1) }
  }
}
