// SPDX-License-Identifier: Apache-2.0

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a stream of its own for every seed and keys.
///
/// What is drawn for a step follows from the step's number, so that a resumed run draws the same.
public struct RandomStream: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// The stream of a seed and any number of keys, such as a step and a place in its batch.
  public init(seed: UInt64, _ keys: Int...) {
    state = seed
    for key in keys { state = Self.mixed(state ^ Self.mixed(UInt64(bitPattern: Int64(key)))) }
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    defer { state &+= 0x9E37_79B9_7F4A_7C15 }
    return Self.mixed(state)
  }

  /// A number in 0 ..< 1.
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number in `range`.
  public mutating func draw(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * unit()
  }

  /// A number in 0 ..< count.
  public mutating func below(_ count: Int) -> Int { Int(unit() * Double(count)) }

  /// The numbers 0 ..< count in an order of their own (Fisher and Yates).
  public mutating func permutation(of count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) { order.swapAt(last, below(last + 1)) }
    return order
  }
}
