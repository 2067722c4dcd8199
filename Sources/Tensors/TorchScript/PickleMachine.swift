// SPDX-License-Identifier: Apache-2.0

/// Goes through a pickle as LibTorch's unpickler does, without making anything, and refuses what
/// `torch.jit.save` does not write.
///
/// The unpickler trusts what it reads: that the stack is as deep as an opcode needs, that keys come
/// with values, that a tensor lies within its storage, that memory is asked for with reason.
struct PickleMachine {
  /// What a name in the pickle may stand for.
  struct Surroundings {
    /// The size of the record of a storage's key; nil where there is none.
    var storage: (String) -> (record: String, count: Int)? = { _ in nil }
    /// Whether there is code for a class.
    var hasClass: (String) -> Bool = { _ in false }
  }

  let surroundings: Surroundings
  private let bytes: [UInt8]
  private var position = 0
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [PickleValue] = []
  private var pushed = 0

  private static let deepest = 200
  private static let mostValues = 8_000_000

  /// What the pickle stands for.
  static func value(
    of bytes: [UInt8], in surroundings: Surroundings
  ) throws(PickleFault) -> PickleValue {
    var machine = PickleMachine(surroundings: surroundings, bytes: bytes)
    return try machine.run()
  }

  private init(surroundings: Surroundings, bytes: [UInt8]) {
    (self.surroundings, self.bytes) = (surroundings, bytes)
  }

  private mutating func run() throws(PickleFault) -> PickleValue {
    guard bytes.starts(with: [0x80, 2]) else { throw fault("is not a pickle of protocol 2") }
    position = 2
    while true {
      let start = position
      let code = try byte()
      if code == UInt8(ascii: ".") { break }
      try step(code, at: start)
    }
    guard stack.count == 1, marks.isEmpty, let value = stack.last else {
      throw fault("does not end with one value")
    }
    guard position == bytes.count else { throw fault("goes on behind its end") }
    return value
  }

  func fault(_ message: String) -> PickleFault { PickleFault(message: message) }

  private mutating func step(_ code: UInt8, at start: Int) throws(PickleFault) {
    switch code {
    case UInt8(ascii: "N"): try push(.none)
    case 0x88: try push(.bool(true))
    case 0x89: try push(.bool(false))
    case UInt8(ascii: "K"): try push(.integer(Int64(try unsigned(1))))
    case UInt8(ascii: "M"): try push(.integer(Int64(try unsigned(2))))
    case UInt8(ascii: "J"):
      try push(.integer(Int64(Int32(truncatingIfNeeded: try unsigned(4)))))
    case 0x8A:
      guard try byte() == 8 else { throw fault("has an integer of a length that is not 8") }
      try push(.integer(Int64(truncatingIfNeeded: try unsigned(8))))
    case UInt8(ascii: "G"):
      _ = try unsigned(8)
      try push(.float)
    case UInt8(ascii: "X"): try push(.text(try text(Int(try unsigned(4)))))
    case UInt8(ascii: "c"): try push(global(try name(), try name()))
    case UInt8(ascii: "q"): try keep(Int(try byte()))
    case UInt8(ascii: "r"): try keep(Int(try unsigned(4)))
    case UInt8(ascii: "h"): try recall(Int(try byte()))
    case UInt8(ascii: "j"): try recall(Int(try unsigned(4)))
    case UInt8(ascii: "("): marks.append(stack.count)
    default: try build(code, at: start)
    }
  }

