// SPDX-License-Identifier: Apache-2.0
internal import CTorch

// Masks are uint8: 1 where something holds, 0 where not. Any element but 0 counts as holding.
extension Tensor {
  /// Where the elements are equal, as a mask.
  public func equal(to other: Tensor) throws(TensorError) -> Tensor {
    try combined(ct_equal, other)
  }

  /// Where the elements are equal to a number, as a mask.
  public func equal(to other: Float) throws(TensorError) -> Tensor {
    try combined(ct_equal, other)
  }

  /// Where the elements differ, as a mask.
  public func notEqual(to other: Tensor) throws(TensorError) -> Tensor {
    try combined(ct_not_equal, other)
  }

  /// Where the elements differ from a number, as a mask.
  public func notEqual(to other: Float) throws(TensorError) -> Tensor {
    try combined(ct_not_equal, other)
  }

  /// Where the left element is the smaller, as a mask.
  public static func .< (lhs: Tensor, rhs: Tensor) throws(TensorError) -> Tensor {
    try lhs.combined(ct_less, rhs)
  }

  /// Where the element is below the number, as a mask.
  public static func .< (lhs: Tensor, rhs: Float) throws(TensorError) -> Tensor {
    try lhs.combined(ct_less, rhs)
  }

  /// Where the left element is at most the right one, as a mask.
  public static func .<= (lhs: Tensor, rhs: Tensor) throws(TensorError) -> Tensor {
    try lhs.combined(ct_less_or_equal, rhs)
  }

  /// Where the element is at most the number, as a mask.
  public static func .<= (lhs: Tensor, rhs: Float) throws(TensorError) -> Tensor {
    try lhs.combined(ct_less_or_equal, rhs)
  }

  /// Where the left element is the larger, as a mask.
  public static func .> (lhs: Tensor, rhs: Tensor) throws(TensorError) -> Tensor {
    try lhs.combined(ct_greater, rhs)
  }

  /// Where the element is above the number, as a mask.
  public static func .> (lhs: Tensor, rhs: Float) throws(TensorError) -> Tensor {
    try lhs.combined(ct_greater, rhs)
  }

  /// Where the left element is at least the right one, as a mask.
  public static func .>= (lhs: Tensor, rhs: Tensor) throws(TensorError) -> Tensor {
    try lhs.combined(ct_greater_or_equal, rhs)
  }

  /// Where the element is at least the number, as a mask.
  public static func .>= (lhs: Tensor, rhs: Float) throws(TensorError) -> Tensor {
    try lhs.combined(ct_greater_or_equal, rhs)
  }
}

extension Tensor {
  /// The elements of `yes` where `mask` holds, those of `no` where not.
  public static func choose(
    where mask: Tensor, _ yes: Tensor, otherwise no: Tensor
  ) throws(TensorError) -> Tensor {
    try shim { ct_where(mask.handle, yes.handle, no.handle, &$0, &$1) }
  }

  /// The same elements, with `value` where `mask` holds.
  public func filled(with value: Float, where mask: Tensor) throws(TensorError) -> Tensor {
    try shim { ct_masked_fill(handle, mask.handle, Double(value), &$0, &$1) }
  }

  /// The elements where `mask` holds, in order, on one axis.
  public func elements(where mask: Tensor) throws(TensorError) -> Tensor {
    try shim { ct_masked_select(handle, mask.handle, &$0, &$1) }
  }

  /// Whether no element is infinite or not a number.
  public func isFinite() throws(TensorError) -> Bool {
    var answer: Int32 = 0
    try check(#function) { ct_all_finite(handle, &answer, &$0) }
    return answer != 0
  }
}
