// SPDX-License-Identifier: Apache-2.0

extension OnnxModel {
  /// Numbers in the place of an input.
  package struct FixedInput: Sendable, Hashable {
    /// The input.
    package let name: String
    /// The size of each axis; none for a single number.
    package let sizes: [Int]
    /// The numbers, the last axis running fastest.
    package let numbers: [Double]

    /// Numbers for the input `name`.
    ///
    /// - Precondition: the numbers fill the sizes.
    package init(name: String, sizes: [Int], numbers: [Double]) {
      precondition(sizes.reduce(1, *) == numbers.count, "\(numbers.count) numbers for \(sizes)")
      (self.name, self.sizes, self.numbers) = (name, sizes, numbers)
    }
  }

  /// The same model with numbers in the place of some of its inputs, stored as these are.
  ///
  /// - Throws: `.badArgument` where there is no such input, or it takes other sizes or numbers;
  ///   `.badModel` for a model whose weights lie in other files.
  package func fixing(_ fixed: [FixedInput]) throws(EngineError) -> OnnxModel {
    guard !fixed.isEmpty else { return self }
    guard externalFiles.isEmpty else {
      throw EngineError(
        .badModel, "its weights lie in other files: its inputs cannot be replaced by numbers")
    }
    var constants: [ProtobufWriter] = []
    for input in fixed { constants.append(try constant(input)) }
    let names = Set(fixed.map(\.name))
    let bytes = rewritten { message, field throws(ProtobufReader.Fault) in
      if field.number == 11, names.contains(try Self.portName(try field.run())) { return }
      message.write(raw: field.raw)
    } finish: { message in
      for constant in constants { message.write(constant, as: 5) }
    }
    return try OnnxModel(bytes: bytes, path: path)
  }

  /// A `TensorProto`.
  private func constant(_ fixed: FixedInput) throws(EngineError) -> ProtobufWriter {
    guard let port = graph.inputs.first(where: { $0.name == fixed.name }) else {
      let names = graph.inputs.map(\.name).joined(separator: ", ")
      throw EngineError(.badArgument, "there is no input '\(fixed.name)'; there are \(names)")
    }
    let fits = port.sizes.map { sizes in
      sizes.count == fixed.sizes.count
        && zip(sizes, fixed.sizes).allSatisfy { $0 == nil || $0 == $1 }
    }
    guard let type = port.type, fits ?? true else {
      let given = fixed.sizes.isEmpty ? "one number" : "\(fixed.sizes) numbers"
      throw EngineError(.badArgument, "\(given) for the input \(port)")
    }
    var tensor = ProtobufWriter()
    for size in fixed.sizes { tensor.write(size, as: 1) }
    tensor.write(type.rawValue, as: 2)
    tensor.write(fixed.name, as: 8)
    var bytes: [UInt8] = []
    for number in fixed.numbers {
      guard let element = type.bytes(of: number) else {
        throw EngineError(.badArgument, "\(number) is no number of the input \(port)")
      }
      bytes += element
    }
    tensor.write(bytes, as: 9)
    return tensor
  }

  /// The name of a `ValueInfoProto`.
  private static func portName(
    _ message: ArraySlice<UInt8>
  ) throws(ProtobufReader.Fault) -> String {
    var reader = ProtobufReader(message)
    while let field = try reader.next() { if field.number == 1 { return try field.text() } }
    return ""
  }
}

extension EngineElementType {
  /// How a number is stored, lowest byte first; nil where it is none of these.
  fileprivate func bytes(of number: Double) -> [UInt8]? {
    switch self {
    case .float32: Float(number).isFinite ? Float(number).bitPattern.littleEndianBytes : nil
    case .float64: number.bitPattern.littleEndianBytes
    case .float16: Float16(number).isFinite ? Float16(number).bitPattern.littleEndianBytes : nil
    case .bfloat16: bfloat16(number)?.littleEndianBytes
    case .bool: [0, 1].contains(number) ? [UInt8(number)] : nil
    case .uint8: UInt8(exactly: number)?.littleEndianBytes
    case .int8: Int8(exactly: number)?.littleEndianBytes
    case .uint16: UInt16(exactly: number)?.littleEndianBytes
    case .int16: Int16(exactly: number)?.littleEndianBytes
    case .uint32: UInt32(exactly: number)?.littleEndianBytes
    case .int32: Int32(exactly: number)?.littleEndianBytes
    // Beyond 2⁵³ not every whole number is one of double precision.
    case .uint64 where abs(number) < 0x1p53: UInt64(exactly: number)?.littleEndianBytes
    case .int64 where abs(number) < 0x1p53: Int64(exactly: number)?.littleEndianBytes
    case .uint64, .int64: nil
    }
  }

  /// The upper half of single precision, rounded to the nearest, ties to even.
  private func bfloat16(_ number: Double) -> UInt16? {
    let bits = Float(number).bitPattern
    let rounded = (UInt64(bits) + 0x7FFF + UInt64(bits >> 16 & 1)) >> 16
    let result = UInt16(truncatingIfNeeded: rounded)
    return Float(bitPattern: UInt32(result) << 16).isFinite ? result : nil
  }
}
