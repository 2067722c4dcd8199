// SPDX-License-Identifier: Apache-2.0

public import Tensors

/// The largest, or the mean, of each window.
public struct Pool2d: Layer {
  /// What is taken of a window: its largest number or the mean.
  public enum Kind: Hashable, Sendable { case largest, mean }

  /// What is taken of a window.
  public let kind: Kind
  /// Cells of a window, cells from one window to the next, cells around the input.
  public let size: Extent, stride: Extent, padding: Extent

  /// Windows of `size` cells; without a stride they lie side by side.
  public init(_ kind: Kind, size: Extent, stride: Extent? = nil, padding: Extent = 0) {
    (self.kind, self.size, self.stride, self.padding) = (kind, size, stride ?? size, padding)
  }

  /// N × C × H × W with each window made one number, channel by channel.
  public func callAsFunction(_ input: Tensor, in _: ForwardContext) throws(TensorError) -> Tensor {
    switch kind {
    case .largest: try input.maxPool(size, stride: stride, padding: padding)
    case .mean: try input.averagePool(size, stride: stride, padding: padding)
    }
  }
}

/// The means of a grid of `size` windows that cover the input.
public struct AdaptiveAveragePool2d: Layer {
  /// Windows down and across, whatever the size of the input.
  public let size: Extent

  /// A grid of this many windows; 1 is the mean of each channel.
  public init(_ size: Extent) { self.size = size }

  /// N × C × H × W made N × C × `size`.
  public func callAsFunction(_ input: Tensor, in _: ForwardContext) throws(TensorError) -> Tensor {
    try input.adaptiveAveragePool(size)
  }
}
