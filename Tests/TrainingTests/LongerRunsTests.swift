// SPDX-License-Identifier: Apache-2.0

import Backbone
import Datasets
import Flow
import Frames
import Layers
import Propagation
import Synthesis
import Tensors
import Testing
import Training
import Video

/// Training on runs of more than two frames.
struct LongerRunsTests {
  private let backbone: SegmentationNetwork
  private let clip = StreetClip(seed: 3, count: 9, size: PixelSize(width: 48, height: 32))

  init() throws {
    let yaml = specificationText(
      stages: "    - {name: a, steps: 1, optimizer: sgd, rate: 0.1}")
    backbone = try SegmentationNetwork(
      SegmentationSpecification(yaml: yaml, folder: "").network, parameters: Parameters(seed: 1))
  }

  private func task(
    _ part: TrainablePropagation, tap: String = "decoder", frames: Int
  ) throws -> PropagationTask {
    try PropagationTask(
      part, behind: backbone, tap: tap,
      on: [PairSource(ClipPairs(clip, gaps: 1...1, seed: 2), count: 2)], along: ZeroFlow(),
      lesson: StageConfiguration(
        augmentation: Augmentation(crop: PixelSize(width: 48, height: 32), flips: false),
        batchSize: 2, objective: SegmentationObjective(teaching: .init(backbone))),
      frames: frames, seed: 4)
  }

  private func loss(_ task: PropagationTask) throws -> Float {
    let loss = try task.loss(of: task.batch(at: 0), at: 0, in: .inference)
    return try #require(loss.parts["teaching"]).item()
  }

  private func blend(own: Double) throws -> NetWarpBlend {
    try NetWarpBlend(
      channels: 8, after: "decoder", start: own, refinesMotion: false,
      parameters: Parameters(seed: 2))
  }

  // What reads the keyframe itself is the same by way of the frames between and without.
  @Test func aWarpFromTheKeyframeTakesTheWholeWayAtOnce() throws {
    for frames in [2, 4] {
      let part = TrainablePropagation.propagator(
        try DisplacedConvolution(size: 3, width: 4, parameters: Parameters(seed: 1)))
      #expect(try loss(task(part, frames: frames)).isFinite)
    }
  }

  // A blend reads the frame before and its own: frames before that one do not count.
  @Test func whatGoesFromFrameToFrameGoesThroughAll() throws {
    let last = try loss(task(.propagator(blend(own: 1)), frames: 4))
    let warped = try loss(task(.propagator(blend(own: 0)), frames: 4))
    #expect(last < 1e-6 && warped > 1e-6)
  }

  @Test func theLossReachesTheFirstStep() throws {
    let unit = try GatedRecurrence(
      classes: 8, scoresAfter: "decoder", parameters: Parameters(seed: 2))
    let task = try task(.propagator(unit), frames: 4)
    for parameter in task.parameters.all { try parameter.tensor.setRequiresGradient(true) }
    try task.loss(of: task.batch(at: 0), at: 0, in: .inference).total.backward()
    for parameter in task.parameters.all {
      let gradient = try #require(try parameter.tensor.gradient()).floats()
      #expect(gradient.allSatisfy { $0.isFinite } && gradient.contains { $0 != 0 })
    }
  }

  // Copied features are another frame's: the backbone's own stages do not make its scores of them,
  // and what is to be learned is the decoder's alone.
  @Test func theLossReachesEveryParameterOfADecoder() throws {
    let parameters = Parameters(seed: 2)
    let decoder = try backbone.withStages(
      after: "context", parameters: parameters, in: parameters.root)
    let task = try task(.decoder(decoder, behind: Copy()), tap: "context", frames: 2)
    let changed = task.parameters.all.filter { $0.kind != .statistic }
    for parameter in changed { try parameter.tensor.setRequiresGradient(true) }
    try task.loss(of: task.batch(at: 0), at: 0, in: .inference).total.backward()
    for parameter in changed {
      let gradient = try #require(try parameter.tensor.gradient(), "\(parameter.name)").floats()
      #expect(gradient.allSatisfy { $0.isFinite } && gradient.contains { $0 != 0 })
    }
  }

  @Test func pairsAloneGiveNoLongerRuns() throws {
    struct Pairs: MotionPairs {
      let clip: StreetClip
      func pair(_: Int) throws -> MotionPair { try MotionPair(of: clip, from: 1, to: 0) }
    }
    #expect(try Pairs(clip: clip).run(0, frames: 2).images.count == 2)
    #expect(throws: PairsOnly.self) { try Pairs(clip: clip).run(0, frames: 3) }
    #expect(
      try StreetPairs(seed: 1, size: PixelSize(width: 48, height: 32)).run(
        0, frames: 3
      ).images.count == 3)
  }
}
