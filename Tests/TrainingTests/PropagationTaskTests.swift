// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Datasets
import Flow
import Foundation
import Layers
import Propagation
import Tensors
import TestSupport
import Testing
import Training
import Video

/// One pair, which nobody labelled unless said otherwise, whatever is asked for.
private struct OnePair: MotionPairs {
  let pair: MotionPair

  init(_ pair: MotionPair) {
    self.pair = MotionPair(
      current: pair.current, reference: pair.reference, motion: pair.motion)
  }

  init(labelled pair: MotionPair) { self.pair = pair }

  func pair(_: Int) -> MotionPair { pair }
}

/// Motion that is known beforehand.
private struct Known: FlowEstimator {
  let field: MotionField

  func motion(from _: Frame, to _: Frame) -> MotionField { field }
}

struct PropagationTaskTests {
  private let backbone: SegmentationNetwork
  private let channels = 8

  init() throws {
    backbone = try sharpBackbone()
  }

  /// A blend that begins as a plain warp: a frame's own features count nothing.
  private func warp() throws -> NetWarpBlend {
    try NetWarpBlend(
      channels: channels, after: "decoder", start: 0, refinesMotion: false,
      parameters: Parameters(seed: 2))
  }

  private func task(
    _ propagator: some LearnedPropagator, flow: some FlowEstimator = ZeroFlow(), reach: Int = 4,
    tap: String = "decoder"
  ) throws -> PropagationTask {
    let whole = Augmentation(crop: PixelSize(width: 96, height: 80), flips: false)
    let objective = SegmentationObjective(teaching: try .init(backbone))
    return try PropagationTask(
      .propagator(propagator), behind: backbone, tap: tap,
      on: [PairSource(OnePair(ShiftedPairs(reach: reach).pair(1)), count: 3)], along: flow,
      lesson: StageConfiguration(augmentation: whole, batchSize: 2, objective: objective), seed: 4)
  }

  private func teaching(_ task: PropagationTask) throws -> Float {
    let loss = try task.loss(of: task.batch(at: 0), at: 0, in: .inference)
    return try #require(loss.parts["teaching"]).item()
  }

  @Test func lawsAreKept() throws {
    #expect(try brokenLaws(of: task(warp())) == [])
  }

  @Test func whatDoesNotMoveIsCarriedWithoutLoss() throws {
    #expect(try teaching(task(warp(), reach: 0)) < 1e-6)
    #expect(try teaching(task(warp(), reach: 4)) > 1e-6)
  }

  // A trained network on a street: a random one's features belong to places, not to what is there.
  @Test func carryingAlongTheMotionLosesLess() throws {
    let network = try SegmentationNetwork(contentsOf: "\(modelFolder)/street-light")
    let pair = try StreetPairs(seed: 3, gaps: 4...4).pair(0)
    let propagator = try NetWarpBlend(
      channels: 24, after: "decoder", start: 0, refinesMotion: false,
      parameters: Parameters(seed: 2))
    func teaching(along flow: some FlowEstimator) throws -> Float {
      let task = try PropagationTask(
        .propagator(propagator), behind: network, tap: "decoder",
        on: [PairSource(OnePair(pair), count: 1)], along: flow,
        lesson: StageConfiguration(
          augmentation: Augmentation(crop: pair.current.size, flips: false), batchSize: 1,
          objective: SegmentationObjective(teaching: .init(network))))
      return try self.teaching(task)
    }
    let (still, moved) = (
      try teaching(along: ZeroFlow()), try teaching(along: Known(field: pair.motion))
    )
    #expect(moved < 0.6 * still, "\(moved), \(still)")
  }

  @Test func onlyThePropagatorIsTrained() throws {
    let task = try task(warp())
    for parameter in task.parameters.all { try parameter.tensor.setRequiresGradient(true) }
    try task.loss(of: task.batch(at: 0), at: 0, in: .inference).total.backward()
    for parameter in task.parameters.all {
      let gradient = try #require(try parameter.tensor.gradient())
      #expect(try gradient.floats().contains { $0 != 0 })
    }
    #expect(try backbone.parameters.all.allSatisfy { try $0.tensor.gradient() == nil })
  }