  private mutating func build(_ code: UInt8, at start: Int) throws(PickleFault) {
    switch code {
    case UInt8(ascii: ")"): try push(.tuple(PickleNode()))
    case UInt8(ascii: "]"): try push(.list(PickleNode()))
    case UInt8(ascii: "}"): try push(.dictionary(PickleNode()))
    case UInt8(ascii: "t"): try pushTuple(of: try toMark())
    case 0x85...0x87: try pushTuple(of: try popped(Int(code) - 0x84))
    case UInt8(ascii: "a"), UInt8(ascii: "e"):
      let added = code == UInt8(ascii: "a") ? try popped(1) : try toMark()
      guard case .list(let list) = stack.last, list.add(added[...]) else {
        throw fault("adds to what is no open list")
      }
      try checkDepth(of: list)
    case UInt8(ascii: "s"), UInt8(ascii: "u"):
      try addPairs(code == UInt8(ascii: "s") ? try popped(2) : try toMark())
    case 0x81:
      let parts = try popped(2)
      guard case .global(.type) = parts[0], parts[1].members?.isEmpty == true else {
        throw fault("makes an object of what is no class")
      }
      try push(.instance)
    case UInt8(ascii: "b"):
      let parts = try popped(2)
      guard case .instance = parts[0] else { throw fault("gives a state to what is no object") }
      close(parts[1])
      try push(.object(depth: parts[1].depth + 1))
    case UInt8(ascii: "R"):
      let parts = try popped(2)
      guard case .global(let global) = parts[0] else { throw fault("calls what is no function") }
      try push(result(of: global, parts[1]))
    case UInt8(ascii: "Q"): try push(.storage(try storage(try popped(1)[0])))
    default:
      let digits = String(code, radix: 16)
      throw fault("has the opcode 0x\(digits) at byte \(start), which TorchScript does not use")
    }
  }
}

/// What is wrong with a pickle, said of its record.
struct PickleFault: Error {
  let message: String
}

// The stack.
extension PickleMachine {
  private mutating func push(_ value: PickleValue) throws(PickleFault) {
    pushed += 1
    guard pushed <= Self.mostValues else { throw fault("has more than \(Self.mostValues) values") }
    guard value.depth <= Self.deepest else {
      throw fault("is nested more than \(Self.deepest) deep")
    }
    stack.append(value)
  }

  private func checkDepth(of node: PickleNode) throws(PickleFault) {
    if node.depth > Self.deepest { throw fault("is nested more than \(Self.deepest) deep") }
  }

  private mutating func pushTuple(of members: [PickleValue]) throws(PickleFault) {
    try push(.tuple(PickleNode(members)))
  }

  /// The last `count` values since the last mark.
  private mutating func popped(_ count: Int) throws(PickleFault) -> [PickleValue] {
    guard stack.count - (marks.last ?? 0) >= count else { throw fault("takes what is not there") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func toMark() throws(PickleFault) -> [PickleValue] {
    guard let mark = marks.popLast(), mark <= stack.count else {
      throw fault("takes what is not there")
    }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private mutating func addPairs(_ pairs: [PickleValue]) throws(PickleFault) {
    guard pairs.count % 2 == 0 else { throw fault("has a key without a value") }
    for index in stride(from: 0, to: pairs.count, by: 2) {
      switch pairs[index] {
      case .text, .integer, .float, .bool, .complex, .tensor, .device: break
      default: throw fault("has a key that cannot be one")
      }
    }
    guard case .dictionary(let dictionary) = stack.last, dictionary.add(pairs[...]) else {
      throw fault("adds to what is no open dictionary")
    }
    try checkDepth(of: dictionary)
  }

  private func close(_ value: PickleValue) {
    switch value {
    case .tuple(let node), .list(let node), .dictionary(let node): node.close()
    default: break
    }
  }

  private mutating func keep(_ index: Int) throws(PickleFault) {
    guard let last = stack.last, stack.count > marks.last ?? 0, index <= memo.count else {
      throw fault("keeps a value out of order")
    }
    if index == memo.count { memo.append(last) } else { memo[index] = last }
  }

  private mutating func recall(_ index: Int) throws(PickleFault) {
    guard index < memo.count else { throw fault("recalls a value that was not kept") }
    try push(memo[index])
  }
}

// Bytes.
extension PickleMachine {
  private mutating func byte() throws(PickleFault) -> UInt8 {
    guard position < bytes.count else { throw fault("ends too soon") }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func unsigned(_ count: Int) throws(PickleFault) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<count { value |= UInt64(try byte()) << UInt64(8 * index) }
    return value
  }

  private mutating func text(_ count: Int) throws(PickleFault) -> ArraySlice<UInt8> {
    guard count <= bytes.count - position else { throw fault("ends too soon") }
    defer { position += count }
    return bytes[position..<position + count]
  }

  /// A name that ends with its line.
  private mutating func name() throws(PickleFault) -> String {
    let rest = bytes[position...].prefix(2048)
    guard let end = rest.firstIndex(of: 0x0A),
      let name = String(validating: rest[..<end], as: UTF8.self),
      name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { throw fault("names what cannot be a name") }
    position = end + 1
    return name
  }
}
