// SPDX-License-Identifier: Apache-2.0

import Backbone
import Datasets
import Flow
import Foundation
import Layers
import Propagation
import Specification
import Tensors
import TestSupport
import Testing
import Training
import Video

/// The key frame's labels, carried along the motion that a scaled warp's own network finds.
struct CarriedLabelsTests {
  private let backbone: SegmentationNetwork
  private let pairs = ShiftedPairs()

  init() throws { backbone = try sharpBackbone() }

  /// A task of one pair, whole and as it is.
  private func task(labelled: Bool = true) throws -> PropagationTask {
    let warp = try ScaledWarp(
      channels: 8, flow: FlowNetSpecification(width: 1 / 16, unit: 4, steps: [2]),
      parameters: Parameters(seed: 2))
    let whole = Augmentation(crop: pairs.size, flips: false)
    var task = try PropagationTask(
      .propagator(warp), behind: backbone, tap: "decoder",
      on: [PairSource(pairs, count: 1, isLabelled: labelled)], along: ZeroFlow(),
      lesson: StageConfiguration(augmentation: whole, batchSize: 1), seed: 4)
    task.carried = 2
    return task
  }

  /// What carried labels lose where the network gives `dx` and `dy` everywhere.
  private func carried(_ task: PropagationTask, _ dx: Int, _ dy: Int) throws -> Float {
    try task.parameters.setMotion(dx, dy, under: "flow.")
    let loss = try task.loss(of: task.batch(at: 0), at: 0, in: .inference)
    return try #require(loss.parts["carried"]).item()
  }

  @Test func theyAreLostWithoutMotionAndKeptWithIt() throws {
    let task = try task(), (dx, dy) = pairs.shift(0)
    #expect(dx != 0 || dy != 0)
    let (still, moved) = (try carried(task, 0, 0), try carried(task, dx, dy))
    #expect(moved < 0.5 * still, "\(moved), \(still)")
  }

  /// Blocks of four pixels each way; what both frames have of a class, by rare classes' weights.
  @Test func withoutMotionTheyLoseWhatPlainLoopsSay() throws {
    let pair = try pairs.pair(0), columns = pairs.size.width / 4, rows = pairs.size.height / 4
    func shares(_ labels: Image?) throws -> [[Double]] {
      var shares = [[Double]](repeating: [Double](repeating: 0, count: 11), count: rows * columns)
      let bytes = try #require(labels).bytes
      for y in 0..<pairs.size.height {
        for x in 0..<pairs.size.width {
          shares[y / 4 * columns + x / 4][Int(bytes[y * pairs.size.width + x])] += 1.0 / 16
        }
      }
      return shares
    }
    let (here, there) = (try shares(pair.currentLabels), try shares(pair.referenceLabels))
    var (lost, whole) = (0.0, 0.001)
    for name in 0..<11 {
      let weight = 1 / (here.reduce(0) { $0 + $1[name] } + 1).squareRoot()
      for cell in here.indices {
        lost += weight * here[cell][name] * (here[cell][name] - there[cell][name])
        whole += weight * here[cell][name] * here[cell][name]
      }
    }
    #expect(abs(try carried(task(), 0, 0) - Float(lost / whole)) < 1e-5)
  }

  @Test func theyCountAsOftenAsTold() throws {
    var task = try task()
    func loss() throws -> Loss {
      try task.loss(of: task.batch(at: 0), at: 0, in: .inference)
    }
    let with = try loss(), lost: Float = try #require(with.parts["carried"]).item()
    task.carried = 0
    let without = try loss()
    #expect(without.parts["carried"] == nil && lost > 0)
    #expect(try abs(with.total.item() - without.total.item() - 2 * lost) < 1e-4)
  }

  // The loss of the scores reaches it too, and is taken off.
  @Test func theyTeachTheNetworkThatFindsTheMotion() throws {
    func gradient(counting weight: Double) throws -> [Float] {
      var task = try task()
      task.carried = weight
      let parameters = task.parameters.all.filter { $0.kind != .statistic }
      for parameter in parameters { try parameter.tensor.setRequiresGradient(true) }
      try task.loss(of: task.batch(at: 0), at: 0, in: .inference).total.backward()
      let last = try #require(parameters.first { $0.name == "flow.predict_flow2.weight" })
      return try #require(try last.tensor.gradient()).floats()
    }
    let (without, with) = (try gradient(counting: 0), try gradient(counting: 2))
    #expect(zip(without, with).contains { abs($0 - $1) > 1e-6 })
  }

  @Test func whatNobodyLabelledLosesNothing() throws {
    #expect(try carried(task(labelled: false), 0, 0) == 0)
  }

  @Test func aRunKnowsTheLabelsOfItsFirstFrame() throws {
    let size = PixelSize(width: 96, height: 64)
    let streets = StreetPairs(seed: 5, size: size)
    for index in 0..<3 {
      let (pair, run) = (
        try streets.pair(index), try streets.run(index, frames: 2, everyFrame: true)
      )
      #expect(run.images[0] == pair.reference && run.firstLabels == pair.referenceLabels)
      #expect(run.labels == pair.currentLabels && run.labels != run.firstLabels)
    }
  }

  @Test func aPartThatFindsNoMotionIsRefused() throws {
    let text = """
      name: part
      backbone: \(modelFolder)/street-light
      tap: decoder
      propagation: {kind: tap-blend}
      training:
        batch: 1
        crop: [80, 96]
        pairs: 2
        carried: 1
        stages:
          - {name: all, steps: 1, optimizer: adam, rate: 0.01}
      """
    let specification = try PropagationTrainingSpecification(yaml: text, folder: "")
    let network = try SegmentationNetwork(contentsOf: "\(modelFolder)/street-light")
    let error = #expect(throws: SpecificationError.self) {
      try specification.task(
        behind: network, on: [PairSource(pairs, count: 1)], along: ZeroFlow())
    }
    #expect("\(try #require(error))".contains("training.carried"))
  }
}