  @Test func kernelsAreLearned() throws {
    let propagator = try VariantConvolution(
      channels: 8, after: "stem", size: 5, width: 16, parameters: Parameters(seed: 3))
    let task = try task(propagator)
    let before = try teaching(task)
    var stage = TrainingStage(
      "all", steps: 100, optimizer: .adam(betas: [0.9, 0.999], decay: 0),
      rate: LearningRateSchedule(peak: 0.003))
    stage.largestGradient = 5
    try withTemporaryFolder { url in
      _ = try Trainer(
        task, plan: TrainingPlan(stages: [stage]), folder: url.path, fingerprint: "test"
      ).run(resuming: false)
    }
    let after = try teaching(task)
    #expect(after < 0.9 * before, "\(after), \(before)")
  }

  // What does not move is what the later frame itself gives at the tap; else the difference is that
  // of the features, and the loss has it.
  @Test func similarityIsTheDifferenceFromTheFramesOwnFeatures() throws {
    for reach in [0, 4] {
      var task = try task(warp(), reach: reach)
      let before = try task.loss(of: task.batch(at: 0), at: 0, in: .inference).total.item()
      task.similarity = 3
      let loss = try task.loss(of: task.batch(at: 0), at: 0, in: .inference)
      let similarity: Float = try #require(loss.parts["similarity"]).item()
      #expect((similarity < 1e-10) == (reach == 0), "\(similarity)")
      #expect(try abs(loss.total.item() - before - 3 * similarity) < 1e-5)
    }
  }

  @Test func aBatchFollowsFromItsStepAlone() throws {
    let (task, other) = (try task(warp()), try task(warp()))
    _ = try task.batch(at: 7)
    for step in [3, 0] {
      let losses = try [task, other].map {
        try $0.loss(of: $0.batch(at: step), at: step, in: .inference).total.item()
      }
      #expect(losses[0] == losses[1])
    }
  }

  // The same pair with labels and without: where labels are left out, the one loses what the
  // other does.
  @Test func labelsThatAreLeftOutTeachNothing() throws {
    let pair = try ShiftedPairs(reach: 4).pair(1)
    func loss(of pairs: OnePair, usesLabels: Bool) throws -> Float {
      let whole = Augmentation(crop: PixelSize(width: 96, height: 80), flips: false)
      var task = try PropagationTask(
        .propagator(warp()), behind: backbone, tap: "decoder",
        on: [PairSource(pairs, count: 1)], along: ZeroFlow(),
        lesson: StageConfiguration(
          augmentation: whole, batchSize: 1,
          objective: SegmentationObjective(teaching: .init(backbone))))
      task.usesLabels = usesLabels
      return try task.loss(of: task.batch(at: 0), at: 0, in: .inference).total.item()
    }
    let unlabelled = try loss(of: OnePair(pair), usesLabels: true)
    #expect(unlabelled > 0)
    #expect(try loss(of: OnePair(labelled: pair), usesLabels: false) == unlabelled)
    #expect(try loss(of: OnePair(labelled: pair), usesLabels: true) > 1.1 * unlabelled)
  }

  // The decoder joins the first layer's output: the frame's own, so that still frames lose nothing.
  @Test func lowFeaturesAreTheFramesOwn() throws {
    let propagator = try NetWarpBlend(
      channels: 8, after: "context", start: 0, refinesMotion: false,
      parameters: Parameters(seed: 2))
    #expect(try teaching(task(propagator, reach: 0, tap: "context")) < 1e-6)
    let (carried, all) = (
      try teaching(task(propagator, reach: 4, tap: "context")),
      try teaching(task(warp(), reach: 4))
    )
    #expect(carried > 1e-7 && carried < all, "\(carried), \(all)")
  }
}
