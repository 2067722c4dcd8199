// SPDX-License-Identifier: Apache-2.0

extension SafetensorsFile {
  /// A tensor of the file.
  ///
  /// Types that tensors have share the file's memory; bool comes as bytes, other integers as
  /// `int64`, double precision rounded to `float32`.
  ///
  /// - Throws: `.missing`, or `.badType` for types that fit none of these.
  public func tensor(_ name: String) throws(SafetensorsError) -> Tensor {
    guard let entry = self[name] else { throw absence(of: name) }
    do throws(TensorError) {
      return try tensor(entry)
    } catch {
      throw SafetensorsError(
        error.code == .badType ? .badType : .badTensor, tensor: name, error.message)
    }
  }

  /// How many elements of a tensor are NaN or infinite; the format allows them.
  public func nonFiniteCount(in name: String) throws(SafetensorsError) -> Int {
    guard let entry = self[name] else { throw absence(of: name) }
    let bytes = storage(of: entry).bytes
    switch entry.type {
    case .float64: return count(bytes, of: UInt64.self, where: 0x7FF0_0000_0000_0000)
    case .float32: return count(bytes, of: UInt32.self, where: 0x7F80_0000)
    case .float16: return count(bytes, of: UInt16.self, where: 0x7C00)
    case .bfloat16: return count(bytes, of: UInt16.self, where: 0x7F80)
    default: return 0
    }
  }

  /// Elements whose exponent bits are all set.
  private func count<Bits: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, of _: Bits.Type, where exponent: Bits
  ) -> Int {
    elements(bytes, as: Bits.self).count { $0 & exponent == exponent }
  }

  private func tensor(_ entry: SafetensorsEntry) throws(TensorError) -> Tensor {
    let bytes = storage(of: entry).bytes
    if let type = entry.type.elementType { return try view(entry, type) }
    func integers<Value: FixedWidthInteger>(_: Value.Type) throws(TensorError) -> Tensor {
      try Tensor(elements(bytes, as: Value.self).map { Int64($0) }, shape: entry.shape)
    }
    switch entry.type {
    case .int8: return try integers(Int8.self)
    case .int16: return try integers(Int16.self)
    case .int32: return try integers(Int32.self)
    case .uint16: return try integers(UInt16.self)
    case .uint32: return try integers(UInt32.self)
    case .float64:
      let values = elements(bytes, as: UInt64.self).map { Float(Double(bitPattern: $0)) }
      return try Tensor(values, shape: entry.shape)
    default:
      throw TensorError(
        .badType, in: #function as StaticString,
        "tensors cannot hold elements of type \(entry.type.rawValue)")
    }
  }

  /// The file's own memory, or a copy where an element does not lie at a multiple of its size.
  private func view(
    _ entry: SafetensorsEntry, _ type: ElementType
  ) throws(TensorError) -> Tensor {
    let (bytes, owner) = storage(of: entry)
    guard let start = bytes.baseAddress, Int(bitPattern: start) % type.byteCount == 0 else {
      return try Tensor(copying: bytes, shape: entry.shape, type: type)
    }
    return try Tensor(viewing: start, owner: owner, shape: entry.shape, type: type)
  }

  /// Values at any address.
  private func elements<Value: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, as type: Value.Type
  ) -> [Value] {
    stride(from: 0, to: bytes.count, by: MemoryLayout<Value>.size).map {
      Value(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: type))
    }
  }
}

extension SafetensorsType {
  /// The type of tensor that has the same bytes.
  var elementType: ElementType? {
    switch self {
    case .bool, .uint8: .uint8
    case .int64: .int64
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .float32: .float32
    default: nil
    }
  }

  init(_ type: ElementType) {
    switch type {
    case .uint8: self = .uint8
    case .int64: self = .int64
    case .float16: self = .float16
    case .bfloat16: self = .bfloat16
    case .float32: self = .float32
    }
  }
}
