// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// A damaged copy: of every five, three have flipped bits, few to many, and two are cut short.
func damaged(_ bytes: [UInt8], seed: Int) -> [UInt8] {
  var (bytes, draws) = (bytes, Draws(seed: UInt64(seed)))
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
