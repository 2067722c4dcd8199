// SPDX-License-Identifier: Apache-2.0

import Datasets
import Evaluation
import Flow
import Frames
import Pipeline
import Propagation
import Recipes
import Scheduler
import Synthesis
import Testing
import Video

/// How many frames have passed, times a scale that nobody knows.
private struct Age: ChangeScore {
  let name = "age"
  let scale: Double

  func score(at context: FrameContext) -> Double? { scale * Double(context.framesSinceKeyframe) }
}

struct LimitCalibrationTests {
  private let clip = StreetClip(seed: 3, count: 24, size: PixelSize(width: 64, height: 48))

  private func pipeline(_ flow: some FlowEstimator = ZeroFlow()) throws -> KeyframePipeline<Image> {
    let truth = GroundTruthBackbone(of: clip)
    return try KeyframePipeline(
      backbone: truth, head: truth.head, scheduler: .every(1), propagator: .copy, flow: flow)
  }

  // A key every nth frame wants a limit of n - 1 ages, less than n.
  @Test(arguments: [1e-6, 1, 3e7], [2, 3, 4])
  func ageIsCalibratedToTheInterval(scale: Double, interval: Int) throws {
    let found = try #require(
      try ThresholdCalibration(
        of: Age(scale: scale), rate: 1 / Double(interval), in: pipeline(), on: clip))
    #expect(found.share == 1 / Double(interval))
    let ages = found.threshold / scale
    #expect(ages >= Double(interval - 1) - 1e-9 && ages < Double(interval), "\(ages)")
  }

  // One run at the scale, one at half of it and so on, until every frame is key; none after that.
  @Test func theSearchEndsOnceTheShareIsMet() throws {
    var shares: [Double] = []
    let found = try ThresholdCalibration(of: Age(scale: 1), rate: 1, in: pipeline(), on: clip) {
      shares.append($1)
      return true
    }
    #expect(found?.share == 1 && shares.last == 1 && shares.dropLast().allSatisfy { $0 < 1 })
  }

  @Test func motionIsCalibratedToWithinAFrame() throws {
    let found = try #require(
      try ThresholdCalibration(
        of: MotionMagnitude(), rate: 0.25, in: pipeline(DISFlow(preset: .fast)), on: clip))
    #expect(abs(found.share - 0.25) <= 1.0 / 24 + 1e-9, "\(found)")
  }

  @Test func whatNeverChangesHasNoLimitAndASearchCanBeStopped() throws {
    #expect(
      try ThresholdCalibration(of: MotionMagnitude(), rate: 0.25, in: pipeline(), on: clip) == nil)
    var runs = 0
    let stopped = try ThresholdCalibration(
      of: Age(scale: 1), rate: 0.25, in: pipeline(), on: clip
    ) { _, _ in
      runs += 1
      return false
    }
    #expect(stopped == nil && runs == 1)
  }
}
