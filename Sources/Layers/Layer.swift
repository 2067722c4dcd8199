// SPDX-License-Identifier: Apache-2.0

public import Tensors

/// A function of one tensor, differentiable, whose parameters are tensors that training changes.
///
/// A layer is a value that refers to its parameters: a copy shares them. It is made in a
/// `ParameterScope`, which names them and gives them their values, drawn or read from a file.
public protocol Layer: Sendable {
  /// What the layer makes of `input`, N × C × H × W.
  func callAsFunction(_ input: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor

  /// The same function in fewer operations, to be used and no longer trained.
  ///
  /// What a normalisation by running statistics does becomes part of the convolution before it. The
  /// layer itself unless it says otherwise.
  func folded() throws(TensorError) -> Self
}

extension Layer {
  /// The layer itself: nothing to fold unless a conformer says otherwise.
  public func folded() throws(TensorError) -> Self { self }

  /// What the layer makes of `input` when it is used, not trained.
  public func callAsFunction(_ input: Tensor) throws(TensorError) -> Tensor {
    try self(input, in: .inference)
  }
}

/// Layers one after another.
public struct Sequential: Layer {
  /// What is run, first to last.
  public let layers: [any Layer]

  /// Layers to be run first to last; none at all gives the identity.
  public init(_ layers: [any Layer]) { self.layers = layers }

  /// What the last layer makes of what those before it gave.
  public func callAsFunction(_ input: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor
  {
    var output = input
    for layer in layers { output = try layer(output, in: pass) }
    return output
  }

  /// The layers, each folded by itself; neighbours are not folded into each other.
  public func folded() throws(TensorError) -> Sequential {
    var folded: [any Layer] = []
    for layer in layers { folded.append(try layer.folded()) }
    return Sequential(folded)
  }
}
