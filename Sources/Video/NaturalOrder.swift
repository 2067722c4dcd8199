// SPDX-License-Identifier: Apache-2.0

/// Whether `lhs` comes before `rhs` when runs of digits count as numbers: `img2` before `img10`.
package func precedesNaturally(_ lhs: String, _ rhs: String) -> Bool {
  let (left, right) = (chunks(of: lhs), chunks(of: rhs))
  for (one, other) in zip(left, right) where one != other {
    let areNumbers = isNumber(one) && isNumber(other)
    let (a, b) = areNumbers ? (withoutZeros(one), withoutZeros(other)) : (one, other)
    if areNumbers && a.count != b.count { return a.count < b.count }
    if !a.elementsEqual(b) { return a.lexicographicallyPrecedes(b) }
  }
  if left.count != right.count { return left.count < right.count }
  return lhs.utf8.lexicographicallyPrecedes(rhs.utf8)
}

private func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
private func isNumber(_ chunk: ArraySlice<UInt8>) -> Bool { chunk.first.map(isDigit) ?? false }
private func withoutZeros(_ chunk: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  chunk.drop { $0 == 48 }
}

/// A name cut into runs of digits and runs of other bytes.
private func chunks(of name: String) -> [ArraySlice<UInt8>] {
  let bytes = Array(name.utf8)
  var (chunks, start) = ([ArraySlice<UInt8>](), 0)
  for index in bytes.indices.dropFirst() where isDigit(bytes[index]) != isDigit(bytes[index - 1]) {
    chunks.append(bytes[start..<index])
    start = index
  }
  return bytes.isEmpty ? [] : chunks + [bytes[start...]]
}
