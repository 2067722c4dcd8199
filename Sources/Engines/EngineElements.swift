// SPDX-License-Identifier: Apache-2.0
internal import CEngines
internal import Tensors

/// What a model is given as one input: a tensor in place, or its numbers in another type.
struct EngineInput {
  private enum Elements {
    case tensor(Tensor)
    case bytes([UInt8])
  }

  private let elements: Elements
  private let type: EngineElementType
  private let sizes: [Int]

  /// - Throws: `EngineError` where the tensor does not fit the port.
  init(_ tensor: Tensor, for port: EnginePort) throws {
    guard let type = port.type else {
      throw EngineError(.badModel, "the input '\(port.name)' is no tensor of numbers")
    }
    let sizes = tensor.shape.dimensions
    guard sizes.count <= Int(CE_MAX_RANK), Self.fits(sizes, port.sizes) else {
      let wanted = port.sizes?.map { $0.map(String.init) ?? "?" }.joined(separator: " × ") ?? "any"
      throw EngineError(
        .badArgument, "an input of \(tensor.shape) for '\(port.name)', which takes \(wanted)")
    }
    (self.type, self.sizes) = (type, sizes)
    elements = try Self.elements(of: tensor, as: type)
  }

  private static func fits(_ sizes: [Int], _ wanted: [Int?]?) -> Bool {
    guard let wanted else { return true }
    return sizes.count == wanted.count && zip(sizes, wanted).allSatisfy { $1 == nil || $0 == $1 }
  }

  private static func elements(of tensor: Tensor, as type: EngineElementType) throws -> Elements {
    switch type {
    case .float32: .tensor(try tensor.converted(to: .float32))
    case .float16: .tensor(try tensor.converted(to: .float16))
    case .bfloat16: .tensor(try tensor.converted(to: .bfloat16))
    case .int64: .tensor(try tensor.converted(to: .int64))
    case .uint8: .tensor(try tensor.rounded(to: 0...255).converted(to: .uint8))
    case .bool: .bytes(try tensor.floats().map { $0 == 0 ? 0 : 1 })
    case .int8: .bytes(try tensor.packed { Int8($0) })
    case .int16: .bytes(try tensor.packed { Int16($0) })
    case .uint16: .bytes(try tensor.packed { UInt16($0) })
    case .int32: .bytes(try tensor.packed { Int32($0) })
    case .uint32: .bytes(try tensor.packed { UInt32($0) })
    case .uint64: .bytes(try tensor.packed { UInt64($0) })
    case .float64: .bytes(try tensor.floats().bytes { Double($0) })
    }
  }

  /// Calls `body` with where the elements lie, which holds until it returns.
  func withView<Result>(_ body: (ce_view) throws -> Result) throws -> Result {
    switch elements {
    case .tensor(let tensor): try tensor.withUnsafeBytes { try body(view(of: $0)) }
    case .bytes(let bytes): try bytes.withUnsafeBytes { try body(view(of: $0)) }
    }
  }

  private func view(of bytes: UnsafeRawBufferPointer) -> ce_view {
    var view = ce_view()
    view.type = type.code
    view.rank = Int32(sizes.count)
    // The engines read inputs alone; their interfaces do not say so.
    view.elements = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
    withUnsafeMutableBytes(of: &view.sizes) { out in
      let numbers = out.bindMemory(to: Int64.self)
      for (axis, size) in sizes.enumerated() { numbers[axis] = Int64(size) }
    }
    return view
  }
}

/// What an engine has computed, in its own memory, until the last tensor over it is gone.
// Safe to share: nobody writes to a value once the call that made it has returned.
final class EngineOutput: @unchecked Sendable {
  private let handle: ce_value_ref

  init(_ handle: ce_value_ref) { self.handle = handle }
  deinit { ce_value_release(handle) }

  /// The value as a tensor: in place where a tensor can hold its type, else a copy.
  func tensor() throws -> Tensor {
    let view = ce_value_view(handle)
    let sizes = withUnsafeBytes(of: view.sizes) { bytes in
      bytes.bindMemory(to: Int64.self).prefix(Int(view.rank)).map(Int.init)
    }
    guard let type = EngineElementType(rawValue: Int(view.type.rawValue)) else {
      throw EngineError(.badModel, "an output is no tensor of numbers")
    }
    let shape = Shape(sizes)
    guard let count = shape.count, count > 0, let memory = view.elements else {
      return try Tensor.zeros(shape)
    }
    let bytes = UnsafeRawBufferPointer(start: memory, count: count * type.byteCount)
    switch type {
    case .float32: return try viewed(memory, shape, .float32)
    case .float16: return try viewed(memory, shape, .float16)
    case .bfloat16: return try viewed(memory, shape, .bfloat16)
    case .uint8, .bool: return try viewed(memory, shape, .uint8)
    case .int64: return try viewed(memory, shape, .int64)
    case .int8: return try integers(bytes.numbers(Int8.self), shape)
    case .int16: return try integers(bytes.numbers(Int16.self), shape)
    case .uint16: return try integers(bytes.numbers(UInt16.self), shape)
    case .float64: return try Tensor(bytes.numbers(Double.self).map { Float($0) }, shape: shape)
    case .int32: return try integers(bytes.numbers(Int32.self), shape)
    case .uint32: return try integers(bytes.numbers(UInt32.self), shape)
    case .uint64: return try integers(bytes.numbers(UInt64.self), shape)
    }
  }

  private func viewed(
    _ memory: UnsafeMutableRawPointer, _ shape: Shape, _ type: ElementType
  ) throws -> Tensor {
    try Tensor(viewing: memory, owner: self, shape: shape, type: type)
  }

  private func integers(
    _ numbers: UnsafeBufferPointer<some BinaryInteger>, _ shape: Shape
  ) throws -> Tensor {
    let values: [Int64] = numbers.map { Int64(clamping: $0) }
    return try Tensor(values, shape: shape)
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func numbers<Number>(_: Number.Type) -> UnsafeBufferPointer<Number> {
    bindMemory(to: Number.self)
  }
}

extension Tensor {
  /// The same values as `type`, packed; the tensor itself where it is so already.
  fileprivate func converted(to type: ElementType) throws -> Tensor {
    try (self.type == type ? self : cast(to: type)).contiguous()
  }

  /// The nearest whole numbers within `range`, which a cast does not change any more.
  fileprivate func rounded(to range: ClosedRange<Float>) throws -> Tensor {
    guard type.isFloatingPoint else { return self }
    return try (clamped(to: range) + 0.5)
  }

  /// The nearest whole numbers that an integer type holds, as bytes.
  fileprivate func packed<Integer: FixedWidthInteger>(
    _ integer: (Double) -> Integer
  ) throws -> [UInt8] {
    // A double next below the largest one: 64-bit bounds are no doubles.
    let (least, most) = (Double(Integer.min), Double(Integer.max).nextDown)
    let bound = Integer.bitWidth > 32 ? most : Double(Integer.max)
    return try floats().bytes { number in
      integer(number.isNaN ? 0 : Swift.min(Swift.max(Double(number).rounded(), least), bound))
    }
  }
}

extension [Float] {
  /// What `convert` makes of each number, one after the other in memory.
  fileprivate func bytes<Number>(_ convert: (Float) -> Number) -> [UInt8] {
    let size = MemoryLayout<Number>.stride
    return [UInt8](unsafeUninitializedCapacity: count * size) { buffer, filled in
      for (index, number) in enumerated() {
        UnsafeMutableRawBufferPointer(buffer).storeBytes(
          of: convert(number), toByteOffset: index * size, as: Number.self)
      }
      filled = count * size
    }
  }
}
