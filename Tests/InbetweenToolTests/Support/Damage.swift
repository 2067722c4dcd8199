// SPDX-License-Identifier: Apache-2.0

/// Numbers that are the same in every run (SplitMix64; Steele, Lea and Flood, 2014).
struct Draws: RandomNumberGenerator {
  private var state: UInt64
  init(seed: Int) { state = UInt64(seed) }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// A damaged copy: of every five, three have flipped bits, few to many, and two are cut short.
func damaged(_ bytes: [UInt8], seed: Int) -> [UInt8] {
  var (bytes, draws) = (bytes, Draws(seed: seed))
  guard seed % 5 < 3 else {
    return Array(bytes.prefix(.random(in: 1..<bytes.count, using: &draws)))
  }
  let rates = [0.0001, 0.001, 0.01]
  for _ in 0..<max(1, Int(rates[seed % 5] * Double(bytes.count * 8))) {
    let at = Int.random(in: bytes.indices, using: &draws)
    bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &draws)
  }
  return bytes
}

/// The same bytes with the movie's header made unfindable.
func withoutHeader(_ bytes: [UInt8]) -> [UInt8] {
  var bytes = bytes
  for at in 0..<(bytes.count - 4) where Array(bytes[at..<at + 4]) == Array("moov".utf8) {
    bytes.replaceSubrange(at..<at + 4, with: Array("gone".utf8))
  }
  return bytes
}
