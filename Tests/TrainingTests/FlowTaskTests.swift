// SPDX-License-Identifier: Apache-2.0
import Backbone
import ConformanceKit
import Flow
import Foundation
import Layers
import Specification
import Tensors
import Testing
import Training
import Video

struct FlowTaskTests {
  private func task(
    steps: [Int] = [2], colours: Bool = false, seed: UInt64 = 1, pairs: Int = 6
  ) throws -> FlowTask {
    let network = try FlowNetwork(
      FlowNetSpecification(width: 1 / 16, unit: 4, steps: steps), parameters: Parameters(seed: 2))
    var task = FlowTask(
      network, sources: [PairSource(ShiftedPairs(), count: pairs)], batchSize: 4,
      window: PixelSize(width: 64, height: 64), seed: seed)
    if !colours { task.augmentation = FlowAugmentation(colour: 0, difference: 0, noise: 0) }
    return task
  }

  @Test func lawsAreKept() throws {
    #expect(try brokenLaws(of: task(colours: true)) == [])
  }

  @Test func aBatchFollowsFromItsStepAlone() throws {
    let (one, other) = (try task(colours: true), try task(colours: true))
    _ = try one.batch(at: 5)
    let (batch, again) = (try one.batch(at: 3), try other.batch(at: 3))
    for part: KeyPath<FlowBatch, Tensor> in [
      \.current, \.reference, \.motion, \.known, \.currentLabels, \.referenceLabels,
    ] {
      #expect(try batch[keyPath: part].floats() == again[keyPath: part].floats())
    }
    #expect(try one.batch(at: 4).current.floats() != batch.current.floats())
    let reseeded = try task(colours: true, seed: 9).batch(at: 3)
    #expect(try reseeded.current.floats() != batch.current.floats())
  }

  @Test func theMotionOfABatchLeadsToItsReference() throws {
    let task = try task()
    var mirrored = 0
    for step in 0..<6 {
      let batch = try task.batch(at: step)
      #expect(batch.current.shape == [4, 3, 32, 32] && batch.motion.shape == [4, 2, 32, 32])
      // Images are halved, and so is motion on their grid; both are whole, so nothing is blended.
      let carried = try batch.reference.warped(along: batch.motion / 2)
      let difference = try (carried - batch.current).abs()
        .slice(axis: 2, 2..<30).slice(axis: 3, 2..<30)
      #expect(try difference.max().item() == 0)
      let labels = try batch.referenceLabels.carryingLabels(along: batch.motion / 2)
      let agreeing = try labels.equal(to: batch.currentLabels)
        .slice(axis: 1, 2..<30).slice(axis: 2, 2..<30)
      #expect(try agreeing.min().item() == 1)
      mirrored += try batch.motion.sum(axes: [2, 3]).floats().count { $0 != 0 }
    }
    #expect(mirrored > 0)
  }

  @Test func framesOfABatchDifferInColourAsTold() throws {
    var task = try task()
    task.augmentation = FlowAugmentation(colour: 0.5, difference: 0, noise: 0)
    let batch = try task.batch(at: 1)
    let carried = try batch.reference.warped(along: batch.motion / 2)
    let difference = try (carried - batch.current).abs()
      .slice(axis: 2, 2..<30).slice(axis: 3, 2..<30)
    #expect(try difference.max().item() < 1e-5)
    #expect(try batch.current.floats() != self.task().batch(at: 1).current.floats())
  }

  @Test func theLossOfNoMotionIsHowFarThingsMoved() throws {
    let task = try task(steps: [4, 2])
    for parameter in task.parameters.all {
      try parameter.tensor.assign(.zeros(parameter.tensor.shape))
    }
    let batch = try task.batch(at: 0)
    let lengths = try (batch.motion * batch.motion).sum(axes: [1]).sqrt()
    let loss = try task.loss(of: batch, at: 0, in: .training(seed: 1))
    let epe = try #require(loss.parts["epe"]).item()
    #expect(abs(try lengths.mean().item() - epe) < 1e-4)
    // All levels say the same; the first step counts half; the slack is a tenth of a pixel.
    let softened = try (lengths * lengths + 0.01).sqrt().mean().item()
    #expect(abs(try loss.total.item() - 1.5 * softened) < 1e-3)
  }

  @Test func labelsAreLostWithoutMotionAndKeptWithIt() throws {
    // A network that gives every pair's own motion cannot be had; one pair's can.
    var task = try task(pairs: 1)
    task.augmentation.flips = false
    task.objective.labels = 1
    let (dx, dy) = ShiftedPairs().shift(0)
    #expect(dx != 0 || dy != 0)
    func labels(_ dx: Int, _ dy: Int) throws -> Float {
      try task.parameters.setMotion(dx, dy)
      let loss = try task.loss(of: task.batch(at: 0), at: 0, in: .training(seed: 1))
      #expect(abs(try loss.parts["epe"]?.item() ?? -1) < 1e-4 || (dx, dy) == (0, 0))
      return try #require(loss.parts["labels"]).item()
    }
    #expect(try labels(dx, dy) < 0.5 * labels(0, 0))
  }

