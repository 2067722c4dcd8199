// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import Testing
import Training

private let shape = [2, 3, 5, 6]
private let scores = Field(shape, in: -2...2, seed: 31)
private let otherScores = Field(shape, in: -2...2, seed: 32)
private let image = Field(shape, in: -1...1, seed: 33)
private let otherImage = Field(shape, in: -1...1, seed: 34)
private let motion = Field([2, 2, 5, 6], in: -2...2, seed: 35)
private let known: [UInt8] = (0..<60).map { $0 % 4 == 0 ? 0 : 1 }

private func knownTensor() throws -> Tensor { try Tensor(known, shape: [2, 5, 6]) }

private func confidence(byChannel: Bool = false) throws -> Tensor {
  try motionConfidence(
    image.tensor(), otherImage.tensor(), along: motion.tensor(), known: knownTensor(),
    byChannel: byChannel)
}

private func slowConfidence(_ cell: Int, byChannel: Bool = false) -> Double {
  let carried = slowWarp(otherImage, along: motion).cell(cell)
  let errors: [Double] = zip(image.cell(cell), carried).map { $0 - $1 }
  let sum = byChannel ? total(errors.map { abs($0) }) : abs(total(errors))
  return exp(-sum)
}

private func reference(_ current: Field, _ other: Field, weight: (Int) -> Double) -> Double {
  let carried = slowWarp(other, along: motion)
  let sums = current.cells.map { cell -> Double in
    weight(cell) * weight(cell) * squaredDistance(current.cell(cell), carried.cell(cell))
  }
  return total(sums) / Double(current.values.count)
}

private let cases = [
  LossCase("of this frame's scores", at: scores) {
    try temporalConsistencyLoss(
      $0, otherScores.tensor(), along: motion.tensor(), confidence: confidence(),
      known: knownTensor())
  } reference: {
    reference($0, otherScores) { known[$0] == 0 ? 0 : slowConfidence($0) }
  },
  LossCase("of the other frame's scores", at: otherScores) {
    try temporalConsistencyLoss(scores.tensor(), $0, along: motion.tensor())
  } reference: {
    reference(scores, $0) { _ in 1 }
  },
]

@Test(arguments: cases, [false, true])
private func temporalConsistencyIsWhatPlainLoopsSay(
  of example: LossCase, channelsLast: Bool
) throws {
  try example.check(channelsLast: channelsLast)
}

@Test(arguments: [false, true])
func confidenceFallsWithTheErrorOfTheCarriedPicture(byChannel: Bool) throws {
  let result = try confidence(byChannel: byChannel).floats()
  for (cell, value) in result.enumerated() {
    let expected = known[cell] == 0 ? 0 : slowConfidence(cell, byChannel: byChannel)
    #expect(abs(Double(value) - expected) < 1e-5)
  }
}

@Test func whatIsCarriedExactlyIsConsistent() throws {
  let still = try Tensor.zeros([2, 2, 5, 6])
  let frame = try scores.tensor()
  #expect(try isNothing(frame) { try temporalConsistencyLoss($0, frame, along: still) })
  let sure = try motionConfidence(frame, frame, along: still)
  #expect(try sure.floats().allSatisfy { $0 == 1 })
}

@Test func neitherMotionNorConfidenceLearnsFromConsistency() throws {
  let moving = try motion.tensor().requiringGradient()
  let trust = try Tensor.full([2, 5, 6], of: 0.5).requiringGradient()
  let frame = try scores.tensor().requiringGradient()
  let loss = try temporalConsistencyLoss(
    frame, otherScores.tensor(), along: moving, confidence: trust)
  let found = try gradients(of: loss, withRespectTo: [moving, trust])
  #expect(try found.allSatisfy { try $0.floats().allSatisfy { $0 == 0 } })
}

@Test func unknownMotionMayBeNaN() throws {
  var numbers = motion.values
  (numbers[0], numbers[30]) = (.nan, .nan)
  let broken = try motion.replacing(numbers).tensor()
  let frame = try scores.tensor().requiringGradient()
  let loss = try temporalConsistencyLoss(
    frame, otherScores.tensor(), along: broken, known: knownTensor())
  #expect(try loss.isFinite())
  #expect(try gradients(of: loss, withRespectTo: [frame])[0].isFinite())
}
