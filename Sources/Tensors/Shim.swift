// SPDX-License-Identifier: Apache-2.0
internal import CTorch
internal import Outputs

/// Runs one C call; the one place where a code becomes an error.
func check(
  _ operation: StaticString, _ call: (inout ct_error) -> ct_code
) throws(TensorError) {
  var failure = ct_error()
  let code = call(&failure)
  guard code == ct_ok else {
    throw TensorError(.init(rawValue: UInt32(code.rawValue)), in: operation, failure.text)
  }
}

/// Runs one C call that gives a tensor.
func shim(
  _ operation: StaticString = #function,
  _ call: (inout ct_tensor_ref?, inout ct_error) -> ct_code
) throws(TensorError) -> Tensor {
  try refuseMemory(operation)
  var handle: ct_tensor_ref?
  try check(operation) { call(&handle, &$0) }
  return try owned(handle, operation)
}

/// Runs one C call that gives up to `capacity` tensors and tells how many.
func shims(
  _ operation: StaticString = #function, capacity: Int,
  _ call: (UnsafeMutablePointer<ct_tensor_ref?>?, inout Int, inout ct_error) -> ct_code
) throws(TensorError) -> [Tensor] {
  try refuseMemory(operation)
  var handles = [ct_tensor_ref?](repeating: nil, count: capacity)
  var count = capacity
  try check(operation) { failure in
    handles.withUnsafeMutableBufferPointer { call($0.baseAddress, &count, &failure) }
  }
  var tensors: [Tensor] = []
  for handle in handles.prefix(count) { tensors.append(try owned(handle, operation)) }
  return tensors
}

/// Fails as the C side does where memory runs out, if a test wants that.
private func refuseMemory(_ operation: StaticString) throws(TensorError) {
  guard Faults.fails(at: .allocation) else { return }
  throw TensorError(.outOfMemory, in: "\(operation)", "there is not enough memory")
}

private func owned(
  _ handle: ct_tensor_ref?, _ operation: StaticString
) throws(TensorError) -> Tensor {
  guard let handle else {
    throw TensorError(.unknown, in: operation, "a call that succeeded gave no tensor")
  }
  return Tensor(owning: handle)
}

extension ct_error {
  var text: String {
    withUnsafeBytes(of: message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
