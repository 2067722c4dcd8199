// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import TestSupport
import Testing
import Training

private let known: [UInt8] = {
  var draws = Draws(seed: 44)
  return (0..<2 * 96).map { _ in UInt8.random(in: 0..<3, using: &draws) == 0 ? 0 : 1 }
}()

private func knownTensor() throws -> Tensor { try Tensor(known, shape: [2, 8, 12]) }

private let current = Field([2, 3, 8, 12], in: 0...1, seed: 45)
private let reference = Field([2, 3, 8, 12], in: 0...1, seed: 46)
private let small = Field([2, 2, 8, 12], in: -2...2, seed: 47)

/// The mean penalty over places that are known and inside.
private func slowPhotometric(_ motion: Field, _ exponent: Double) -> Double {
  let carried = slowWarp(reference, along: motion)
  var (sum, count) = (0.0, 0.0)
  for n in 0..<2 {
    for y in 0..<8 {
      for x in 0..<12 where known[n * 96 + y * 12 + x] != 0 && reads(motion, inside: n, y, x) {
        for c in 0..<3 {
          let difference = current[n, c, y, x] - carried[n, c, y, x]
          sum += pow(difference * difference + 1e-6, exponent)
          count += 1
        }
      }
    }
  }
  return sum / count
}

@Test(arguments: [0.25, 0.45])
func photometricLossIsWhatPlainLoopsSay(exponent: Double) throws {
  try LossCase("photometric", at: small) {
    try PhotometricLoss(exponent: Float(exponent))(
      current.tensor(), reference.tensor(), along: $0, known: knownTensor())
  } reference: {
    slowPhotometric($0, exponent)
  }.check(within: 2e-3)
}

@Test func placesOutsideAreNotCompared() throws {
  let away = try Tensor.full([2, 2, 8, 12], of: 100)
  #expect(
    try isNothing(away) {
      try PhotometricLoss()(current.tensor(), reference.tensor(), along: $0)
    })
}
