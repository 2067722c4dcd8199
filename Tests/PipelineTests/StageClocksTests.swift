// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Flow
import Frames
import Pipeline
import Propagation
import Scheduler
import Tensors
import Testing
import Video

/// Stages of a network with clocks of their own.
@Suite struct StageClocksTests {
  private let layers = Layered()

  private func pipeline(
    _ scheduler: some KeyframeScheduler, _ propagator: some Propagator, taps: [String],
    flow: some FlowEstimator = Sliding(dx: 2)
  ) throws -> KeyframePipeline<Image> {
    try KeyframePipeline(
      backbone: layers, head: Pixels().head, scheduler: scheduler, propagator: propagator,
      flow: flow, taps: taps)
  }

  /// What the last stage gives where each stage before it saw the frame of that index.
  private func sum(low: Int, middle: Int, deep: Int) -> Float {
    Float(low) + 16 * Float(middle) + 256 * Float(deep)
  }

  private func flat(_ index: Int) -> Frame {
    Frame(
      index: index, time: Double(index),
      pixels: Image(width: 4, height: 4, channels: 3, repeating: UInt8(index)))
  }

  @Test(arguments: [
    (["deep"], [8, 8, 2, 8]), (["middle", "deep"], [8, 2, 2, 8]),
    (["low", "middle", "deep"], [2, 2, 2, 8]), (["low", "deep"], [8, 8, 2, 8]),
  ]) func aTappedStageThatLaterOnesReadIsPropagated(taps: [String], runs: [Int]) throws {
    let pipeline = try pipeline(FixedInterval(every: 4), Copy(), taps: taps)
    var state = pipeline.start()
    for index in 0..<8 {
      let key = index / 4 * 4
      // What must run for a stage that is not tapped is the frame's own, tapped or not.
      let isLowOwn = !taps.contains("low") || !taps.contains("middle")
      let expected = sum(
        low: isLowOwn ? index : key, middle: taps.contains("middle") ? key : index, deep: key)
      let scores = try pipeline.score(flat(index), in: &state).scores.floats()
      #expect(scores.allSatisfy { $0 == expected }, "frame \(index)")
    }
    #expect(layers.runs.map(\.count) == runs)
  }

  @Test func threeClocks() throws {
    let pipeline = try pipeline(
      MiddleClock(FixedInterval(every: 4), through: "middle", every: 2), Copy(),
      taps: ["middle", "deep"])
    var state = pipeline.start()
    for index in 0..<9 {
      let scored = try pipeline.score(flat(index), in: &state)
      let expected = sum(low: index, middle: index / 2 * 2, deep: index / 4 * 4)
      #expect(try scored.scores.floats().allSatisfy { $0 == expected }, "frame \(index)")
      #expect(scored.trace.framesSinceKeyframe == index % 4)
      #expect((scored.trace.decision.refreshed != nil) == (index % 2 == 0 && index > 0))
    }
    #expect(layers.runs.map(\.count) == [9, 5, 3, 9])
  }

  // The key frame's deep stage, the second frame's middle one and the frame's own, each as far on
  // as the picture has moved since.
  @Test(arguments: [false, true]) func whatHasAClockOfItsOwnIsWarped(isChained: Bool) throws {
    let slides = Sliding(dx: 2)
    let flow: any FlowEstimator = isChained ? ChainedFlow(slides) : slides
    let pipeline = try pipeline(
      MiddleClock(FixedInterval(every: 6), through: "middle", every: 2), Warp(),
      taps: ["middle", "deep"], flow: flow)
    var state = pipeline.start()
    for index in 0..<6 {
      let scores = try pipeline.score(slide(index, by: 2), in: &state).scores.floats()
      let own = try layers.input(for: slide(index, by: 2)).floats()
      // What moved in from the left is not looked at.
      for cell in scores.indices where cell % 12 >= 2 * index {
        #expect(scores[cell] == 273 * own[cell], "frame \(index)")
      }
    }
    #expect(layers.runs.map(\.count) == [6, 3, 1, 6])
    #expect(slides.counter.count <= (isChained ? 5 : 8))
  }

  // A key frame that is put off is propagated to, and stages in the middle run on it all the same.
  @Test func stagesInTheMiddleRunWhereAKeyFrameIsPutOff() throws {
    let pipeline = try pipeline(
      BudgetedScheduler(
        MiddleClock(FixedInterval(every: 2), through: "middle", every: 1), share: 0.01),
      Copy(), taps: ["middle", "deep"])
    var state = pipeline.start()
    for index in 0..<7 {
      let scores = try pipeline.score(flat(index), in: &state).scores.floats()
      let expected = sum(low: index, middle: index, deep: 0)
      #expect(scores.allSatisfy { $0 == expected }, "frame \(index)")
    }
  }

