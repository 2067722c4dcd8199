// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import TestSupport
import Testing
import Training

private let shape = [2, 5, 6, 7]
private let logits = Field(shape, in: -4...4, seed: 1)
private let classWeights: [Float] = [1, 0.5, 2, 0, 3]

/// Labels of a few blobs with void between, N × H × W.
private let labels: [UInt8] = {
  var draws = Draws(seed: 2)
  return logits.cells.map { index in
    let blob = (index / 21 + index % 7 / 3) % 5
    return UInt8.random(in: 0..<8, using: &draws) == 0 ? 255 : UInt8(blob)
  }
}()

private let pixelWeights = Field([2, 1, 6, 7], in: 0...2, seed: 3)

private func labelTensor(_ type: ElementType = .uint8) throws -> Tensor {
  try Tensor(labels, shape: [2, 6, 7]).cast(to: type)
}

private func pixelTensor() throws -> Tensor { try pixelWeights.tensor().squeezed(axis: 1) }

/// The labels at most `radius` away from a cell.
private func near(_ index: Int, radius: Int) -> Set<Int> {
  let (n, y, x) = (index / 42, index / 7 % 6, index % 7)
  var found: Set<Int> = []
  for row in max(0, y - radius)...min(5, y + radius) {
    for column in max(0, x - radius)...min(6, x + radius) {
      found.insert(Int(labels[n * 42 + row * 7 + column]))
    }
  }
  return found.subtracting([255])
}

/// The probability of the label, or of any label near.
private func probability(_ field: Field, _ index: Int, radius: Int = 0) -> Double {
  let shares = softmax(field.cell(index))
  return total(near(index, radius: radius).map { shares[$0] })
}

private func mean(
  _ field: Field, radius: Int = 0, weight: (Int) -> Double
) -> Double {
  let counted = field.cells.filter { labels[$0] != 255 }
  let losses = counted.map { index -> Double in
    -weight(index) * log(probability(field, index, radius: radius))
  }
  return total(losses) / total(counted.map(weight))
}

private let cases = [
  LossCase("labelled pixels", at: logits) {
    try CrossEntropyLoss()($0, labelTensor())
  } reference: {
    mean($0) { _ in 1 }
  },
  LossCase("class weights", at: logits) {
    try CrossEntropyLoss(classWeights: classWeights)($0, labelTensor(.int64))
  } reference: {
    mean($0) { Double(classWeights[Int(labels[$0])]) }
  },
  LossCase("pixel weights", at: logits) {
    try CrossEntropyLoss(classWeights: classWeights)(
      $0, labelTensor(), pixelWeights: pixelTensor())
  } reference: {
    mean($0) { Double(classWeights[Int(labels[$0])]) * pixelWeights.values[$0] }
  },
  LossCase("relaxed by one pixel", at: logits) {
    try CrossEntropyLoss(classWeights: classWeights, relaxedPixels: 1)($0, labelTensor())
  } reference: {
    mean($0, radius: 1) { Double(classWeights[Int(labels[$0])]) }
  },
  LossCase("relaxed by three pixels", at: logits) {
    try CrossEntropyLoss(relaxedPixels: 3)($0, labelTensor())
  } reference: {
    mean($0, radius: 3) { _ in 1 }
  },
  LossCase("hard below a threshold", at: logits) {
    try CrossEntropyLoss(hardExamples: HardExamples(threshold: 0.3, leastKept: 5))(
      $0, labelTensor())
  } reference: { field in
    mean(field) { probability(field, $0) < 0.3 ? 1 : 0 }
  },
  LossCase("the hardest thirty", at: logits) {
    try CrossEntropyLoss(hardExamples: HardExamples(threshold: 0.01, leastKept: 30))(
      $0, labelTensor())
  } reference: { field in
    let order = field.cells.filter { labels[$0] != 255 }.sorted {
      probability(field, $0) < probability(field, $1)
    }
    let kept = Set(order.prefix(30))
    return mean(field) { kept.contains($0) ? 1 : 0 }
  },
  LossCase("fewer than are to be kept", at: logits) {
    try CrossEntropyLoss(hardExamples: HardExamples(threshold: 0.01, leastKept: 3000))(
      $0, labelTensor())
  } reference: {
    mean($0) { _ in 1 }
  },
]

@Test(arguments: cases, [false, true])
private func crossEntropyIsWhatPlainLoopsSay(of example: LossCase, channelsLast: Bool) throws {
  try example.check(channelsLast: channelsLast)
}

@Test(arguments: [0, 1, 2])
func manyClassesGiveWhatFewGive(radius: Int) throws {
  // Classes that are out of reach: 300 take another path than five, to the same numbers.
  let few = try logits.tensor().requiringGradient()
  let many = try Tensor.concatenate([few, Tensor.full([2, 295, 6, 7], of: -1e4)], axis: 1)
  let loss = CrossEntropyLoss(classWeights: nil, relaxedPixels: radius)
  let expected = try gradients(of: loss(few, labelTensor()), withRespectTo: [few])[0].floats()
  let result = try loss(many, labelTensor(.int64))
  let gradient = try gradients(of: result, withRespectTo: [few])[0].floats()
  #expect(zip(gradient, expected).allSatisfy { abs($0 - $1) < 1e-6 })
}

