// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import TestSupport
import Testing
import Training

private let motion = Field([2, 2, 8, 12], in: -30...30, seed: 41)
private let fine = Field([2, 2, 4, 6], in: -2...2, seed: 42)
private let coarse = Field([2, 2, 2, 3], in: -2...2, seed: 43)
private let known: [UInt8] = {
  var draws = Draws(seed: 44)
  // The upper left window of 4 × 4 is unknown as a whole, of the rest a third.
  return (0..<2 * 96).map { index in
    if index / 12 % 8 < 4, index % 12 < 4 { return 0 }
    return UInt8.random(in: 0..<3, using: &draws) == 0 ? 0 : 1
  }
}()

private func knownTensor() throws -> Tensor { try Tensor(known, shape: [2, 8, 12]) }

/// What is unknown is NaN, as estimators leave it.
private func motionTensor() throws -> Tensor {
  let values = motion.values.indices.map { index in
    let (n, at) = (index / 192, index % 96)
    return known[n * 96 + at] == 0 ? Float.nan : Float(motion.values[index])
  }
  return try Tensor(values, shape: [2, 2, 8, 12])
}

/// The mean known motion of a window and how much of it is known.
private func window(
  _ n: Int, _ y: Int, _ x: Int, side: Int
) -> (dx: Double, dy: Double, share: Double) {
  var (dx, dy, count) = (0.0, 0.0, 0.0)
  for row in y * side..<(y + 1) * side {
    for column in x * side..<(x + 1) * side where known[n * 96 + row * 12 + column] != 0 {
      dx += motion[n, 0, row, column]
      dy += motion[n, 1, row, column]
      count += 1
    }
  }
  return (dx / max(count, 1), dy / max(count, 1), count / Double(side * side))
}

/// Σ share · penalty(error) and Σ share of one size.
private func level(
  _ estimate: Field, side: Int, penalty: (Double) -> Double
) -> (sum: Double, count: Double) {
  var (sum, count) = (0.0, 0.0)
  for n in 0..<2 {
    for y in 0..<estimate.height {
      for x in 0..<estimate.width {
        let truth = window(n, y, x, side: side)
        let (dx, dy) = (
          estimate[n, 0, y, x] - truth.dx / 20, estimate[n, 1, y, x] - truth.dy / 20
        )
        sum += truth.share * penalty((dx * dx + dy * dy).squareRoot())
        count += truth.share
      }
    }
  }
  return (sum, count)
}

private let cases = [
  LossCase("the finer of two sizes", at: fine) {
    try FlowLoss(weights: [0.005, 0.32])(
      [$0, coarse.tensor()], of: motionTensor(), known: knownTensor())
  } reference: {
    0.005 * level($0, side: 2, penalty: { $0 }).sum / 2
      + 0.32 * level(coarse, side: 4, penalty: { $0 }).sum / 2
  },
  LossCase("the coarser of two sizes, robust", at: coarse) {
    try FlowLoss(weights: [0.1, 0.32], robustness: .init())(
      [fine.tensor(), $0], of: motionTensor(), known: knownTensor())
  } reference: {
    let penalty = { (error: Double) in pow(error + 0.01, 0.4) }
    return 0.1 * level(fine, side: 2, penalty: penalty).sum / 2
      + 0.32 * level($0, side: 4, penalty: penalty).sum / 2
  },
  LossCase("averaged over what is known", at: coarse) {
    try FlowLoss(weights: [1], reduction: .mean)([$0], of: motionTensor(), known: knownTensor())
  } reference: {
    let all = level($0, side: 4) { $0 }
    return all.sum / all.count
  },
]

@Test(arguments: cases)
private func flowLossIsWhatPlainLoopsSay(of example: LossCase) throws { try example.check() }

@Test func averagingLeavesTheUnitOfMotionAlone() throws {
  let (size, even) = (Extent(height: 2, width: 3), try Tensor.full([1, 2, 8, 12], of: 7))
  let (mean, share) = try averagedMotion(even, to: size)
  #expect(try mean.floats().allSatisfy { $0 == 7 } && share.floats().allSatisfy { $0 == 1 })
  let none = try averagedMotion(even, known: .zeros([1, 8, 12], type: .uint8), to: size)
  #expect(try none.motion.floats().allSatisfy { $0 == 0 })
  #expect(try none.share.floats().allSatisfy { $0 == 0 })
}

@Test(arguments: [FlowLoss.Reduction.imageSum, .mean])
func unknownMotionTeachesNothing(reduction: FlowLoss.Reduction) throws {
  let unknown = try Tensor.zeros([2, 8, 12], type: .uint8)
  let truth = try Tensor.full([2, 2, 8, 12], of: .nan)
  let loss = FlowLoss(weights: [1], reduction: reduction, robustness: .init())
  #expect(try isNothing(fine.tensor()) { try loss([$0], of: truth, known: unknown) })
}

@Test func aPerfectEstimateHasAGradientThatIsANumber() throws {
  let truth = try Tensor.full([1, 2, 4, 4], of: 20)
  let estimate = try Tensor.ones([1, 2, 2, 2])
  #expect(try isNothing(estimate) { try FlowLoss(weights: [1])([$0], of: truth) })
}

@Test func estimatesGoWithWeights() throws {
  let error = try #require(throws: TensorError.self) {
    try FlowLoss()([fine.tensor()], of: motion.tensor())
  }
  #expect(error.code == .badArgument && error.message.contains("1 estimates"))
}

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