  @Test func aTapThatNothingReadsIsTold() throws {
    for (taps, idle) in [(["middle", "deep"], []), (["low", "deep"], ["low"])] {
      #expect(try pipeline(.every(4), Copy(), taps: taps).idleTaps == idle)
    }
    let clocked = try pipeline(
      MiddleClock(FixedInterval(every: 9), through: "low", every: 1), Copy(), taps: ["low", "deep"])
    var state = clocked.start()
    _ = try clocked.score(flat(0), in: &state)
    let error = try #require(throws: PipelineError.self) {
      try clocked.score(flat(1), in: &state)
    }
    #expect("\(error)".contains("read by later stages"))
  }

  @Test func aForkedStreamKeepsItsClocks() throws {
    let pipeline = try pipeline(
      MiddleClock(FixedInterval(every: 6), through: "middle", every: 2), Copy(),
      taps: ["middle", "deep"])
    var state = pipeline.start()
    for index in 0..<4 { _ = try pipeline.score(flat(index), in: &state) }
    var fork = state
    for index in 4..<6 {
      let expected = sum(low: index, middle: 4, deep: 0)
      for scores in [
        try pipeline.score(flat(index), in: &state).scores,
        try pipeline.score(flat(index), in: &fork).scores,
      ] { #expect(try scores.floats().allSatisfy { $0 == expected }) }
    }
  }

  // Scores that a scheduler wanted were made of older features than the frame then gets.
  @Test func whatASchedulerHadMadeIsMadeAgainOfBetterFeatures() throws {
    let pipeline = try pipeline(
      MiddleClock(WantsScores(), through: "middle", every: 2), Copy(), taps: ["middle", "deep"])
    var state = pipeline.start()
    for index in 0..<5 {
      let scores = try pipeline.score(flat(index), in: &state).scores.floats()
      let expected = sum(low: index, middle: index / 2 * 2, deep: 0)
      #expect(scores.allSatisfy { $0 == expected }, "frame \(index)")
    }
  }

  @Test func whatASchedulerLookedAtIsNotComputedAgain() throws {
    let pipeline = try pipeline(WantsFeatures(of: "middle"), Copy(), taps: ["deep"])
    var state = pipeline.start()
    for index in 0..<4 { _ = try pipeline.score(flat(index), in: &state) }
    #expect(layers.runs.map(\.count) == [4, 4, 1, 4])
  }

  @Test func aClockNeedsATapOfItsOwnAndAPropagatorThatReadsTheKeyFrame() throws {
    let clock = MiddleClock(FixedInterval(every: 9), through: "middle", every: 2)
    for (pipeline, words) in [
      (try pipeline(clock, Copy(), taps: ["deep"]), "among the taps (here deep)"),
      (try pipeline(clock, Copy(), taps: ["low", "middle"]), "before the last"),
      (
        try pipeline(clock, Warp(from: .previous), taps: ["middle", "deep"]),
        "reads the key frame itself"
      ),
    ] {
      var state = pipeline.start()
      for index in 0..<2 { _ = try pipeline.score(flat(index), in: &state) }
      let error = try #require(throws: PipelineError.self) {
        try pipeline.score(flat(2), in: &state)
      }
      #expect("\(error)".contains(words) && error.frame == 2)
    }
  }

  // A part reads what later stages make of another map than the frame's own.
  @Test func theBackboneGoesOnFromAnotherMap() throws {
    let pipeline = try pipeline(FixedInterval(every: 9), GoesOn(), taps: ["sum"])
    var state = pipeline.start()
    for index in 0..<3 {
      let scores = try pipeline.score(flat(index), in: &state).scores.floats()
      let expected = sum(low: index, middle: index == 0 ? 0 : 5, deep: index == 0 ? 0 : 5)
      #expect(scores.allSatisfy { $0 == expected }, "frame \(index)")
    }
  }

  @Test func bothSidesTakeNoClockOfTheirOwn() throws {
    let pipeline = try BidirectionalPipeline(
      try pipeline(
        MiddleClock(FixedInterval(every: 9), through: "middle", every: 1), Copy(),
        taps: ["middle", "deep"]))
    var state = pipeline.start()
    _ = try pipeline.add(flat(0), before: nil, to: &state)
    let error = try #require(throws: PipelineError.self) {
      try pipeline.add(flat(1), before: nil, to: &state)
    }
    #expect("\(error)".contains("no clock of their own"))
  }
}

/// Three stages that give the pixels, each read by the last too, which adds up what low, middle and
/// deep ones gave, 1, 16 and 256 times.
private struct Layered: Backbone {
  let runs = [Counter(), Counter(), Counter(), Counter()]
  let stages = ["low", "middle", "deep", "sum"].map { Stage($0, stride: 1) }
  var inputSize: PixelSize? { nil }

  func input(for frame: Frame) throws -> Tensor { try Pixels().input(for: frame) }

  func skipStages(through count: Int) -> [String] {
    count > 3 ? [] : Array(["low", "middle"].prefix(count))
  }

  func run(_ range: Range<Int>, on input: Features) throws -> Features {
    var features = input
    for stage in range {
      runs[stage].tick()
      let given = features
      switch stage {
      case 0, 1:
        let output = try given.main * 1
        features = Features(output, skips: given.skips + [output])
      case 2: features = Features(try given.main * 1, skips: given.skips)
      default:
        features = Features(try given.skips[0] + given.skips[1] * 16 + given.main * 256)
      }
    }
    return features
  }
}

/// What the network gives where its middle stage read fives.
private struct GoesOn: Propagator {
  mutating func keyframe(_: FeatureMaps, in _: FrameContext) {}

  func propagate(to context: FrameContext) throws -> FeatureMaps {
    let fives = try context.features(after: "low") * 0 + 5
    return FeatureMaps(
      try context.features(after: "sum", reading: fives, after: "low"), after: "sum")
  }
}

/// Looks at propagated scores, and makes no frame key.
private struct WantsScores: KeyframeScheduler {
  func decision(at context: FrameContext) throws -> Decision {
    _ = try context.scores()
    return Decision(.propagated, because: Reason("never"))
  }
}

/// Looks at features, and makes no frame key.
private struct WantsFeatures: KeyframeScheduler {
  let stage: String
  init(of stage: String) { self.stage = stage }

  func decision(at context: FrameContext) throws -> Decision {
    _ = try context.features(after: stage)
    return Decision(.propagated, because: Reason("never"))
  }
}