@Test func relaxationStaysExactFarFromTheTruth() throws {
  // exp(-300) is 0 in single precision; the sum over the classes near must not be.
  let scores = try Tensor([300, 0, 2] as [Float], shape: [1, 3, 1, 1])
    .expanded(to: [1, 3, 1, 2]).contiguous().requiringGradient()
  let edge = try Tensor([1, 2] as [UInt8], shape: [1, 1, 2])
  let loss = try CrossEntropyLoss(relaxedPixels: 1)(scores, edge)
  #expect(abs(try loss.item() - Float(300 - log(1 + exp(2.0)))) < 1e-3)
  let gradient = try gradients(of: loss, withRespectTo: [scores])[0].floats()
  let share = Float(0.5 / (1 + exp(2.0)))
  let expected: [Float] = [0.5, 0.5, -share, -share, share - 0.5, share - 0.5]
  #expect(zip(gradient, expected).allSatisfy { abs($0 - $1) < 1e-5 })
}

private let losses: [CrossEntropyLoss] = [
  CrossEntropyLoss(), CrossEntropyLoss(classWeights: classWeights),
  CrossEntropyLoss(relaxedPixels: 1),
  CrossEntropyLoss(hardExamples: HardExamples(leastKept: 10)),
]

@Test(arguments: losses.indices)
func aBatchWithoutLabelsHasNoLossAndNoGradient(index: Int) throws {
  let void = try Tensor.full([2, 6, 7], of: 255, type: .uint8)
  #expect(try isNothing(logits.tensor()) { try losses[index]($0, void) })
}

@Test(arguments: [0, 1])
func voidPixelsMayHaveAnyLogits(radius: Int) throws {
  var values = [Float](repeating: 0, count: 8)
  (values[0], values[4]) = (.nan, .infinity)
  let leaf = try Tensor(values, shape: [1, 2, 2, 2]).requiringGradient()
  let labels = try Tensor([255, 0, 0, 0] as [UInt8], shape: [1, 2, 2])
  let loss = try CrossEntropyLoss(relaxedPixels: radius)(leaf, labels)
  #expect(abs(try loss.item() - 0.6931472) < 1e-6)
  let gradient = try gradients(of: loss, withRespectTo: [leaf])[0].floats()
  #expect(gradient[0] == 0 && gradient[4] == 0 && gradient.allSatisfy(\.isFinite))
}

@Test func aDivergedNetworkIsNoticed() throws {
  for bad in [Float.nan, .infinity] {
    let scores = try Tensor([bad, 0, 1], shape: [1, 3, 1, 1])
    let label = try Tensor([1] as [UInt8], shape: [1, 1, 1])
    #expect(try !CrossEntropyLoss()(scores, label).isFinite())
    #expect(try !CrossEntropyLoss(relaxedPixels: 1)(scores, label).isFinite())
  }
}

@Test(arguments: [ElementType.uint8, .int64])
func aLabelThatIsNoClassIsRefused(type: ElementType) throws {
  let labels = try Tensor([0, 5, 255, 1] as [UInt8], shape: [1, 2, 2]).cast(to: type)
  let scores = try Tensor.zeros([1, 5, 2, 2])
  let error = try #require(throws: TensorError.self) { try CrossEntropyLoss()(scores, labels) }
  #expect(error.code == .badArgument && error.message.contains("label 5 is none of 5 classes"))
}

@Test func voidMayBeAnyNumber() throws {
  let scores = try Tensor([0, 0, 0, 2] as [Float], shape: [1, 2, 1, 2])
  let expected = Float(log(1 + exp(-2.0)))
  for (void, labels) in [(0, [0, 1]), (-100, [-100, 1]), (7, [7, 1])] as [(Int, [Int64])] {
    let given = try Tensor(labels, shape: [1, 1, 2])
    let loss = try CrossEntropyLoss(void: void)(scores, given).item()
    #expect(abs(loss - expected) < 1e-6)
  }
}

@Test func crossEntropyIsThatOfLibTorch() throws {
  let scores = try Tensor.normal([2, 11, 33, 47], deviation: 6, seed: 5).requiringGradient()
  var draws = Draws(seed: 6)
  let numbers = (0..<2 * 33 * 47).map { _ in UInt8.random(in: 0...11, using: &draws) }
  let truth = try Tensor(numbers, shape: [2, 33, 47])
  let weights = draws.doubles(11, in: 0.1...3).map { Float($0) }
  let ours = try CrossEntropyLoss(void: 11, classWeights: weights)(scores, truth)
  let theirs = try scores.crossEntropy(
    truth, weights: Tensor(weights, shape: [11]), ignoring: 11)
  #expect(abs(try ours.item() - theirs.item()) < 2e-6 * abs(try theirs.item()))
  let gradient = try gradients(of: ours, withRespectTo: [scores])[0].floats()
  let expected = try gradients(of: theirs, withRespectTo: [scores])[0].floats()
  #expect(zip(gradient, expected).allSatisfy { abs($0 - $1) < 1e-9 })
}
