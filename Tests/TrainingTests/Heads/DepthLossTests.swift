// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import TestSupport
import Testing
import Training

private let logDepths = Field([2, 1, 7, 9], in: 0...3, seed: 5)

/// Metres; about a fifth of them unknown.
private let depths: [Float] = {
  var draws = Draws(seed: 6)
  return logDepths.cells.map { $0 % 5 == 2 ? 0 : Float.random(in: 1...30, using: &draws) }
}()

private func depthTensor() throws -> Tensor { try Tensor(depths, shape: [2, 1, 7, 9]) }

/// The two papers' formulae over single pixels.
private func reference(_ field: Field, _ loss: DepthLoss) -> Double {
  func known(_ n: Int, _ y: Int, _ x: Int) -> Bool { depths[(n * 7 + y) * 9 + x] > 0 }
  func error(_ n: Int, _ y: Int, _ x: Int) -> Double {
    field[n, 0, y, x] - log(Double(depths[(n * 7 + y) * 9 + x]))
  }
  var sum = 0.0
  for n in 0..<2 {
    let errors = (0..<63).filter { known(n, $0 / 9, $0 % 9) }.map { error(n, $0 / 9, $0 % 9) }
    let count = Double(errors.count)
    let squares = total(errors.map { $0 * $0 }) / count
    let mean = total(errors) / count
    sum += (squares - Double(loss.variance) * mean * mean) / 2
  }
  for scale in 0..<(loss.gradient > 0 ? loss.scales : 0) {
    let step = 1 << scale
    var (changes, count) = (0.0, 0.0)
    for n in 0..<2 {
      for y in stride(from: 0, to: 7, by: step) {
        for x in stride(from: 0, to: 9, by: step) where known(n, y, x) {
          count += 1
          if x + step < 9, known(n, y, x + step) {
            changes += abs(error(n, y, x + step) - error(n, y, x))
          }
          if y + step < 7, known(n, y + step, x) {
            changes += abs(error(n, y + step, x) - error(n, y, x))
          }
        }
      }
    }
    sum += loss.gradient * changes / count
  }
  return sum
}

private let losses = [
  DepthLoss(variance: 0.5, gradient: 0), DepthLoss(variance: 1, gradient: 0),
  DepthLoss(variance: 0, gradient: 0.7, scales: 1),
  DepthLoss(variance: 0.5, gradient: 2, scales: 3),
]

private let cases = losses.map { loss in
  LossCase("\(loss)", at: logDepths) {
    try loss($0, depthTensor())
  } reference: {
    reference($0, loss)
  }
}

@Test(arguments: cases) private func depthsAreAsFarOffAsPlainLoopsSay(example: LossCase) throws {
  try example.check()
}

@Test func aWrongScaleOfAPictureCostsNothingWhereTheLossIsInvariant() throws {
  let truth = try Tensor.full([1, 1, 4, 6], of: 7)
  let said = try truth.log() + 0.8
  let invariant = try DepthLoss(variance: 1, gradient: 1)(said, truth).item()
  let plain = try DepthLoss(variance: 0, gradient: 1)(said, truth).item()
  #expect(abs(invariant) < 1e-5 && abs(plain - 0.64) < 1e-5)
}

@Test func unknownDepthsTeachNothing() throws {
  let unknown = try Tensor.zeros([2, 1, 7, 9])
  #expect(try isNothing(logDepths.tensor()) { try DepthLoss()($0, unknown) })
}
