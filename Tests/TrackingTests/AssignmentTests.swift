// SPDX-License-Identifier: Apache-2.0
import Testing
import Tracking

@Suite struct AssignmentTests {
  /// The best sum of all ways to pair, by trying them.
  private func bruteForce(_ gains: [Double], _ rows: Int, _ columns: Int) -> Double {
    func best(from row: Int, _ free: Set<Int>) -> Double {
      if row == rows { return 0 }
      var sum = best(from: row + 1, free)
      for column in free {
        let gain = gains[row * columns + column]
        if gain > 0 { sum = max(sum, gain + best(from: row + 1, free.subtracting([column]))) }
      }
      return sum
    }
    return best(from: 0, Set(0..<columns))
  }

  @Test func pairsAreTheBestThatTryingAllWaysFinds() {
    var random = SeededNumbers(seed: 5)
    for _ in 0..<300 {
      let (rows, columns) = (
        Int.random(in: 0...5, using: &random), Int.random(in: 0...5, using: &random)
      )
      let gains = (0..<rows * columns).map { _ in
        Bool.random(using: &random) ? 0 : Double.random(in: 0...1, using: &random)
      }
      let found = bestAssignment(gains: gains, rows: rows, columns: columns)
      let pairs = found.enumerated().compactMap { row, column in column.map { (row, $0) } }
      #expect(Set(pairs.map(\.1)).count == pairs.count, "a column was given twice")
      #expect(pairs.allSatisfy { gains[$0 * columns + $1] > 0 })
      let sum = pairs.reduce(0) { $0 + gains[$1.0 * columns + $1.1] }
      #expect(abs(sum - bruteForce(gains, rows, columns)) < 1e-9)
    }
  }

  @Test func whatIsNoNumberIsNoPair() {
    #expect(bestAssignment(gains: [.nan, .infinity], rows: 1, columns: 2) == [nil])
  }
}

/// The same numbers in every run (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
