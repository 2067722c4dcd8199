// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Datasets
import Flow
import Foundation
import Layers
import Scheduler
import Specification
import Tensors
import TestSupport
import Testing
import Training
import Video

/// Pairs of which every other one does not change at all.
private struct HalfStill: MotionPairs {
  let seed: UInt64

  func pair(_ index: Int) throws -> MotionPair {
    let pair = try ShiftedPairs(reach: 12).pair(index + Int(seed))
    guard index.isMultiple(of: 2) else { return pair }
    return MotionPair(current: pair.current, reference: pair.current, motion: pair.motion)
  }
}

struct DeviationTaskTests {
  private let backbone: SegmentationNetwork

  init() throws {
    backbone = try SegmentationNetwork(contentsOf: "\(modelFolder)/street-light")
  }

  private func task(
    _ sight: LearnedChangeScore.Sight = .motion, aim: ChangeScoreTask.Aim = .change,
    flow: some FlowEstimator = ZeroFlow(), pairs: some MotionPairs = HalfStill(seed: 0)
  ) throws -> ChangeScoreTask {
    let channels = sight == .motion ? LearnedChangeScore.motionChannels : 12
    return try ChangeScoreTask(
      LearnedChangeScore(sight, channels: channels, width: 4, parameters: Parameters(seed: 2)),
      to: aim, behind: backbone, on: [PairSource(pairs, count: 6)], along: flow,
      augmentation: Augmentation(crop: PixelSize(width: 96, height: 80), flips: false),
      batchSize: 4, validation: PairSource(HalfStill(seed: 100), count: 8))
  }

  // Nothing changes, so that nothing is lost: whoever says 0 is right.
  @Test func lawsAreKept() throws {
    #expect(try brokenLaws(of: task()) == [])
  }

  @Test(arguments: ChangeScoreTask.Aim.allCases)
  func whatDoesNotChangeIsToldWithoutError(aim: ChangeScoreTask.Aim) throws {
    let task = try task(aim: aim, pairs: ShiftedPairs(reach: 0))
    let batch = try task.batch(at: 0)
    #expect(try task.loss(of: batch, at: 0, in: .inference).total.item() < 1e-8)
  }

  @Test func onlyTheDeviationIsTrainedAndLearnsToTell() throws {
    let task = try task()
    for parameter in task.parameters.all { try parameter.tensor.setRequiresGradient(true) }
    try task.loss(of: task.batch(at: 0), at: 0, in: .inference).total.backward()
    #expect(
      try task.parameters.all.allSatisfy { parameter in
        try parameter.tensor.gradient()?.floats().contains { $0 != 0 } == true
      })
    #expect(try backbone.parameters.all.allSatisfy { try $0.tensor.gradient() == nil })
    let before = try task.evaluate()
    let stage = TrainingStage(
      "all", steps: 60, optimizer: .adam(betas: [0.9, 0.999], decay: 0),
      rate: LearningRateSchedule(peak: 0.01))
    try withTemporaryFolder { url in
      _ = try Trainer(
        task, plan: TrainingPlan(stages: [stage]), folder: url.path, fingerprint: "test"
      ).run(resuming: false)
    }
    let after = try task.evaluate()
    let errors = (try #require(before["val/error"]), try #require(after["val/error"]))
    #expect(errors.1 < 0.7 * errors.0, "\(before), \(after)")
    #expect(try #require(after["val/correlation"]) > 0.8, "\(after)")
  }

  @Test func specificationsAreRead() throws {
    let text = """
      name: a
      backbone: b
      change_score: {kind: motion}
      training:
        aim: loss
        batch: 3
        crop: [80, 96]
        pairs: 5
        stages: [{name: all, steps: 2, optimizer: adam, rate: 0.1}]
      """
    let specification = try ChangeScoreTrainingSpecification(yaml: text, folder: "")
    #expect(specification.aim == .loss && specification.batchSize == 3)
    #expect(specification.gaps == 1...20 && specification.pairCount == 5)
    #expect(specification.augmentation.crop == PixelSize(width: 96, height: 80))
    for (part, wrong) in [("aim: loss", "aim: gain"), ("pairs: 5", "pairs: 0"), ("batch", "bacth")]
    {
      #expect(throws: SpecificationError.self) {
        try ChangeScoreTrainingSpecification(
          yaml: text.replacing(part, with: wrong), folder: "")
      }
    }
  }
}
