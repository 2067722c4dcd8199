// SPDX-License-Identifier: Apache-2.0

public import Tensors

/// The largest, or the mean, of each window.
public struct Pool2d: Layer {
  public enum Kind: Hashable, Sendable { case largest, mean }

  public let kind: Kind
  public let size: Extent, stride: Extent, padding: Extent

  public init(_ kind: Kind, size: Extent, stride: Extent? = nil, padding: Extent = 0) {
    (self.kind, self.size, self.stride, self.padding) = (kind, size, stride ?? size, padding)
  }

  public func callAsFunction(_ input: Tensor, in _: ForwardContext) throws(TensorError) -> Tensor {
    switch kind {
    case .largest: try input.maxPool(size, stride: stride, padding: padding)
    case .mean: try input.averagePool(size, stride: stride, padding: padding)
    }
  }
}

/// The means of a grid of `size` windows that cover the input.
public struct AdaptiveAveragePool2d: Layer {
  public let size: Extent

  public init(_ size: Extent) { self.size = size }

  public func callAsFunction(_ input: Tensor, in _: ForwardContext) throws(TensorError) -> Tensor {
    try input.adaptiveAveragePool(size)
  }
}
