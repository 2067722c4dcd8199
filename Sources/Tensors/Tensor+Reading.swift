// SPDX-License-Identifier: Apache-2.0
internal import CTorch

extension Tensor {
  /// All elements as `Float`, the last axis running fastest.
  public func floats() throws(TensorError) -> [Float] { try values(.float32, zero: 0) }

  /// All elements as bytes, the last axis running fastest; fractions are cut off.
  public func bytes() throws(TensorError) -> [UInt8] { try values(.uint8, zero: 0) }

  /// All elements as integers, the last axis running fastest; fractions are cut off.
  public func integers() throws(TensorError) -> [Int64] { try values(.int64, zero: 0) }

  /// The only element.
  ///
  /// - Throws: `.badShape` where there are more, or none.
  public func item() throws(TensorError) -> Float {
    guard count == 1 else {
      throw TensorError(
        .badShape, in: #function as StaticString, "a tensor of shape \(shape) is not one number")
    }
    return try floats()[0]
  }

  /// Calls `body` with the elements as they are stored, the last axis running fastest.
  ///
  /// Nothing is copied if the tensor is contiguous and on the CPU; otherwise a copy that is, is
  /// read.
  public func withUnsafeBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    let readable = try to(.cpu).contiguous()
    let count = readable.count * readable.type.byteCount
    return try withExtendedLifetime(readable) {
      try body(UnsafeRawBufferPointer(start: ct_elements(readable.handle), count: count))
    }
  }

  private func values<Value>(
    _ type: ElementType, zero: Value
  ) throws(TensorError) -> [Value] {
    var values = [Value](repeating: zero, count: count)
    try check(#function) { failure in
      values.withUnsafeMutableBytes { ct_copy_out(handle, type.code, $0.baseAddress, &failure) }
    }
    return values
  }

  /// The same values stored in another way; integers lose fractions, floats round to the nearest.
  public func cast(to type: ElementType) throws(TensorError) -> Tensor {
    try shim { ct_cast(handle, type.code, &$0, &$1) }
  }
}
