// SPDX-License-Identifier: Apache-2.0
import Backbone
import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import Training
import Video

private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

/// -α (1 - p)^γ log p for an object, -(1 - α) p^γ log(1 - p) for the rest.
private func slowFocal(_ logit: Double, isObject: Bool, alpha: Double, gamma: Double) -> Double {
  let p = sigmoid(logit)
  return isObject
    ? -alpha * pow(1 - p, gamma) * log(p) : -(1 - alpha) * pow(p, gamma) * log(1 - p)
}

/// One minus the generalised overlap of boxes told by their corners.
private func slowGIoU(_ a: [Double], _ b: [Double]) -> Double {
  func corners(_ d: [Double]) -> [Double] { [-d[0], -d[1], d[2], d[3]] }
  let (p, q) = (corners(a), corners(b))
  func area(_ c: [Double]) -> Double { max(0, c[2] - c[0]) * max(0, c[3] - c[1]) }
  let common = area([max(p[0], q[0]), max(p[1], q[1]), min(p[2], q[2]), min(p[3], q[3])])
  let hull = area([min(p[0], q[0]), min(p[1], q[1]), max(p[2], q[2]), max(p[3], q[3])])
  let union = area(p) + area(q) - common
  return 1 - (common / union - (hull - union) / hull)
}

private let logits = Field([2, 3, 4, 5], in: -4...4, seed: 21)
private let isObject = logits.values.indices.map { $0 % 7 == 3 }
private let weights = logits.cells.map { $0 % 4 == 0 ? 0.0 : 1 }

private let focalCases = [(0.25, 2.0), (0.5, 0), (0.9, 3)].map { alpha, gamma in
  LossCase("focal, α \(alpha), γ \(gamma)", at: logits) { logits in
    try FocalLoss(alpha: Float(alpha), gamma: Float(gamma))(
      logits, Tensor(isObject.map { $0 ? 1 : 0 as Float }, shape: [2, 3, 4, 5]),
      weights: Tensor(weights.map { Float($0) }, shape: [2, 1, 4, 5]))
  } reference: { field in
    total(
      field.values.indices.map { index in
        let cell = index / 60 * 20 + index % 20
        return weights[cell]
          * slowFocal(field.values[index], isObject: isObject[index], alpha: alpha, gamma: gamma)
      })
  }
}

private let distances = Field([6, 4, 1, 1], in: 0.3...4, seed: 31)
private let trueDistances = Field([6, 4, 1, 1], in: 0.3...4, seed: 32)

private let overlapCase = LossCase("generalised overlap", at: distances) {
  try generalisedIoULoss(
    $0.reshaped(to: [6, 4]), trueDistances.tensor().reshaped(to: [6, 4])
  ).sum()
} reference: { field in
  total((0..<6).map { slowGIoU(field.cell($0), trueDistances.cell($0)) })
}

@Test(arguments: focalCases + [overlapCase])
private func detectionsAreAsFarOffAsPlainLoopsSay(example: LossCase) throws {
  try example.check()
}

@Test func focalLossesOfExtremeLogitsAreFinite() throws {
  let logits = try Tensor([-200, 200, -200, 200, 0, 0], shape: [1, 6, 1, 1]).requiringGradient()
  let targets = try Tensor([1, 0, 0, 1, 0, 1] as [Float], shape: [1, 6, 1, 1])
  let loss = try FocalLoss()(logits, targets, weights: .ones([1, 1, 1, 1]))
  // Two that are wrong by 200 and two in the middle.
  let expected = 0.25 * 200 + 0.75 * 200 + 0.25 * log(2.0)
  #expect(abs(Double(try loss.item()) - expected) < 1e-3)
  #expect(try gradients(of: loss, withRespectTo: [logits])[0].isFinite())
}

@Test func equalBoxesLoseNothingAndTouchingOnesLoseOne() throws {
  let box = try Tensor([1, 2, 3, 4], shape: [1, 4])
  #expect(try abs(generalisedIoULoss(box, box).item()) < 1e-6)
  // A place on the common edge of two boxes of equal height.
  let left = try Tensor([2, 1, 0, 1], shape: [1, 4]),
    right = try Tensor([0, 1, 2, 1], shape: [1, 4])
  #expect(try abs(generalisedIoULoss(left, right).item() - 1) < 1e-6)
}

