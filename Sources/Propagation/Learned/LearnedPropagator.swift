// SPDX-License-Identifier: Apache-2.0

public import Layers
public import Tensors

/// A propagator with parameters that training changes.
public protocol LearnedPropagator: Propagator {
  var parameters: Parameters { get }

  /// The tensor as it is at the current frame, N × C × H × W, in a pass that may be one of training.
  ///
  /// Gradients flow to the parameters, to `cached`, and to what the evidence gives.
  func carry(_ cached: Tensor, given evidence: Evidence, in pass: ForwardContext) throws -> Tensor
}

extension LearnedPropagator {
  public func callAsFunction(_ cached: Tensor, given evidence: Evidence) throws -> Tensor {
    try withoutGradients { try carry(cached, given: evidence, in: .inference) }
  }
}
