// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// Where the samples of a grid lie: whether cells or their centres are stretched.
public enum GridConvention: Sendable, Hashable {
  /// The outer samples of both grids coincide: position = index · (in - 1) / (out - 1).
  case alignCorners
  /// The outer edges of both grids coincide: position = (index + ½) · in / out - ½.
  case halfPixel
}

/// What lies outside a tensor's height and width.
public enum Padding: Sendable, Hashable {
  /// A number, the same everywhere.
  case constant(Float)
  /// The nearest element.
  case replicate
  /// The elements mirrored at the outermost, which is not repeated.
  case reflect
}

// All of N × C × H × W.
extension Tensor {
  /// Interpolated to another height and width, between the four nearest elements.
  public func resizedBilinear(
    height: Int, width: Int, grid: GridConvention
  ) throws(TensorError) -> Tensor {
    let kind = grid == .alignCorners ? ct_bilinear_align_corners : ct_bilinear_half_pixel
    return try resized(kind, height, width)
  }

  /// Brought to another height and width by repetition: element ⌊index · in / out⌋.
  public func resizedNearest(height: Int, width: Int) throws(TensorError) -> Tensor {
    try resized(ct_nearest, height, width)
  }

  private func resized(
    _ kind: ct_resize_kind, _ height: Int, _ width: Int, _ operation: StaticString = #function
  ) throws(TensorError) -> Tensor {
    let sizes = rank == 4 ? [shape[0], shape[1], height, width] : [height, width]
    _ = try Shape(sizes).count(of: type, for: operation)
    return try shim(operation) {
      ct_resize(kind, handle, Int64(height), Int64(width), &$0, &$1)
    }
  }

  /// Interpolated at the places that `positions` (N × H × W × 2: x, y, from -1 to 1) names.
  public func gridSampled(
    at positions: Tensor, grid: GridConvention, clamping: Bool
  ) throws(TensorError) -> Tensor {
    try shim {
      ct_grid_sample(
        handle, positions.handle, clamping ? 1 : 0, grid == .alignCorners ? 1 : 0, &$0, &$1)
    }
  }

  /// With more rows and columns around.
  public func padded(
    top: Int, bottom: Int, left: Int, right: Int, with padding: Padding = .constant(0)
  ) throws(TensorError) -> Tensor {
    let amounts = [left, right, top, bottom].map(Int64.init)
    let (kind, value) = padding.code
    return try shim { ct_pad(kind, handle, amounts, 4, value, &$0, &$1) }
  }

  /// The largest element under a window; nothing beyond the edge is ever the largest.
  public func maxPool(
    _ size: Extent, stride: Extent, padding: Extent = 0, dilation: Extent = 1
  ) throws(TensorError) -> Tensor {
    let window = ct_window(size: size, stride: stride, padding: padding, dilation: dilation)
    return try shim { ct_pool(ct_pool_largest, handle, window, 0, &$0, &$1) }
  }

  /// The mean under a window; `countingPadding` takes what is beyond the edge for zeros.
  public func averagePool(
    _ size: Extent, stride: Extent, padding: Extent = 0, countingPadding: Bool = true
  ) throws(TensorError) -> Tensor {
    let window = ct_window(size: size, stride: stride, padding: padding)
    return try shim { ct_pool(ct_pool_mean, handle, window, countingPadding ? 1 : 0, &$0, &$1) }
  }

  /// Means over as many windows of near-equal size as the output has cells.
  public func adaptiveAveragePool(_ size: Extent) throws(TensorError) -> Tensor {
    try shim { ct_pool(ct_pool_adaptive, handle, ct_window(size: size, stride: 1), 0, &$0, &$1) }
  }
}

extension Padding {
  fileprivate var code: (ct_padding_kind, Double) {
    switch self {
    case .constant(let value): (ct_pad_constant, Double(value))
    case .replicate: (ct_pad_replicate, 0)
    case .reflect: (ct_pad_reflect, 0)
    }
  }
}
