// SPDX-License-Identifier: Apache-2.0
import Tensors
import Testing

@Test(arguments: [1, 2, 11, 19, 255, 256])
func everyPairOfLabelsIsCountedOnce(classes: Int) throws {
  var draws = Draws(seed: UInt64(classes))
  var (truth, predicted): ([UInt8], [UInt8]) = ([], [])
  while truth.count < 5003 {
    // Runs, as in label maps, of any length.
    let length = Int.random(in: 1...40, using: &draws)
    truth += [UInt8](repeating: .random(in: 0...255, using: &draws), count: length)
    predicted += (0..<length).map { _ in
      Int.random(in: 0..<9, using: &draws) == 0 ? .random(in: 0...255, using: &draws) : 7
    }
  }
  var expected = [Int64](repeating: 3, count: classes * (classes + 1))
  for (row, column) in zip(truth, predicted) where row < classes {
    expected[Int(row) * (classes + 1) + min(Int(column), classes)] += 1
  }
  var counts = [Int64](repeating: 3, count: classes * (classes + 1))
  try truth.withUnsafeBytes { truth in
    try predicted.withUnsafeBytes {
      try countConfusion(of: $0, against: truth, classes: classes, in: &counts)
    }
  }
  #expect(counts == expected)
}

@Test func labelsThatDoNotGoTogetherAreNotCounted() {
  let labels: [UInt8] = [0, 1, 2]
  for (classes, size) in [(2, 6), (3, 9), (0, 0), (257, 257 * 258)] {
    var counts = [Int64](repeating: 0, count: size)
    #expect(throws: TensorError.self) {
      try labels.withUnsafeBytes {
        let truth = classes == 2 ? UnsafeRawBufferPointer(rebasing: $0[1...]) : $0
        try countConfusion(of: $0, against: truth, classes: classes, in: &counts)
      }
    }
  }
}