// What the whole objective says of maps: 2 classes, 4 distances and a centre-ness of 3 × 4 cells.
private let boxes = [
  [
    GroundTruthBox(box: BoundingBox(x: 3, y: 2, width: 17, height: 13), category: 1),
    GroundTruthBox(box: BoundingBox(x: 9, y: 9, width: 6, height: 6), category: 0),
    GroundTruthBox(
      box: BoundingBox(x: 22, y: 0, width: 10, height: 24), category: 0, isIgnored: true),
  ],
  [],
]
private let maps = Field([2, 7, 3, 4], in: -1...1, seed: 41)

/// The sum of the paper's three terms, cell by cell.
private func slowObjective(_ field: Field) -> Double {
  var (classes, overlap, centring, weight, count) = (0.0, 0.0, 0.0, 0.0, 0.0)
  for n in 0..<2 {
    for row in 0..<3 {
      for column in 0..<4 {
        let x = 8 * Double(column) + 4, y = 8 * Double(row) + 4
        // By hand: the small box has its middle at (12, 12), the large one at (11.5, 8.5).
        let found: GroundTruthBox? =
          n == 1
          ? nil
          : column == 1 && row == 1
            ? boxes[0][1]
            : [0, 1].contains(row) && (0...1).contains(column) ? boxes[0][0] : nil
        let isIgnored = n == 0 && column == 3
        for category in 0..<2 where !isIgnored {
          classes += slowFocal(
            field[n, category, row, column] - log(99), isObject: found?.category == category,
            alpha: 0.25, gamma: 2)
        }
        guard let box = found?.box else { continue }
        let truth = [x - box.x, y - box.y, box.x + box.width - x, box.y + box.height - y]
        let across = min(truth[0], truth[2]) / max(truth[0], truth[2])
        let down = min(truth[1], truth[3]) / max(truth[1], truth[3])
        let centreness = (across * down).squareRoot()
        let said = (2..<6).map { 8 * exp(field[n, $0, row, column]) }
        overlap += centreness * slowGIoU(said, truth)
        weight += centreness
        let share = sigmoid(field[n, 6, row, column])
        centring -= centreness * log(share) + (1 - centreness) * log(1 - share)
        count += 1
      }
    }
  }
  return classes / count + 2 * overlap / weight + 0.5 * centring / count
}

private func objective() throws -> DetectionObjective {
  let settings = DetectionHead.Settings(
    classes: ClassList(name: "two", names: ["a", "b"], void: nil), channels: 2, stride: 8)
  let head = try DetectionHead(
    settings, reading: [HeadInput(stage: "a", channels: 1, stride: 8)],
    parameters: Parameters(seed: 1))
  return DetectionObjective(head, settings: .init(radius: 1.5, boxes: 2, centreness: 0.5))
}

private func split(_ tensor: Tensor) throws -> DetectionHead.Maps {
  DetectionHead.Maps(
    classes: try tensor.slice(axis: 1, 0..<2) - Float(log(99.0)),
    distances: try tensor.slice(axis: 1, 2..<6), centreness: try tensor.slice(axis: 1, 6..<7))
}

@Test func theObjectiveIsThePapersSumOfThreeTerms() throws {
  let objective = try objective()
  try LossCase("objective", at: maps) {
    try objective.loss(of: split($0), from: boxes).total
  } reference: {
    slowObjective($0)
  }.check(within: 3e-4)
}

@Test func picturesWithoutObjectsTeachOnlyThatThereIsNone() throws {
  let loss = try objective().loss(of: split(maps.tensor()), from: [[], []])
  #expect(Set(loss.parts.keys) == ["classes"])
  let expected = total(
    maps.cells.flatMap { cell in
      maps.cell(cell).prefix(2).map {
        slowFocal($0 - log(99), isObject: false, alpha: 0.25, gamma: 2)
      }
    })
  #expect(abs(Double(try loss.total.item()) - expected) < 1e-4)
}
