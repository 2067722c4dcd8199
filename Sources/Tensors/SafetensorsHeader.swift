// SPDX-License-Identifier: Apache-2.0

/// How one element is stored in a safetensors file.
public enum SafetensorsType: String, Sendable, Hashable, CaseIterable {
  /// A byte that is 0 or 1.
  case bool = "BOOL"
  /// Whole numbers of 8 bits.
  case uint8 = "U8", int8 = "I8"
  /// Whole numbers of 16 bits.
  case uint16 = "U16", int16 = "I16"
  /// Whole numbers of 32 bits.
  case uint32 = "U32", int32 = "I32"
  /// Whole numbers of 64 bits.
  case uint64 = "U64", int64 = "I64"
  /// Four and six bits; of six, 2 or 3 are the exponent.
  case float4 = "F4", float6E2M3 = "F6_E2M3", float6E3M2 = "F6_E3M2"
  /// Eight bits, of which 5, 4 or all are the exponent.
  case float8E5M2 = "F8_E5M2", float8E4M3 = "F8_E4M3", float8E8M0 = "F8_E8M0"
  /// IEEE 754's half precision, and half with eight bits of exponent.
  case float16 = "F16", bfloat16 = "BF16"
  /// IEEE 754's single and double precision.
  case float32 = "F32", float64 = "F64"
  /// Pairs of 32 bits, the imaginary part last.
  case complex64 = "C64"

  /// Bits an element takes.
  public var bitCount: Int {
    switch self {
    case .float4: 4
    case .float6E2M3, .float6E3M2: 6
    case .bool, .uint8, .int8, .float8E5M2, .float8E4M3, .float8E8M0: 8
    case .uint16, .int16, .float16, .bfloat16: 16
    case .uint32, .int32, .float32: 32
    case .uint64, .int64, .float64, .complex64: 64
    }
  }
}

/// One tensor of a safetensors file: what the header says of it.
public struct SafetensorsEntry: Sendable, Hashable {
  /// Nothing but a name: never to be used as a path.
  public let name: String
  /// How the file stores an element; not every such type can become a `Tensor`.
  public let type: SafetensorsType
  /// The sizes that the header states, outermost axis first.
  public let shape: Shape
  /// Where its bytes are, counted from the end of the header.
  let range: Range<Int>
}

/// What a safetensors file says before its data, checked.
struct SafetensorsHeader {
  private(set) var metadata: [String: String] = [:]
  /// In the order of their data.
  private(set) var entries: [SafetensorsEntry] = []

  static let longest = 16 << 20
  static let mostTensors = 65_536
  static let longestName = 1024
  private static let mostAxes = 64
  private static let largestSize = Int(Int32.max)

