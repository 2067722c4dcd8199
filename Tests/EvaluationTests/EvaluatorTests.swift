// SPDX-License-Identifier: Apache-2.0

import Backbone
import Datasets
import Evaluation
import Flow
import Foundation
import Pipeline
import Propagation
import Recipes
import Scheduler
import Synthesis
import Testing
import Video

struct EvaluatorTests {
  private let clip = StreetClip(seed: 3, count: 8, size: PixelSize(width: 96, height: 72))

  @Test func trueLabelsOnEveryFrameScoreOne() throws {
    let accuracy = try #require(try measure(.every(1)).accuracy)
    #expect(accuracy.mIoU == 1 && accuracy.aAcc == 1)
    #expect(accuracy.mIoUByDistance == [1])
    #expect(accuracy.labelledFrames == 8)
  }

  @Test func copiesScoreOneOnKeyFramesAndLessFurtherOff() throws {
    let accuracy = try #require(try measure(.every(4), Copy()).accuracy)
    let distances = accuracy.mIoUByDistance.compactMap { $0 }
    #expect(distances.count == 4 && distances[0] == 1)
    #expect(distances[1] < 1 && distances[3] < distances[1])
  }

  /// What a copied label scores is what the labels of the key score against those of the frame.
  @Test func scoresEqualAPlainComparisonOfTheLabels() throws {
    let accuracy = try #require(try measure(.every(8), Copy()).accuracy)
    var matrix = ConfusionMatrix(classes: 11)
    let key = try #require(clip.sample(at: 0).labels)
    for index in 0..<8 {
      matrix.add(predicted: key, truth: try #require(clip.sample(at: index).labels))
    }
    #expect(accuracy.mIoU == matrix.meanIoU)
  }

  @Test func theScheduleIsCounted() throws {
    let speed = try measure(.every(3), Copy()).speed
    #expect(speed.frames == 8)
    #expect(speed.keyframeRatio == 3.0 / 8)
    #expect(speed.keyframeIntervals == ["3": 2])
  }

  @Test func everyFrameIsTimedAfterTheWarmUp() throws {
    let speed = try measure(.every(2), Copy()).speed
    #expect((speed.latency.key?.n, speed.latency.propagated?.n, speed.latency.all?.n) == (4, 4, 8))
    #expect(speed.warmUp == 0)
  }

  @Test func aRoleLosesAtMostHalfOfItsFramesToTheWarmUp() throws {
    for (frames, timed) in [(1, [1, 0, 1]), (2, [1, 1, 2]), (4, [1, 1, 2]), (8, [2, 2, 4])] {
      let pipeline = try pipeline(.every(2), Copy())
      var (state, measured) = (pipeline.start(), RunMeasurement(classes: clip.classes))
      for index in 0..<frames {
        let result = try pipeline.label(clip.frame(at: index), in: &state)
        measured.add(result, truth: nil, decode: .milliseconds(2))
      }
      let (speed, latency) = (measured.speed, measured.speed.latency)
      #expect([latency.key?.n ?? 0, latency.propagated?.n ?? 0, latency.all?.n ?? 0] == timed)
      #expect(speed.warmUp == frames - timed[2] && speed.endToEnd?.n == timed[2])
    }
  }

  @Test func figuresOverAllFramesHaveEachRoleInItsTrueShare() {
    // One key frame of 171 ms among ten, of which three of the others are not timed.
    var costs = RunCosts()
    for index in 0..<10 {
      costs.add(trace(index == 0 ? 171 : 1, index == 0 ? .key : .propagated), decode: nil)
    }
    let speed = costs.speed
    #expect(abs((speed.latency.all?.mean ?? 0) - 18) < 1e-9)
    #expect(speed.latency.all?.p50 == 1 && speed.latency.all?.max == 171)
    #expect(abs((speed.throughput ?? 0) - 1000 / 18) < 1e-9)
    // The key frame is a tenth of the frames, not a seventh of those that are timed.
    #expect(speed.latency.all?.p90 == 1 && speed.latency.all?.p95 == 171)
    #expect(abs((speed.latency.byStage["backbone"]?.mean ?? 0) - 18) < 1e-9)
  }

  @Test func aWarmUpIsNeverMoreWorkThanTheRun() {
    #expect([0, 1, 2, 5, 20, 1000].map { Evaluator.warmUpRounds(of: $0) } == [0, 0, 1, 2, 10, 10])
  }

  @Test func decodingIsNotTimedWhereFramesAreRendered() throws {
    let speed = try measure(.every(2), Copy()).speed
    #expect(speed.endToEnd == nil && speed.latency.byStage["decode"] == nil)
  }

  @Test func whatWasCountedBeforeAFailureIsKept() throws {
    let evaluator = Evaluator(try pipeline(.every(2), Copy()), on: BreaksOff(clip: clip, after: 5))
    var measured = evaluator.emptyMeasurement()
    #expect(throws: CancellationError.self) { try evaluator.run(into: &measured) }
    #expect(measured.speed.frames == 5 && measured.accuracy?.labelledFrames == 5)
  }

  // The exact motion of the street is passed on by whatever is made of it: one figure, however the
  // labels came.
  @Test func exactMotionSurvivesWhatIsMadeOfAClip() throws {
    let plain = try measure(.every(4))
    let encoded = try EncodedClip(clip)
    let taught = try TeacherLabels(of: clip, classes: clip.classes) { pixels in
      Image(width: pixels.width, height: pixels.height, channels: 1, repeating: 3)
    }
    let expected = try #require(plain.accuracy?.temporalConsistency)
    for wrapped in [encoded, taught] as [any LabelledClip] {
      let measured = try Evaluator(pipeline(.every(4), Copy()), on: wrapped).run()
      #expect(measured.accuracy?.temporalConsistency == expected, "\(type(of: wrapped))")
      #expect(measured.consistencyFlow == .groundTruth)
    }
    #expect(plain.consistencyFlow == .groundTruth)
  }

  @Test func estimatedMotionIsRecordedAsSuch() throws {
    let still = BreaksOff(clip: clip, after: 8)
    let estimated = try Evaluator(pipeline(.every(4), Copy()), on: still).run()
    #expect(estimated.consistencyFlow == .estimated)
    let without = try Evaluator(pipeline(.every(4), Copy()), on: still, consistency: nil).run()
    #expect(without.consistencyFlow == nil && without.accuracy?.temporalConsistency == nil)
  }

  // Truth never changes and labels change only where the stream breaks, so that every window is
  // steady.
  @Test(arguments: [(1, 1), (2, 2)])
  func windowsOfVideoConsistencyEndAtABreakInRegionsToo(grid: (Int, Int)) throws {
    let plain = try KeyframePipeline(
      backbone: PixelBackbone(), head: PixelBackbone().head, scheduler: .every(3),
      propagator: .copy,
      flow: .zero)
    let pipeline = try RegionPipeline(plain, rows: grid.0, columns: grid.1, overlap: 0)
    var (state, measured) = (
      pipeline.start(), RunMeasurement(classes: PixelBackbone().head.classes)
    )
    let truth = Image(width: 8, height: 8, channels: 1, repeating: 1)
    for index in 0..<20 {
      let pixels = Image(width: 8, height: 8, channels: 3) { bytes in
        for at in bytes.indices { bytes[at] = at % 3 == (index < 10 ? 0 : 1) ? 200 : 0 }
      }
      let frame = Frame(
        index: index, time: Double(index) / 25, pixels: pixels, followsBreak: index == 10)
      let result = try pipeline.label(frame, in: &state)
      #expect(result.trace.followsBreak == (index == 10))
      measured.add(result, truth: truth, decode: nil)
    }
    #expect(measured.accuracy?.videoConsistency8 == 1)
  }

  @Test func flowIsUsedOnlyWhereAPartAskedForIt() throws {
    #expect(try !measure(.every(4), Copy()).usesFlow)
    #expect(try measure(.every(4), .warp()).usesFlow)
    #expect(try measure(.whenMoved(pixels: 5), Copy()).usesFlow)
  }

  @Test func aRunCanBeStopped() throws {
    var frames = 0
    let pipeline = try pipeline(.every(2), Copy())
    let evaluator = Evaluator(pipeline, on: clip)
    var measured = evaluator.emptyMeasurement()
    try evaluator.run(into: &measured) { _, _ in
      frames += 1
      return frames < 3
    }
    #expect(measured.speed.frames == 3)
  }

  private func pipeline(
    _ scheduler: some KeyframeScheduler, _ propagator: some Propagator, of other: StreetClip? = nil
  ) throws -> KeyframePipeline<Image> {
    let truth = GroundTruthBackbone(of: other ?? clip)
    return try KeyframePipeline(
      backbone: truth, head: truth.head, scheduler: scheduler, propagator: propagator,
      flow: DISFlow(preset: .ultrafast))
  }

  private func measure(
    _ scheduler: some KeyframeScheduler, _ propagator: some Propagator = Copy()
  ) throws -> RunMeasurement {
    try Evaluator(pipeline(scheduler, propagator), on: clip).run()
  }
}

/// What is noted of a frame that took so many milliseconds, all of them in the backbone.
private func trace(_ milliseconds: Int, _ role: FrameRole) -> FrameTrace {
  FrameTrace(
    index: 0, time: 0, decision: Decision(role, because: Reason("test")), streamBreak: nil,
    framesSinceKeyframe: 0, stages: [.backbone: .milliseconds(milliseconds)],
    total: .milliseconds(milliseconds), keyShare: role == .key ? 1 : 0, macs: 0)
}

/// A clip that cannot be read beyond some frame.
private struct BreaksOff: LabelledClip {
  let clip: StreetClip
  let after: Int

  var name: String { clip.name }
  var classes: ClassList { clip.classes }
  var count: Int { clip.count }

  func frame(at index: Int) throws -> Frame {
    guard index < after else { throw CancellationError() }
    return clip.frame(at: index)
  }

  func labels(at index: Int) -> Image? { clip.labels(at: index) }
}
