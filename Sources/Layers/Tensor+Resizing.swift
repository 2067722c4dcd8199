// SPDX-License-Identifier: Apache-2.0

public import Tensors

extension Tensor {
  /// N × C × H × W, interpolated to the height and width of `other`, half-pixel centres.
  ///
  /// The same tensor where it has that size already.
  public func resized(like other: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor {
    try resized(height: other.shape[2], width: other.shape[3], in: pass)
  }

  /// N × C × H × W, interpolated to another height and width, half-pixel centres.
  public func resized(
    height: Int, width: Int, in pass: ForwardContext
  ) throws(TensorError) -> Tensor {
    if shape[2] == height, shape[3] == width { return self }
    // LibTorch interpolates gradients in single precision only.
    let output = try cast(to: .float32).resizedBilinear(
      height: height, width: width, grid: .halfPixel)
    pass.ledger?.add(macs: 4 * output.count)
    return try output.cast(to: type)
  }
}