  @Test(arguments: [[1], [2, 1]]) func aHandfulOfPairsIsLearned(steps: [Int]) throws {
    let network = try FlowNetwork(
      FlowNetSpecification(width: 1 / 16, unit: 4, steps: steps), parameters: Parameters(seed: 2))
    // As large as the window: there is nothing new to see.
    let pairs = ShiftedPairs(size: PixelSize(width: 64, height: 64))
    var task = FlowTask(
      network, sources: [PairSource(pairs, count: 4)], batchSize: 4,
      window: PixelSize(width: 64, height: 64))
    task.augmentation = FlowAugmentation(colour: 0, difference: 0, noise: 0, flips: false)
    let errors = try train(task, steps: 120, rate: 2e-3)
    let (before, after) = (errors.prefix(10).reduce(0, +), errors.suffix(10).reduce(0, +))
    print("\(steps): \(before / 10) px, after \(errors.count) steps \(after / 10) px")
    #expect(after < 0.4 * before)
  }

  @Test func evaluationTellsHowFarOffAFlowIs() throws {
    let pairs = ShiftedPairs(size: PixelSize(width: 160, height: 120))
    let evaluation = FlowEvaluation(pairs: pairs, count: 3)
    let figures = try evaluation.run(on: ZeroFlow())
    let lengths = (0..<3).map { index -> Double in
      let (dx, dy) = ShiftedPairs().shift(index)
      return Double(dx * dx + dy * dy).squareRoot()
    }
    let epe = try #require(figures["epe"]), dis = try #require(figures["dis/epe"])
    #expect(abs(epe - lengths.reduce(0, +) / 3) < 1e-6)
    #expect(dis < 0.5 * epe)
  }
}

struct FlowTrainingSpecificationTests {
  private let text = """
    name: small
    network: {kind: flownet-s, width: 0.0625, steps: [4, 2]}
    training:
      {seed: 7, batch: 2, crop: [32, 48], pairs: 3, colour: 0.2, noise: 3, exponent: 0.5, labels: 2,
       stages: [{name: all, steps: 5, optimizer: adam, rate: 0.001}]}
    """

  @Test func itsKeysArrive() throws {
    let specification = try FlowTrainingSpecification(yaml: text, folder: ".")
    #expect(FlowTrainingSpecification.describes(text))
    #expect(specification.network.steps == [4, 2] && specification.network.width == 0.0625)
    #expect(specification.plan.steps == 5 && specification.plan.seed == 7)
    #expect(
      specification.augmentation == FlowAugmentation(colour: 0.2, difference: 0, noise: 3))
    #expect(specification.objective == FlowObjective(exponent: 0.5, labels: 2))
    let source = PairSource(ShiftedPairs(), count: specification.pairCount)
    let batch = try specification.task(on: [source]).batch(at: 0)
    #expect(batch.current.shape == [2, 3, 16, 24])
  }

  @Test func wrongKeysAreNamed() throws {
    for (right, wrong, complaint) in [
      ("[32, 48]", "[33, 48]", "training.crop must be sizes"),
      ("noise: 3", "niose: 3", "training.niose unknown"),
      ("steps: [4, 2]", "steps: 4", "network.steps must be a list"),
    ] {
      let yaml = text.replacing(right, with: wrong)
      let error = try #require(throws: SpecificationError.self) {
        try FlowTrainingSpecification(yaml: yaml, folder: ".")
      }
      #expect(error.message.hasPrefix(complaint), "\(error)")
    }
  }

  @Test func whatThePackageShipsIsRead() throws {
    let path = URL(filePath: #filePath).appending(path: "../../../Models/flownet-s/spec.yaml")
    let text = try String(contentsOf: path.standardized, encoding: .utf8)
    let specification = try FlowTrainingSpecification(yaml: text, folder: ".")
    let network = try FlowNetwork(specification.network, parameters: Parameters(seed: 1))
    #expect(network.parameters.count <= 6_000_000)
    #expect(try FlowNetSpecification(yaml: text) == specification.network)
  }
}

/// Adam without any schedule; the end-point error of each step.
private func train(_ task: FlowTask, steps: Int, rate: Double) throws -> [Float] {
  let learned = task.parameters.all.map(\.tensor)
  for tensor in learned { try tensor.setRequiresGradient(true) }
  let means = try learned.map { try Tensor.zeros($0.shape) }
  let squares = try learned.map { try Tensor.zeros($0.shape) }
  return try (0..<steps).map { step in
    let loss = try task.loss(of: task.batch(at: step), at: step, in: .training(seed: 1))
    try loss.total.backward()
    try TrainingSteps.adam(
      learned, means: means, squares: squares, rate: rate, betas: (0.9, 0.999), epsilon: 1e-8,
      decay: 0, decoupled: false, step: step + 1)
    for tensor in learned { try tensor.clearGradient() }
    return try loss.parts["epe"]?.item() ?? .nan
  }
}
