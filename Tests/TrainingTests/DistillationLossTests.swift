// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import Testing
import Training

private let student = Field([2, 5, 4, 7], in: -5...5, seed: 21)
private let teacher = Field([2, 5, 4, 7], in: -5...5, seed: 22)
private let weights = Field([2, 1, 4, 7], in: 0...1, seed: 23)

private func weightTensor() throws -> Tensor { try weights.tensor().squeezed(axis: 1) }

private func reference(
  _ field: Field, _ temperature: Double, weight: (Int) -> Double
) -> Double {
  var sum = 0.0
  for cell in field.cells {
    let p = softmax(field.cell(cell).map { $0 / temperature })
    let q = softmax(teacher.cell(cell).map { $0 / temperature })
    for (p, q) in zip(p, q) { sum += weight(cell) * q * log(q / p) }
  }
  return temperature * temperature * sum / total(field.cells.map(weight))
}

private let cases = [
  LossCase("temperature 1", at: student) {
    try DistillationLoss()($0, from: teacher.tensor())
  } reference: {
    reference($0, 1) { _ in 1 }
  },
  LossCase("temperature 4, weighted", at: student) {
    try DistillationLoss(temperature: 4)(
      $0, from: teacher.tensor().channelsLast(), pixelWeights: weightTensor())
  } reference: {
    reference($0, 4) { weights.values[$0] }
  },
  LossCase("features", at: student) {
    try featureDistance($0, from: teacher.tensor())
  } reference: {
    squaredDistance($0.values, teacher.values) / 280
  },
  LossCase("features, weighted", at: student) {
    try featureDistance($0, from: teacher.tensor(), weights: weightTensor())
  } reference: { field in
    let sums = field.cells.map { cell -> Double in
      weights.values[cell] * squaredDistance(field.cell(cell), teacher.cell(cell)) / 5
    }
    return total(sums) / total(weights.values)
  },
]

@Test(arguments: cases, [false, true])
private func distillationIsWhatPlainLoopsSay(of example: LossCase, channelsLast: Bool) throws {
  try example.check(channelsLast: channelsLast)
}

@Test func manyClassesDivergeAsFewDo() throws {
  let few = try student.tensor().requiringGradient()
  let rest = try Tensor.full([2, 300, 4, 7], of: -1e3)
  let loss = DistillationLoss(temperature: 2)
  let one = try loss(few, from: teacher.tensor())
  let other = try loss(
    Tensor.concatenate([few, rest], axis: 1),
    from: Tensor.concatenate([teacher.tensor(), rest], axis: 1))
  #expect(abs(try one.item() - other.item()) < 1e-5)
  let expected = try gradients(of: one, withRespectTo: [few])[0].floats()
  let gradient = try gradients(of: other, withRespectTo: [few])[0].floats()
  #expect(zip(gradient, expected).allSatisfy { abs($0 - $1) < 1e-6 })
}

@Test func aTeacherIsNotTaught() throws {
  let one = try teacher.tensor().requiringGradient()
  let learner = try student.tensor().requiringGradient()
  let loss = try DistillationLoss()(learner, from: one) + featureDistance(learner, from: one)
  #expect(try gradients(of: loss, withRespectTo: [one])[0].floats().allSatisfy { $0 == 0 })
}

@Test func whatCountsNothingTeachesNothing() throws {
  let none = try Tensor.zeros([2, 4, 7])
  let other = try teacher.tensor()
  #expect(
    try isNothing(student.tensor()) {
      try DistillationLoss()($0, from: other, pixelWeights: none)
    })
  #expect(
    try isNothing(student.tensor()) { try featureDistance($0, from: other, weights: none) })
}

@Test func shapesThatDifferAreRefused() throws {
  let (one, other) = (try Tensor.zeros([2, 3, 4, 4]), try Tensor.zeros([1, 3, 4, 4]))
  #expect(throws: TensorError.self) { try DistillationLoss()(one, from: other) }
  #expect(throws: TensorError.self) { try featureDistance(one, from: other) }
}
