// SPDX-License-Identifier: Apache-2.0

extension SafetensorsFile {
  /// A tensor of the file.
  ///
  /// Types that tensors have share the file's memory; bool comes as bytes, other integers as
  /// `int64`, double precision rounded to `float32`, and 8 bits of it (E5M2, E4M3) as `float32`.
  ///
  /// - Throws: `.missing`, or `.badType` for types that fit none of these.
  public func tensor(_ name: String) throws(SafetensorsError) -> Tensor {
    guard let entry = self[name] else { throw absence(of: name) }
    do throws(TensorError) {
      return try tensor(entry)
    } catch {
      let code: SafetensorsError.Code =
        switch error.code {
        case .badType: .badType
        case .outOfMemory: .outOfMemory
        default: .badTensor
        }
      throw SafetensorsError(code, tensor: name, error.message)
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
    case .float8E5M2: return count(bytes, of: UInt8.self, where: 0x7C)
    // Nothing is infinite there, and one number is none.
    case .float8E4M3: return count(bytes, of: UInt8.self, where: 0x7F)
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
    case .uint64:
      let values = elements(bytes, as: UInt64.self)
      guard values.allSatisfy({ $0 <= UInt64(Int64.max) }) else {
        throw TensorError(
          .badType, in: #function as StaticString,
          "it has elements of type U64 that are too large for 63 bits")
      }
      return try Tensor(values.map { Int64($0) }, shape: entry.shape)
    // E5M2 is the upper half of 16 bits.
    case .float8E5M2:
      let values = elements(bytes, as: UInt8.self).map { Float(upperHalf: $0) }
      return try Tensor(values, shape: entry.shape)
    case .float8E4M3:
      return try Tensor(elements(bytes, as: UInt8.self).map { Float(e4m3: $0) }, shape: entry.shape)
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

extension Float {
  /// One sign, five bits of exponent and two of fraction, as the upper half of 16 bits.
  fileprivate init(upperHalf bits: UInt8) {
    self.init(bits, exponentBits: 5)
    if bits & 0x7C == 0x7C { self = bits & 3 == 0 ? (bits < 0x80 ? .infinity : -.infinity) : .nan }
  }

  /// One sign, four bits of exponent and three of fraction; no infinity, and one NaN of each sign.
  fileprivate init(e4m3 bits: UInt8) {
    self.init(bits, exponentBits: 4)
    if bits & 0x7F == 0x7F { self = .nan }
  }

  private init(_ bits: UInt8, exponentBits: Int) {
    let fractionBits = 7 - exponentBits
    let (exponent, fraction) = (
      Int(bits & 0x7F) >> fractionBits, Float(Int(bits) & ((1 << fractionBits) - 1))
    )
    let bias = (1 << (exponentBits - 1)) - 1
    let whole: Float = exponent == 0 ? 0 : Float(1 << fractionBits)
    let scale = Float(sign: .plus, exponent: max(exponent, 1) - bias - fractionBits, significand: 1)
    self = (bits < 0x80 ? 1 : -1) * (whole + fraction) * scale
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
