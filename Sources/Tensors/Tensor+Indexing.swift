// SPDX-License-Identifier: Apache-2.0
internal import CTorch

extension Tensor {
  /// The part of an axis from the range's lower bound on, every `step`th element.
  ///
  /// - Throws: `.badArgument` where the range leaves the axis.
  public func slice(
    axis: Int, _ range: Range<Int>, step: Int = 1
  ) throws(TensorError) -> Tensor {
    try shim {
      ct_slice(
        handle, Int64(axis), Int64(range.lowerBound), Int64(range.upperBound), Int64(step), &$0, &$1
      )
    }
  }

  /// One place of an axis, which goes.
  public func select(axis: Int, index: Int) throws(TensorError) -> Tensor {
    try shim { ct_select(handle, Int64(axis), Int64(index), &$0, &$1) }
  }

  /// The places of an axis that `indices` (int64, one axis) names, in its order.
  public func select(axis: Int, indices: Tensor) throws(TensorError) -> Tensor {
    try shim { ct_index_select(handle, Int64(axis), indices.handle, &$0, &$1) }
  }

  /// For each element of `indices` (int64), the element at that place along `axis`.
  public func gather(axis: Int, indices: Tensor) throws(TensorError) -> Tensor {
    try shim { ct_gather(handle, Int64(axis), indices.handle, &$0, &$1) }
  }

  /// The same elements, each of `values` added at the place along `axis` that `indices` names.
  public func scatterAdding(
    _ values: Tensor, axis: Int, indices: Tensor
  ) throws(TensorError) -> Tensor {
    try shim { ct_scatter_add(handle, Int64(axis), indices.handle, values.handle, &$0, &$1) }
  }

  /// Class numbers (int64) as rows of zeros with a one, on a new last axis; int64.
  public func oneHot(classes: Int) throws(TensorError) -> Tensor {
    try shim { ct_one_hot(handle, Int64(classes), &$0, &$1) }
  }
}
