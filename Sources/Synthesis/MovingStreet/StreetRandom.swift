// SPDX-License-Identifier: Apache-2.0

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the street's only source of chance.
struct StreetRandom: Sendable {
  private var state: UInt64

  /// A stream of its own for every combination of seed and keys.
  init(seed: UInt64, _ keys: Int...) {
    state = seed &+ 0x9E37_79B9_7F4A_7C15
    for key in keys { state = Self.mixed(state ^ Self.mixed(UInt64(bitPattern: Int64(key)))) }
  }

  static func mixed(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func next() -> UInt64 {
    state = state &+ 0x9E37_79B9_7F4A_7C15
    return Self.mixed(state)
  }

  /// A number in 0 ..< 1.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  mutating func between(_ low: Double, _ high: Double) -> Double { low + (high - low) * unit() }

  mutating func chance(_ probability: Double) -> Bool { unit() < probability }

  mutating func below(_ count: Int) -> Int { Int(unit() * Double(count)) }

  /// One of `choices`, which must not be empty.
  mutating func pick<Choice>(_ choices: [Choice]) -> Choice { choices[below(choices.count)] }
}

/// A quick integer hash for use once a sample, where a stream would be too slow.
@inline(__always)
func hashed(_ a: Int32, _ b: Int32, _ seed: UInt32) -> UInt32 {
  var h = UInt32(bitPattern: a) &* 0x85EB_CA6B ^ UInt32(bitPattern: b) &* 0xC2B2_AE35 ^ seed
  h = (h ^ (h >> 15)) &* 0x2C1B_3C6D
  h = (h ^ (h >> 12)) &* 0x297A_2D39
  return h ^ (h >> 15)
}

/// A number in 0 ..< 1 out of byte `byte` and its neighbour of a hash.
@inline(__always)
func fraction(_ hash: UInt32, _ byte: UInt32 = 0) -> Float {
  Float((hash >> (byte * 8)) & 0xFF) * (1 / 256)
}