  /// Reads `bytes` as the header of a file with `dataCount` bytes behind it.
  init(_ bytes: [UInt8], dataCount: Int) throws(SafetensorsError) {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw SafetensorsError(.badHeader, "the header is not UTF-8")
    }
    guard bytes.first == UInt8(ascii: "{") else {
      throw SafetensorsError(.badHeader, "the header does not begin with '{'")
    }
    var scanner = SafetensorsScanner(bytes)
    var (metadata, entries): ([String: String], [SafetensorsEntry]) = ([:], [])
    try scanner.object { scanner, key throws(SafetensorsError) in
      if key == "__metadata__" {
        metadata = try Self.metadata(&scanner)
      } else {
        entries.append(try Self.entry(&scanner, named: key, number: entries.count))
      }
    }
    try scanner.end()
    entries.sort {
      ($0.range.lowerBound, $0.range.upperBound, $0.name)
        < ($1.range.lowerBound, $1.range.upperBound, $1.name)
    }
    (self.metadata, self.entries) = (metadata, entries)
    try checkCoverage(of: dataCount)
  }

  private static func metadata(
    _ scanner: inout SafetensorsScanner
  ) throws(SafetensorsError) -> [String: String] {
    var metadata: [String: String] = [:]
    try scanner.object { scanner, key throws(SafetensorsError) in
      metadata[key] = try scanner.string()
    }
    return metadata
  }

  private static func entry(
    _ scanner: inout SafetensorsScanner, named name: String, number: Int
  ) throws(SafetensorsError) -> SafetensorsEntry {
    guard number < mostTensors else {
      throw SafetensorsError(.badHeader, "the file has more than \(mostTensors) tensors")
    }
    try check(name: name)
    var (type, shape, offsets): (String?, [Int]?, [Int]?)
    try scanner.object { scanner, key throws(SafetensorsError) in
      switch key {
      case "dtype": type = try scanner.string()
      case "shape": shape = try counts(&scanner, most: mostAxes, of: name)
      case "data_offsets": offsets = try counts(&scanner, most: 2, of: name)
      default: try scanner.skip()
      }
    }
    guard let type, let shape, let offsets, offsets.count == 2 else {
      throw SafetensorsError(
        .badHeader, tensor: name, "it takes a dtype, a shape and two data_offsets")
    }
    return try checked(name, type, shape, from: offsets[0], to: offsets[1])
  }

  /// What a tensor may be called: anything short that is something.
  static func check(name: String) throws(SafetensorsError) {
    guard !name.isEmpty else {
      throw SafetensorsError(.badHeader, tensor: name, "a tensor has no name")
    }
    guard name.utf8.count <= longestName else {
      throw SafetensorsError(
        .badHeader, tensor: name, "its name is longer than \(longestName) bytes")
    }
  }

  private static func counts(
    _ scanner: inout SafetensorsScanner, most: Int, of name: String
  ) throws(SafetensorsError) -> [Int] {
    var counts: [Int] = []
    try scanner.array { scanner throws(SafetensorsError) in
      guard counts.count < most else {
        throw SafetensorsError(.badHeader, tensor: name, "it has a list of more than \(most)")
      }
      counts.append(try scanner.count())
    }
    return counts
  }

  private static func checked(
    _ name: String, _ type: String, _ shape: [Int], from begin: Int, to end: Int
  ) throws(SafetensorsError) -> SafetensorsEntry {
    guard let kind = SafetensorsType(rawValue: type) else {
      throw SafetensorsError(
        .badType, tensor: name, "there are no elements of type \(SafetensorsError.escaped(type))")
    }
    guard begin <= end else {
      throw SafetensorsError(.badLayout, tensor: name, "its data ends before it begins")
    }
    guard shape.allSatisfy({ $0 <= largestSize }), let count = Shape(shape).count,
      case let (bits, overflow) = count.multipliedReportingOverflow(by: kind.bitCount), !overflow
    else {
      throw SafetensorsError(.badLayout, tensor: name, "a shape of \(shape) is too large")
    }
    guard bits % 8 == 0 else {
      throw SafetensorsError(
        .badLayout, tensor: name, "a shape of \(shape) takes no whole bytes of \(type)")
    }
    let bytes = bits / 8
    guard bytes == end - begin else {
      throw SafetensorsError(
        .badLayout, tensor: name,
        "a shape of \(shape) takes \(bytes) bytes of \(type), and it has \(end - begin)")
    }
    return SafetensorsEntry(name: name, type: kind, shape: Shape(shape), range: begin..<end)
  }

  /// No overlap, no hole, nothing left over.
  private func checkCoverage(of dataCount: Int) throws(SafetensorsError) {
    var end = 0
    for entry in entries {
      guard entry.range.lowerBound == end else {
        let fault = entry.range.lowerBound < end ? "overlaps" : "leaves a hole after"
        throw SafetensorsError(
          .badLayout, tensor: entry.name, "its data \(fault) what comes before it")
      }
      end = entry.range.upperBound
    }
    guard end == dataCount else {
      throw SafetensorsError(
        .badLayout, "the tensors take \(end) bytes, and the file has \(dataCount)")
    }
  }
}
