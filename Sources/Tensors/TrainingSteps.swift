// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// What optimisers do to parameters, in place and unrecorded; one without a gradient stays as it
/// is.
package enum TrainingSteps {
  /// Scales all gradients down together, so that their joint Euclidean norm is at most `largest`.
  ///
  /// - Returns: The norm as it was.
  package static func clipGradients(
    of parameters: [Tensor], toNorm largest: Double
  ) throws(TensorError) -> Double {
    var norm = 0.0
    try withHandles(parameters) { handles throws(TensorError) in
      try check(#function) {
        ct_scale_gradients(handles, parameters.count, largest, &norm, &$0)
      }
    }
    return norm
  }

  /// v ← momentum · v + (g + decay · p); p ← p - rate · v, or with Nesterov's look ahead.
  package static func descend(
    _ parameters: [Tensor], velocities: [Tensor], rate: Double, momentum: Double, decay: Double,
    nesterov: Bool
  ) throws(TensorError) {
    var options = ct_sgd_options(
      rate: rate, momentum: momentum, decay: decay, nesterov: nesterov ? 1 : 0)
    try withHandles(parameters, velocities) { handles, states throws(TensorError) in
      try check(#function) { ct_sgd_step(handles, states, parameters.count, &options, &$0) }
    }
  }

  /// Adam's step number `step` from 1 on; a decoupled decay is AdamW's.
  package static func adam(
    _ parameters: [Tensor], means: [Tensor], squares: [Tensor], rate: Double,
    betas: (first: Double, second: Double), epsilon: Double, decay: Double, decoupled: Bool,
    step: Int
  ) throws(TensorError) {
    var options = ct_adam_options(
      rate: rate, first: betas.first, second: betas.second, epsilon: epsilon, decay: decay,
      step: Int64(step), decoupled: decoupled ? 1 : 0)
    try withHandles(parameters, means) { handles, means throws(TensorError) in
      try withHandles(squares) { squares throws(TensorError) in
        try check(#function) {
          ct_adam_step(handles, means, squares, parameters.count, &options, &$0)
        }
      }
    }
  }

  /// Moves each tensor by `share` of the way to its target.
  package static func move(
    _ tensors: [Tensor], to targets: [Tensor], share: Double
  ) throws(TensorError) {
    try withHandles(tensors, targets) { handles, targets throws(TensorError) in
      try check(#function) { ct_approach(handles, targets, tensors.count, share, &$0) }
    }
  }
}

private func withHandles(
  _ tensors: [Tensor], _ body: ([ct_tensor_ref?]) throws(TensorError) -> Void
) throws(TensorError) {
  try withExtendedLifetime(tensors) { () throws(TensorError) in
    try body(tensors.map { Optional($0.handle) })
  }
}

private func withHandles(
  _ first: [Tensor], _ second: [Tensor],
  _ body: ([ct_tensor_ref?], [ct_tensor_ref?]) throws(TensorError) -> Void
) throws(TensorError) {
  precondition(first.count == second.count, "\(first.count) tensors beside \(second.count)")
  try withHandles(first) { first throws(TensorError) in
    try withHandles(second) { second throws(TensorError) in try body(first, second) }
  }
}
