// SPDX-License-Identifier: Apache-2.0

/// A value of a pickle, as far as it has to be known to tell whether LibTorch can take it.
enum PickleValue {
  case none
  case bool(Bool)
  case integer(Int64)
  case float
  case complex
  case device
  case text(ArraySlice<UInt8>)
  case elements(PickledElements)
  case scheme(Quantization)
  case global(PickleGlobal)
  /// A class that is to be given its state.
  case instance
  case storage(PickledStorage)
  case tensor(PickledTensor)
  case tuple(PickleNode)
  case list(PickleNode)
  case dictionary(PickleNode)
  case object(depth: Int)

  /// How deep what is in it is nested.
  var depth: Int {
    switch self {
    case .tuple(let node), .list(let node), .dictionary(let node): node.depth
    case .object(let depth): depth
    default: 0
    }
  }

  var string: String? {
    guard case .text(let bytes) = self, bytes.count <= 1024 else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }

  var number: Int64? { if case .integer(let value) = self { value } else { nil } }

  var isBool: Bool { if case .bool = self { true } else { false } }

  /// The elements of a tuple.
  var members: [PickleValue]? { if case .tuple(let node) = self { node.members } else { nil } }

  /// What a tuple holds where it holds numbers that count something, and few of them.
  var counts: [Int64]? {
    guard let members, members.count <= 64 else { return nil }
    let numbers = members.compactMap(\.number)
    return numbers.count == members.count && numbers.allSatisfy { $0 >= 0 } ? numbers : nil
  }

  /// How LibTorch stores a tensor whose elements are quantized.
  enum Quantization { case byTensor, byChannel }
}

/// What a tuple, a list or a dictionary holds; of a dictionary, keys and values in turn.
final class PickleNode {
  private(set) var members: [PickleValue]
  private(set) var depth: Int
  /// Whether it is part of something: nothing may be added to it from then on, so that no value is
  /// part of itself and depths are known.
  private var isPart = false

  init(_ members: [PickleValue] = []) {
    self.members = members
    depth = 1 + (members.map(\.depth).max() ?? 0)
    for member in members { Self.close(member) }
  }

  /// Adds members; false where that cannot be.
  func add(_ added: ArraySlice<PickleValue>) -> Bool {
    for member in added { Self.close(member) }
    guard !isPart else { return false }
    members += added
    depth = max(depth, 1 + (added.map(\.depth).max() ?? 0))
    return true
  }

  private static func close(_ value: PickleValue) {
    switch value {
    case .tuple(let node), .list(let node), .dictionary(let node): node.isPart = true
    default: break
    }
  }

  func close() { isPart = true }
}

/// What a pickle calls by name.
enum PickleGlobal {
  case type
  case tensor(isQuantized: Bool)
  case hooks, complex, device, tag
  case list(ListKind)

  enum ListKind: String {
    case integers = "build_intlist", tensors = "build_tensorlist"
    case floats = "build_doublelist", bools = "build_boollist"

    func takes(_ value: PickleValue) -> Bool {
      switch (self, value) {
      case (.integers, .integer), (.tensors, .tensor), (.floats, .float), (.bools, .bool): true
      default: false
      }
    }
  }
}

/// The type of a storage's elements, as PyTorch names it.
struct PickledElements {
  let name: String
  let byteCount: Int64

  var isQuantized: Bool { name.hasPrefix("Q") }

  private static let sizes: [String: Int64] = [
    "Byte": 1, "Char": 1, "Short": 2, "Int": 4, "Long": 8, "Half": 2, "Float": 4, "Double": 8,
    "ComplexHalf": 4, "ComplexFloat": 8, "ComplexDouble": 16, "Bool": 1, "BFloat16": 2,
    "QInt8": 1, "QUInt8": 1, "QInt32": 4,
  ]

  /// Nil for a type that LibTorch 1.13 does not have.
  init?(storage: String) {
    guard storage.hasSuffix("Storage"), let size = Self.sizes[String(storage.dropLast(7))] else {
      return nil
    }
    (name, byteCount) = (String(storage.dropLast(7)), size)
  }
}

/// A storage: so many elements in a record of their own.
struct PickledStorage {
  let elements: PickledElements
  let count: Int64
}

/// A tensor over a storage, within it.
struct PickledTensor {
  let sizes: [Int64]
  let elements: PickledElements

  /// Nil where it reaches beyond the storage.
  init?(_ storage: PickledStorage, offset: Int64, sizes: [Int64], strides: [Int64]) {
    guard offset >= 0, sizes.count == strides.count else { return nil }
    (self.sizes, elements) = (sizes, storage.elements)
    // The product of the sizes is taken by LibTorch without a look at its range.
    var count: Int64 = 1
    for size in sizes {
      let (product, overflow) = count.multipliedReportingOverflow(by: max(size, 1))
      guard !overflow, product <= 1 << 40 else { return nil }
      count = product
    }
    guard !sizes.contains(0) else {
      if offset > storage.count { return nil }
      return
    }
    var last = offset
    for (size, stride) in zip(sizes, strides) {
      let (reach, overflow) = stride.multipliedReportingOverflow(by: size - 1)
      let (sum, more) = last.addingReportingOverflow(reach)
      guard !overflow, !more else { return nil }
      last = sum
    }
    guard last < storage.count else { return nil }
  }
}
