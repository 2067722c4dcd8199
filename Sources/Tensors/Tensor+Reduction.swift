// SPDX-License-Identifier: Apache-2.0
internal import CTorch

// Over the axes that are named, or over all where none is. An axis that is reduced goes, or with
// `keepingAxes` stays with size one.
extension Tensor {
  /// The sum of the elements.
  public func sum(axes: [Int] = [], keepingAxes: Bool = false) throws(TensorError) -> Tensor {
    try reduced(ct_sum, axes, keepingAxes)
  }

  /// The mean of the elements, which must be floating-point numbers.
  public func mean(axes: [Int] = [], keepingAxes: Bool = false) throws(TensorError) -> Tensor {
    try reduced(ct_mean, axes, keepingAxes)
  }

  /// The mean square distance from the mean; with `unbiased`, divided by one less than the count.
  public func variance(
    axes: [Int] = [], keepingAxes: Bool = false, unbiased: Bool = false
  ) throws(TensorError) -> Tensor {
    try reduced(unbiased ? ct_sample_variance : ct_variance, axes, keepingAxes)
  }

  /// The largest element.
  public func max(axes: [Int] = [], keepingAxes: Bool = false) throws(TensorError) -> Tensor {
    try reduced(ct_largest, axes, keepingAxes)
  }

  /// The smallest element.
  public func min(axes: [Int] = [], keepingAxes: Bool = false) throws(TensorError) -> Tensor {
    try reduced(ct_smallest, axes, keepingAxes)
  }

  /// The logarithm of the sum of exponentials, without overflow on the way.
  public func logSumExp(axes: [Int] = [], keepingAxes: Bool = false) throws(TensorError) -> Tensor {
    try reduced(ct_log_sum_exp, axes, keepingAxes)
  }

  /// The square root of the sum of squares.
  public func norm(axes: [Int] = [], keepingAxes: Bool = false) throws(TensorError) -> Tensor {
    try reduced(ct_euclidean_norm, axes, keepingAxes)
  }

  /// Where along `axis` the largest element is, int64; the first of several.
  public func argmax(axis: Int, keepingAxis: Bool = false) throws(TensorError) -> Tensor {
    try shim { ct_argmax(handle, Int64(axis), keepingAxis ? 1 : 0, &$0, &$1) }
  }

  /// The `count` largest elements along `axis`, the largest first, and where they are (int64).
  public func largest(
    _ count: Int, axis: Int = -1
  ) throws(TensorError) -> (values: Tensor, indices: Tensor) {
    let results = try shims(capacity: 2) { outs, _, failure in
      ct_topk(handle, Int64(count), Int64(axis), outs, outs?.advanced(by: 1), &failure)
    }
    return (results[0], results[1])
  }

  /// How often each number from 0 up occurs among the elements, at least `classes` of them, int64.
  public func binCount(classes: Int = 0) throws(TensorError) -> Tensor {
    try shim { ct_bincount(handle, Int64(classes), &$0, &$1) }
  }

  private func reduced(
    _ kind: ct_reduction_kind, _ axes: [Int], _ keep: Bool, _ operation: StaticString = #function
  ) throws(TensorError) -> Tensor {
    try shim(operation) {
      ct_reduce(kind, handle, axes.map(Int64.init), axes.count, keep ? 1 : 0, &$0, &$1)
    }
  }
}
