// SPDX-License-Identifier: Apache-2.0
import Tensors
import Testing
import Training

private let logits = Field([2, 4, 5, 9], in: -3...3, seed: 11)

/// Class 2 never occurs; a tenth is void.
private let labels: [UInt8] = logits.cells.map { index in
  index % 10 == 3 ? 255 : [0, 1, 3][index / 9 % 3]
}

private func labelTensor() throws -> Tensor { try Tensor(labels, shape: [2, 5, 9]) }

/// The mean over the classes that occur of one minus the overlap.
private func reference(
  _ field: Field, _ overlap: (_ hits: Double, _ sum: Double) -> Double
) -> Double {
  let losses = [0, 1, 3].map { wanted -> Double in
    var (hits, sum) = (0.0, 0.0)
    for cell in field.cells where labels[cell] != 255 {
      let share = softmax(field.cell(cell))[wanted]
      let truth = Int(labels[cell]) == wanted ? 1.0 : 0
      hits += share * truth
      sum += share + truth
    }
    return 1 - overlap(hits, sum)
  }
  return total(losses) / 3
}

private let cases = [
  LossCase("intersection over union", at: logits) {
    try SoftIoULoss(.iou)($0, labelTensor())
  } reference: {
    reference($0) { hits, sum in hits / (sum - hits) }
  },
  LossCase("dice", at: logits) {
    try SoftIoULoss(.dice)($0, labelTensor())
  } reference: {
    reference($0) { hits, sum in 2 * hits / sum }
  },
]

@Test(arguments: cases, [false, true])
private func overlapIsWhatPlainLoopsSay(of example: LossCase, channelsLast: Bool) throws {
  try example.check(channelsLast: channelsLast)
}

@Test(arguments: SoftIoULoss.Measure.allCases)
func manyClassesOverlapAsFewDo(measure: SoftIoULoss.Measure) throws {
  let few = try logits.tensor().requiringGradient()
  let many = try Tensor.concatenate([few, Tensor.full([2, 300, 5, 9], of: -1e4)], axis: 1)
  let loss = SoftIoULoss(measure)
  let (one, other) = (try loss(few, labelTensor()), try loss(many, labelTensor()))
  #expect(abs(try one.item() - other.item()) < 1e-6)
  let expected = try gradients(of: one, withRespectTo: [few])[0].floats()
  let gradient = try gradients(of: other, withRespectTo: [few])[0].floats()
  #expect(zip(gradient, expected).allSatisfy { abs($0 - $1) < 1e-6 })
}

@Test(arguments: SoftIoULoss.Measure.allCases)
func aPerfectAnswerOverlapsAndNoLabelsGiveNothing(measure: SoftIoULoss.Measure) throws {
  let loss = SoftIoULoss(measure)
  let numbers = try labelTensor().cast(to: .int64)
  let clamped = try numbers.filled(with: 0, where: numbers.equal(to: 255))
  let sure = try clamped.oneHot(classes: 4).permuted(0, 3, 1, 2).cast(to: .float32) * 100
  #expect(try abs(loss(sure, labelTensor()).item()) < 1e-6)
  let void = try Tensor.full([2, 5, 9], of: 255, type: .int64)
  #expect(try isNothing(logits.tensor()) { try loss($0, void) })
}
