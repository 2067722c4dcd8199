// SPDX-License-Identifier: Apache-2.0

public import Tensors

/// Zero where the input is below zero.
public struct ReLU: Layer {
  /// A rectifier; it has no parameters.
  public init() {}

  /// The input, N × C × H × W, with zero in place of what is negative.
  public func callAsFunction(_ input: Tensor, in _: ForwardContext) throws(TensorError) -> Tensor {
    try input.relu()
  }
}

/// `slope` times the input where it is below zero.
public struct LeakyReLU: Layer {
  /// What negative inputs are multiplied by.
  public let slope: Float

  /// A leaky rectifier; a slope of 0 is `ReLU`, one of 1 the identity.
  public init(slope: Float = 0.1) { self.slope = slope }

  /// The input, N × C × H × W, its negative numbers times `slope`.
  public func callAsFunction(_ input: Tensor, in _: ForwardContext) throws(TensorError) -> Tensor {
    try input.leakyRelu(slope: slope)
  }
}

/// Elements set to zero with a probability while training, the others scaled up by as much.
public struct Dropout: Layer {
  /// The chance of each element to become zero, at least 0 and below 1.
  public let probability: Double

  /// Dropout of elements with this probability.
  ///
  /// - Precondition: the probability is at least 0 and below 1.
  public init(_ probability: Double) {
    precondition((0..<1).contains(probability), "dropout with a probability of \(probability)")
    self.probability = probability
  }

  /// The input itself, but in a training pass with about `probability` of its elements set to zero.
  public func callAsFunction(_ input: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor
  {
    guard pass.isTraining, probability > 0 else { return input }
    return try input.dropout(probability, seed: pass.nextSeed())
  }
}
