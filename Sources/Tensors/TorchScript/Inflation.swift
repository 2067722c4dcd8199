// SPDX-License-Identifier: Apache-2.0

/// Inflates what is packed by the deflate method (RFC 1951).
struct Inflation {
  private let input: [UInt8]
  private var position = 0
  private var held: UInt32 = 0
  private var heldCount = 0
  private var output: [UInt8] = []
  private let count: Int

  /// The `count` bytes that `input` stands for; nil where it stands for anything else.
  static func inflate(_ input: [UInt8], count: Int) -> [UInt8]? {
    // A byte gives at most 1032: what claims more is not worth its memory.
    guard count >= 0, count / 1032 <= input.count + 1 else { return nil }
    var inflation = Inflation(input, count: count)
    guard (try? inflation.run()) != nil, inflation.output.count == count,
      inflation.position == input.count
    else { return nil }
    return inflation.output
  }

  private struct Damage: Error {}

  private init(_ input: [UInt8], count: Int) {
    (self.input, self.count) = (input, count)
    output.reserveCapacity(count)
  }

  private mutating func run() throws(Damage) {
    var isLast = false
    while !isLast {
      isLast = try bits(1) == 1
      switch try bits(2) {
      case 0: try copyStored()
      case 1: try decode(Self.usualLiterals, Self.usualDistances)
      case 2:
        let (literals, distances) = try codes()
        try decode(literals, distances)
      default: throw Damage()
      }
    }
  }

  private mutating func bits(_ wanted: Int) throws(Damage) -> Int {
    while heldCount < wanted {
      guard position < input.count else { throw Damage() }
      held |= UInt32(input[position]) << UInt32(heldCount)
      (position, heldCount) = (position + 1, heldCount + 8)
    }
    let value = held & ((1 << UInt32(wanted)) - 1)
    (held, heldCount) = (held >> UInt32(wanted), heldCount - wanted)
    return Int(value)
  }

  private mutating func copyStored() throws(Damage) {
    (held, heldCount) = (0, 0)
    let (length, complement) = (try bits(16), try bits(16))
    guard length == ~complement & 0xFFFF, length <= input.count - position,
      length <= count - output.count
    else { throw Damage() }
    output += input[position..<position + length]
    position += length
  }

  private mutating func decode(_ literals: Code, _ distances: Code) throws(Damage) {
    while true {
      let symbol = try symbol(of: literals)
      if symbol < 256 {
        guard output.count < count else { throw Damage() }
        output.append(UInt8(symbol))
        continue
      }
      if symbol == 256 { return }
      guard symbol - 257 < Self.lengths.count else { throw Damage() }
      let length = Self.lengths[symbol - 257] + (try bits(Self.lengthBits[symbol - 257]))
      let place = try self.symbol(of: distances)
      guard place < Self.distances.count else { throw Damage() }
      let distance = Self.distances[place] + (try bits(Self.distanceBits[place]))
      guard distance <= output.count, length <= count - output.count else { throw Damage() }
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
  }
}

// Huffman codes.
extension Inflation {
  /// A canonical code: how many symbols have each length, and the symbols in order.
  fileprivate struct Code {
    var counts = [Int](repeating: 0, count: 16)
    var symbols: [Int] = []

    /// Nil where more symbols have codes than there are codes.
    init?(lengths: [Int]) {
      for length in lengths { counts[length] += 1 }
      counts[0] = 0
      var left = 1
      for length in 1..<16 {
        left = 2 * left - counts[length]
        guard left >= 0 else { return nil }
      }
      symbols = lengths.indices.filter { lengths[$0] > 0 }
        .sorted { (lengths[$0], $0) < (lengths[$1], $1) }
    }
  }

  private mutating func symbol(of code: Code) throws(Damage) -> Int {
    var (value, first, index) = (0, 0, 0)
    for length in 1..<16 {
      value |= try bits(1)
      let count = code.counts[length]
      if value - first < count { return code.symbols[index + value - first] }
      (index, first, value) = (index + count, (first + count) << 1, value << 1)
    }
    throw Damage()
  }

  private mutating func codes() throws(Damage) -> (literals: Code, distances: Code) {
    let (literals, distances) = (try bits(5) + 257, try bits(5) + 1)
    var lengths = [Int](repeating: 0, count: 19)
    for place in Self.order.prefix(try bits(4) + 4) { lengths[place] = try bits(3) }
    guard let code = Code(lengths: lengths) else { throw Damage() }
    lengths = []
    while lengths.count < literals + distances {
      let symbol = try symbol(of: code)
      switch symbol {
      case 16:
        guard let last = lengths.last else { throw Damage() }
        lengths += [Int](repeating: last, count: try bits(2) + 3)
      case 17: lengths += [Int](repeating: 0, count: try bits(3) + 3)
      case 18: lengths += [Int](repeating: 0, count: try bits(7) + 11)
      default: lengths.append(symbol)
      }
    }
    guard lengths.count == literals + distances,
      let first = Code(lengths: Array(lengths[..<literals])),
      let second = Code(lengths: Array(lengths[literals...]))
    else { throw Damage() }
    return (first, second)
  }

  private static let order = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
  ]
  private static let lengths = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
  ]
  private static let lengthBits = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let distances = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
    3073, 4097, 6145, 8193, 12289, 16385, 24577,
  ]
  private static let distanceBits = [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13,
    13,
  ]
  private static let usualLiterals = fixed(
    (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
  private static let usualDistances = fixed([Int](repeating: 5, count: 30))

  private static func fixed(_ lengths: [Int]) -> Code {
    guard let code = Code(lengths: lengths) else { preconditionFailure("the fixed code is one") }
    return code
  }
}
