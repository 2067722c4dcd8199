// SPDX-License-Identifier: Apache-2.0
internal import CTorch

// Element by element. Sizes of one stretch; integers stay integers but in divisions, and unless a
// scalar is a fraction.
extension Tensor {
  /// The sum of each two elements.
  public static func + (lhs: Tensor, rhs: Tensor) throws(TensorError) -> Tensor {
    try lhs.combined(ct_add, rhs)
  }

  /// The difference of each two elements.
  public static func - (lhs: Tensor, rhs: Tensor) throws(TensorError) -> Tensor {
    try lhs.combined(ct_subtract, rhs)
  }

  /// The product of each two elements; for the matrix product there is `matmul`.
  public static func * (lhs: Tensor, rhs: Tensor) throws(TensorError) -> Tensor {
    try lhs.combined(ct_multiply, rhs)
  }

  /// The quotient; that of integers is float32.
  public static func / (lhs: Tensor, rhs: Tensor) throws(TensorError) -> Tensor {
    try lhs.combined(ct_divide, rhs)
  }

  /// Each element plus the number.
  public static func + (lhs: Tensor, rhs: Float) throws(TensorError) -> Tensor {
    try lhs.combined(ct_add, rhs)
  }

  /// Each element minus the number.
  public static func - (lhs: Tensor, rhs: Float) throws(TensorError) -> Tensor {
    try lhs.combined(ct_subtract, rhs)
  }

  /// Each element times the number.
  public static func * (lhs: Tensor, rhs: Float) throws(TensorError) -> Tensor {
    try lhs.combined(ct_multiply, rhs)
  }

  /// Each element divided by the number; float32 where the elements are integers.
  public static func / (lhs: Tensor, rhs: Float) throws(TensorError) -> Tensor {
    try lhs.combined(ct_divide, rhs)
  }

  /// The number plus each element.
  public static func + (lhs: Float, rhs: Tensor) throws(TensorError) -> Tensor {
    try rhs.combined(lhs, ct_add)
  }

  /// The number minus each element.
  public static func - (lhs: Float, rhs: Tensor) throws(TensorError) -> Tensor {
    try rhs.combined(lhs, ct_subtract)
  }

  /// The number times each element.
  public static func * (lhs: Float, rhs: Tensor) throws(TensorError) -> Tensor {
    try rhs.combined(lhs, ct_multiply)
  }

  /// The number divided by each element; float32 where the elements are integers.
  public static func / (lhs: Float, rhs: Tensor) throws(TensorError) -> Tensor {
    try rhs.combined(lhs, ct_divide)
  }

  /// Each element with its sign changed.
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

  /// The n × m matrix X for which (self + `ridge` · 1) · X = `product`, where self is n × n and the
  /// sum symmetric and positive definite, as a matrix's square and a ridge above 0 are.
  ///
  /// - Throws: where it is not.
  public func solved(
    for product: Tensor, ridge: Double = 0
  ) throws(TensorError) -> Tensor {
    try shim { ct_solve(handle, product.handle, ridge, &$0, &$1) }
  }
}

extension Tensor {
  /// Euler's number to the power of each element.
  public func exp() throws(TensorError) -> Tensor { try mapped(ct_exp) }
  /// The natural logarithm.
  public func log() throws(TensorError) -> Tensor { try mapped(ct_log) }
  /// The square root of each element; not a number where it is negative.
  public func sqrt() throws(TensorError) -> Tensor { try mapped(ct_sqrt) }
  /// Each element without its sign.
  public func abs() throws(TensorError) -> Tensor { try mapped(ct_abs) }
  /// Each element, with zero in place of negative ones.
  public func relu() throws(TensorError) -> Tensor { try mapped(ct_relu) }
  /// The logistic function `1 / (1 + exp(-x))` of each element, between 0 and 1.
  public func sigmoid() throws(TensorError) -> Tensor { try mapped(ct_sigmoid) }
  /// The hyperbolic tangent of each element, between -1 and 1.
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
