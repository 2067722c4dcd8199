// SPDX-License-Identifier: Apache-2.0
internal import CTorch

extension Tensor {
  /// A tensor of these values, the last axis running fastest.
  ///
  /// - Throws: `.badShape` where the values do not fill the shape.
  public init(_ values: [Float], shape: Shape) throws(TensorError) {
    self = try values.withUnsafeBufferPointer { buffer throws(TensorError) in
      try Tensor(copying: UnsafeRawBufferPointer(buffer), shape: shape, type: .float32)
    }
  }

  // Disfavoured, as is the next, so that literals of whole numbers are `Float`.
  /// A tensor of these bytes, the last axis running fastest.
  @_disfavoredOverload
  public init(_ values: [UInt8], shape: Shape) throws(TensorError) {
    self = try values.withUnsafeBufferPointer { buffer throws(TensorError) in
      try Tensor(copying: UnsafeRawBufferPointer(buffer), shape: shape, type: .uint8)
    }
  }

  /// A tensor of these integers, the last axis running fastest.
  @_disfavoredOverload
  public init(_ values: [Int64], shape: Shape) throws(TensorError) {
    self = try values.withUnsafeBufferPointer { buffer throws(TensorError) in
      try Tensor(copying: UnsafeRawBufferPointer(buffer), shape: shape, type: .int64)
    }
  }

  /// A tensor of one element, of no axes.
  public init(_ value: Float) throws(TensorError) { try self.init([value], shape: []) }

  /// A copy of elements as they are stored, the last axis running fastest.
  ///
  /// - Throws: `.badShape` where there are more or fewer bytes than the shape takes.
  public init(
    copying bytes: UnsafeRawBufferPointer, shape: Shape, type: ElementType
  ) throws(TensorError) {
    let expected = try shape.count(of: type, for: "Tensor.init")
    guard bytes.count == expected * type.byteCount else {
      throw TensorError(
        .badShape, in: "Tensor.init" as StaticString,
        "\(bytes.count / type.byteCount) values do not fill \(shape)")
    }
    // An empty buffer has no address, and LibTorch wants one.
    var nothing: UInt64 = 0
    self = try shim("Tensor.init") { out, failure in
      Swift.withUnsafeBytes(of: &nothing) { placeholder in
        ct_copy_in(
          bytes.baseAddress ?? placeholder.baseAddress, type.code, shape.sizes, shape.rank, &out,
          &failure)
      }
    }
  }

  /// A tensor in main memory whose elements are all 0.
  public static func zeros(
    _ shape: Shape, type: ElementType = .float32
  ) throws(TensorError) -> Tensor {
    try full(shape, of: 0, type: type)
  }

  /// A tensor in main memory whose elements are all 1.
  public static func ones(
    _ shape: Shape, type: ElementType = .float32
  ) throws(TensorError) -> Tensor {
    try full(shape, of: 1, type: type)
  }

  /// A tensor with every element equal to `value`.
  public static func full(
    _ shape: Shape, of value: Double, type: ElementType = .float32
  ) throws(TensorError) -> Tensor {
    _ = try shape.count(of: type, for: #function)
    return try shim { ct_full(value, type.code, shape.sizes, shape.rank, &$0, &$1) }
  }

  /// The numbers from `start` up to, not including, `end`, on one axis.
  public static func range(
    from start: Double = 0, to end: Double, by step: Double = 1, type: ElementType = .float32
  ) throws(TensorError) -> Tensor {
    let count = step == 0 ? .nan : ((end - start) / step).rounded(.up)
    guard count >= 0, count < 0x1p53 else {
      throw TensorError(
        .badArgument, in: #function as StaticString,
        "no range goes from \(start) to \(end) by \(step)")
    }
    _ = try Shape([Int(count)]).count(of: type, for: #function)
    return try shim { ct_arange(start, end, step, type.code, &$0, &$1) }
  }
}

extension Tensor {
  /// Independent draws from a normal distribution; the same seed gives the same draws.
  public static func normal(
    _ shape: Shape, mean: Double = 0, deviation: Double = 1, seed: UInt64
  ) throws(TensorError) -> Tensor {
    _ = try shape.count(of: .float32, for: #function)
    return try shim {
      ct_random(ct_normal, mean, deviation, seed, shape.sizes, shape.rank, &$0, &$1)
    }
  }

  /// Independent draws from `range`, the upper bound left out; the same seed gives the same draws.
  public static func uniform(
    _ shape: Shape, in range: Range<Double> = 0..<1, seed: UInt64
  ) throws(TensorError) -> Tensor {
    _ = try shape.count(of: .float32, for: #function)
    return try shim {
      ct_random(
        ct_uniform, range.lowerBound, range.upperBound, seed, shape.sizes, shape.rank, &$0, &$1)
    }
  }
}

extension Tensor {
  /// Reads foreign memory in place and keeps `owner` for as long as any tensor over it lives.
  ///
  /// Safe where three things hold: the memory stays allocated while `owner` lives, every element
  /// the shape and strides reach is inside it, and nobody writes to it while tensors may read it.
  /// The owner may be released on any thread. Strides count elements; nil means packed, the last
  /// axis running fastest.
  public init(
    viewing memory: UnsafeRawPointer, owner: any AnyObject & Sendable, shape: Shape,
    strides: [Int]? = nil, type: ElementType
  ) throws(TensorError) {
    let operation: StaticString = "Tensor.init(viewing:)"
    _ = try shape.count(of: type, for: operation)
    if let strides, strides.count != shape.rank || strides.contains(where: { $0 < 0 }) {
      throw TensorError(.badShape, in: operation, "strides \(strides) do not fit \(shape)")
    }
    let retained = Unmanaged.passRetained(owner as AnyObject)
    let steps = strides?.map(Int64.init)
    do {
      self = try shim(operation) {
        ct_view(
          UnsafeMutableRawPointer(mutating: memory), type.code, shape.sizes, steps, shape.rank,
          { $0.map { Unmanaged<AnyObject>.fromOpaque($0).release() } }, retained.toOpaque(), &$0,
          &$1)
      }
    } catch {
      retained.release()
      throw error
    }
  }
}
