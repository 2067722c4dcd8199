// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import Testing
import Training

private let map = Field([2, 1, 2, 3], in: 0.05...0.95, seed: 61)
// As large as the labels, so that interpolation has nothing to do.
private let scores = Field([2, 4, 4, 6], in: -3...3, seed: 62)
private let labels: [UInt8] = (0..<48).map { UInt8(($0 * 7 + $0 / 5) % 4) }
private let known: [UInt8] = (0..<48).map { $0 % 5 == 0 || $0 / 6 == 0 ? 0 : 1 }

/// The pixels of a cell of the map, which spans two by two.
private func pixels(of cell: Int) -> [Int] {
  let (image, at) = cell.quotientAndRemainder(dividingBy: 6)
  let (y, x) = (2 * (at / 3), 2 * (at % 3))
  return [(y, x), (y, x + 1), (y + 1, x), (y + 1, x + 1)].map { image * 24 + $0.0 * 6 + $0.1 }
}

private func reference(_ map: Field, weight: (Int) -> Double) -> Double {
  let sums = map.cells.map { cell -> Double in
    let wrong = pixels(of: cell).count { pixel in
      let all = scores.cell(pixel)
      return all.firstIndex(of: all.max() ?? 0) != Int(labels[pixel])
    }
    let (share, value) = (Double(wrong) / 4, map.values[cell])
    return -weight(cell) * (share * log(value + 1e-6) + (1 - share) * log(1 - value + 1e-6))
  }
  return total(sums) / total(map.cells.map(weight))
}

private let cases = [
  LossCase("everywhere", at: map) {
    try errorMapLoss($0, of: scores.tensor(), labels: Tensor(labels, shape: [2, 4, 6]))
  } reference: {
    reference($0) { _ in 1 }
  },
  LossCase("where it is known", at: map) {
    try errorMapLoss(
      $0, of: scores.tensor(), labels: Tensor(labels, shape: [2, 4, 6]),
      known: Tensor(known, shape: [2, 4, 6]).cast(to: .float32))
  } reference: {
    reference($0) { cell in Double(pixels(of: cell).count { known[$0] == 1 }) / 4 }
  },
]

@Test(arguments: cases)
private func anErrorMapLosesWhatPlainLoopsSay(of example: LossCase) throws {
  try example.check(within: 5e-4)
}

@Test func onlyTheMapIsTaught() throws {
  let leaf = try scores.tensor().requiringGradient()
  let taught = try map.tensor().requiringGradient()
  let loss = try errorMapLoss(taught, of: leaf, labels: Tensor(labels, shape: [2, 4, 6]))
  #expect(try loss.item() > 0)
  let gradient = try gradients(of: loss, withRespectTo: [taught])[0].floats()
  #expect(gradient.contains { $0 != 0 })
}
