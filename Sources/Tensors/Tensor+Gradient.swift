// SPDX-License-Identifier: Apache-2.0
internal import CTorch

extension Tensor {
  /// A copy of the values, as one whose gradient `backward` accumulates.
  public func requiringGradient() throws(TensorError) -> Tensor {
    try shim { ct_require_gradient(handle, &$0, &$1) }
  }

  /// Whether operations on the tensor are recorded for gradients.
  public var requiresGradient: Bool { ct_requires_gradient(handle) != 0 }

  /// The same values, cut off from what they were computed from.
  public func detached() throws(TensorError) -> Tensor {
    try shim { ct_detach(handle, &$0, &$1) }
  }

  /// Adds the gradient of this number to every tensor it depends on that requires one.
  ///
  /// What was recorded is gone afterwards.
  public func backward() throws(TensorError) {
    try check(#function) { ct_backward(handle, &$0) }
  }

  /// What `backward` has accumulated; nil while that is nothing.
  public func gradient() throws(TensorError) -> Tensor? {
    var gradient: ct_tensor_ref?
    try check(#function) { ct_gradient(handle, &gradient, &$0) }
    return gradient.map(Tensor.init(owning:))
  }

  /// Forgets what `backward` has accumulated.
  public func clearGradient() throws(TensorError) {
    try check(#function) { ct_clear_gradient(handle, &$0) }
  }
}

/// The gradient of a number with respect to each of the tensors, zeros where it does not depend on
/// one.
///
/// Nothing is accumulated in the tensors; what was recorded is gone afterwards.
public func gradients(
  of loss: Tensor, withRespectTo tensors: [Tensor]
) throws(TensorError) -> [Tensor] {
  let handles = tensors.map { Optional($0.handle) }
  return try withExtendedLifetime(tensors) { () throws(TensorError) in
    try shims(capacity: handles.count) { outs, _, failure in
      ct_gradients(loss.handle, handles, handles.count, outs, &failure)
    }
  }
}

/// Runs `body` with nothing recorded for gradients, on this thread; afterwards it is as before.
public func withoutGradients<Result>(_ body: () throws -> Result) throws -> Result {
  let previous = try setGradientsEnabled(false)
  defer { _ = try? setGradientsEnabled(previous) }
  return try body()
}

private func setGradientsEnabled(_ enabled: Bool) throws(TensorError) -> Bool {
  var previous: Int32 = 0
  try check("withoutGradients(_:)") {
    ct_set_gradients_enabled(enabled ? 1 : 0, &previous, &$0)
  }
  return previous != 0
}

// The only writes to tensors that exist; for optimisers and running averages, which own what they
// write.
extension Tensor {
  /// Writes the values of a tensor of the same shape over this one's, unrecorded.
  package func assign(_ values: Tensor) throws(TensorError) {
    try check(#function) { ct_assign(handle, values.handle, &$0) }
  }

  /// Adds a multiple of a tensor of the same shape to this one, unrecorded.
  package func addInPlace(_ values: Tensor, scale: Double = 1) throws(TensorError) {
    try check(#function) { ct_add_in_place(handle, values.handle, scale, &$0) }
  }
}

extension Tensor {
  /// Switches the recording of a tensor that was not computed from others on or off.
  package func setRequiresGradient(_ required: Bool) throws(TensorError) {
    try check(#function) { ct_set_requires_gradient(handle, required ? 1 : 0, &$0) }
  }
}
