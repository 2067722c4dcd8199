// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Flow
import Foundation
import Frames
import Pipeline
import Propagation
import Scheduler
import Tensors
import Testing
import Video

struct BidirectionalPipelineTests {
  private func pipeline(
    _ scheduler: some KeyframeScheduler = .every(3), _ propagator: some Propagator = Warp(),
    flow: some FlowEstimator = Sliding(dx: 2), tap: String? = nil,
    backbone: some Backbone = Pixels()
  ) throws -> KeyframePipeline<[Float]> {
    try KeyframePipeline(
      backbone: backbone, head: Values(), scheduler: scheduler, propagator: propagator,
      flow: flow, tap: tap)
  }

  /// What each frame gives, and how many predictions came at each.
  private func run<Pipeline: StreamPipeline<[Float]>>(
    _ pipeline: Pipeline, _ frames: [Frame]
  ) throws -> (predictions: [FramePrediction<[Float]>], counts: [Int]) {
    var (state, all, counts) = (pipeline.start(), [FramePrediction<[Float]>](), [Int]())
    for frame in frames {
      let ready = try pipeline.add(frame, before: nil, to: &state)
      counts.append(ready.count)
      all += ready
    }
    let rest = try pipeline.finish(&state)
    counts.append(rest.count)
    #expect(try pipeline.finish(&state).isEmpty)
    return (all + rest, counts)
  }

  /// Frames of one grey each.
  private func greys(_ levels: [UInt8]) -> [Frame] {
    levels.enumerated().map { index, level in
      Frame(
        index: index, time: Double(index) / 25,
        pixels: Image(width: 12, height: 4, channels: 3, repeating: level))
    }
  }

  private func slides(_ count: Int) -> [Frame] { (0..<count).map { slide($0, by: 2) } }

  @Test func everyFrameComesOnceInOrderWithItsKeyFrame() throws {
    let (predictions, counts) = try run(BidirectionalPipeline(pipeline()), slides(9))
    #expect(counts == [1, 0, 0, 3, 0, 0, 3, 0, 0, 2])
    #expect(predictions.map(\.trace.index) == Array(0..<9))
    #expect(predictions.map(\.trace.framesSinceKeyframe) == [0, 1, 2, 0, 1, 2, 0, 1, 2])
    #expect(predictions.map { $0.trace.role == .key } == (0..<9).map { $0.isMultiple(of: 3) })
    for prediction in predictions {
      #expect(prediction.trace.total >= prediction.trace.stages.values.reduce(.zero, +))
      #expect(prediction.trace.role == .key || prediction.trace.macs > 0)
    }
  }

  // Key frames are their own, frames after the last one are propagated to from it alone.
  @Test(arguments: [nil, "low"] as [String?])
  func whereThereIsOneSideItIsThePipelineOfOneSide(tap: String?) throws {
    let plain = try pipeline(tap: tap)
    let (found, expected) = (
      try run(BidirectionalPipeline(plain), slides(9)).predictions,
      try run(plain, slides(9)).predictions
    )
    for index in [0, 3, 6, 7, 8] {
      #expect(found[index].prediction == expected[index].prediction, "frame \(index)")
    }
    #expect(found[1].prediction != expected[1].prediction)
  }

  // What comes into the picture is on no key frame before; the one after has it, and lacks what
  // goes out of it.
  @Test(arguments: [false, true], [FlowReference.keyframe, .previous])
  func whatOneKeyFrameDoesNotShowTheOtherOneDoes(chains: Bool, reference: FlowReference) throws {
    let scene = MovingScene(
      moving: .init(repeating: (4, 0), count: 4), size: PixelSize(width: 96, height: 32))
    let plain =
      chains
      ? try pipeline(.every(4), Warp(from: reference), flow: ChainedFlow(Exact(scene: scene)))
      : try pipeline(.every(4), Warp(from: reference), flow: Exact(scene: scene))
    let found = try run(BidirectionalPipeline(plain), scene.frames).predictions
    let alone = try run(plain, scene.frames).predictions
    for index in 1..<4 {
      let own = try Pixels().input(for: scene.frames[index]).floats()
      func error(_ values: [Float]) -> Float {
        zip(values, own).reduce(0) { $0 + abs($1.0 - $1.1) } / Float(own.count)
      }
      let (both, one) = (error(found[index].prediction), error(alone[index].prediction))
      #expect(one > 1 && both < 0.5 * one, "frame \(index): \(both), \(one)")
    }
  }

  // Nothing moves and flow is none, so that a frame differs from its key frames by what was added:
  // the whole of the arithmetic, by hand.
  @Test func bothSidesAreJoinedByDistanceAndLikeness() throws {
    let levels: [UInt8] = [100, 103, 110, 120]
    let frames = greys(levels)
    let blend = BidirectionalBlend(tolerance: 8)
    let plain = try pipeline(.every(3), Copy(), flow: ZeroFlow())
    let found = try run(BidirectionalPipeline(plain, joining: blend), frames).predictions
    for index in 1..<3 {
      let level = Double(levels[index])
      let before = likeness(level - 100), after = likeness(120 - level)
      let a = Double(index) * (after + 1e-3), b = Double(3 - index) * (before + 1e-3)
      let expected = 100 + 20 * a / (a + b)
      #expect(found[index].prediction.allSatisfy { abs(Double($0) - expected) < 1e-2 })
    }
  }

  private func likeness(_ change: Double) -> Double { exp(-change / 8) }

  // As above; each side is multiplied by what the fusion is told of its distance, before the two
  // are joined. What the fusion makes of the frame alone is made once for both.
  @Test func aFusionSeesEachSide() throws {
    let levels: [UInt8] = [100, 103, 110, 120]
    let frames = greys(levels)
    let fusion = TimesDistance()
    let plain = try KeyframePipeline(
      backbone: Pixels(), head: Values(), scheduler: .every(3), propagator: Copy(),
      fusion: fusion, flow: ZeroFlow())
    let found = try run(
      BidirectionalPipeline(plain, joining: BidirectionalBlend(tolerance: 8)), frames
    ).predictions
    for index in 1..<3 {
      let level = Double(levels[index]), distance = (Double(index), Double(3 - index))
      let a = distance.0 * (likeness(120 - level) + 1e-3)
      let b = distance.1 * (likeness(level - 100) + 1e-3)
      let expected = (b * 100 * distance.0 + a * 120 * distance.1) / (a + b)
      #expect(
        found[index].prediction.allSatisfy { abs(Double($0) - expected) < 1e-2 }, "frame \(index)")
    }
    #expect(fusion.made.count == 2)
  }

  @Test func nothingIsTakenFromBehindABreak() throws {
    let frames = (0..<6).map { slide($0, by: 2, breaks: $0 == 2) }
    let plain = try pipeline(.every(4))
    let (found, counts) = try run(BidirectionalPipeline(plain), frames)
    #expect(counts == [1, 0, 2, 0, 0, 0, 3])
    let expected = try run(plain, frames).predictions
    #expect(found.map(\.prediction) == expected.map(\.prediction))
    #expect(found.map(\.trace.followsBreak) == [false, false, true, false, false, false])
  }

  @Test func noMoreFramesWaitThanAreAllowed() throws {
    let (found, counts) = try run(
      BidirectionalPipeline(pipeline(.every(6)), longest: 2), slides(8))
    #expect(counts == [1, 0, 2, 0, 2, 0, 2, 0, 1])
    #expect(found.map(\.trace.index) == Array(0..<8))
  }

  // Both sides read what later stages need of the frame itself; the backbone's deep stage runs on
  // key frames alone, and shallow ones once a frame.
  @Test func stagesRunNoMoreOftenThanFromOneSide() throws {
    let backbone = SkippingPixels()
    let plain = try pipeline(.every(3), Copy(), flow: ZeroFlow(), tap: "middle", backbone: backbone)
    let found = try run(BidirectionalPipeline(plain), slides(7)).predictions
    #expect(backbone.runs.map(\.count) == [7, 3, 7])
    for index in 1..<3 {
      let own = try Pixels().input(for: slide(index, by: 2)).floats()
      let sides = try [0, 3].map { try Pixels().input(for: slide($0, by: 2)).floats() }
      for (cell, value) in found[index].prediction.enumerated() {
        let joined = (value - own[cell]) / 2
        let (least, most) = (
          min(sides[0][cell], sides[1][cell]), max(sides[0][cell], sides[1][cell])
        )
        #expect(joined >= least - 0.01 && joined <= most + 0.01)
      }
    }
  }

  @Test func aFailureLeavesTheStreamAsItWas() throws {
    let pipeline = try BidirectionalPipeline(
      pipeline(.every(2), Copy(), backbone: CountedPixels(failsAtInput: 2)))
    var state = pipeline.start()
    #expect(try pipeline.add(slide(0, by: 2), before: nil, to: &state).count == 1)
    #expect(try pipeline.add(slide(1, by: 2), before: nil, to: &state).isEmpty)
    let error = try #require(throws: PipelineError.self) {
      try pipeline.add(slide(2, by: 2), before: nil, to: &state)
    }
    #expect(error.frame == 2)
    let again = try pipeline.add(slide(2, by: 2), before: nil, to: &state)
    #expect(again.map(\.trace.index) == [1, 2])
  }

  @Test func aCopyOfTheStateForksTheStream() throws {
    let pipeline = try BidirectionalPipeline(pipeline(.every(2)))
    var state = pipeline.start()
    for frame in slides(2) { _ = try pipeline.add(frame, before: nil, to: &state) }
    var fork = state
    let (first, second) = (
      try pipeline.add(slide(2, by: 2), before: nil, to: &state),
      try pipeline.add(slide(2, by: 2), before: nil, to: &fork)
    )
    #expect(first.map(\.prediction) == second.map(\.prediction))
  }

  @Test func whatCannotSeeALaterFrameIsRefused() throws {
    let pixels = Pixels()
    func refused(_ words: String, _ pipeline: KeyframePipeline<Image>) throws {
      let error = try #require(throws: IncompatibleParts.self) {
        try BidirectionalPipeline(pipeline)
      }
      #expect(error.description.contains(words), "\(error)")
    }
    try refused(
      "the codec's",
      KeyframePipeline(
        backbone: pixels, head: pixels.head, scheduler: .every(2), propagator: .warp(),
        flow: CodecMotion()))
    try refused(
      "temporal smoothing",
      KeyframePipeline(
        backbone: pixels, head: pixels.head, scheduler: .every(2), propagator: .warp(),
        flow: ZeroFlow(), smoothing: PhotometricSmoothing()))
    for scheduler in [
      BackgroundRefresh(FixedInterval(every: 2), frames: 1) as any KeyframeScheduler,
      ShallowClock(FixedInterval(every: 4), every: 2),
    ] {
      let pipeline = try BidirectionalPipeline(pipeline(tap: "low").with(scheduler: scheduler))
      let error = try #require(throws: PipelineError.self) { try run(pipeline, slides(4)) }
      #expect(error.underlying is IncompatibleParts)
    }
  }
}

/// Multiplies by the frames since the key frame, and makes one thing of each frame.
private struct TimesDistance: Fusion {
  let made = Counter()

  func callAsFunction(_ propagated: FeatureMaps, in context: FrameContext) throws -> FeatureMaps {
    let one = try context.once("one") {
      made.tick()
      return try .full([1], of: 1)
    }
    return try propagated.mapped { try $0 * Float(context.framesSinceKeyframe) * one }
  }
}

/// What is known of a scene's motion.
private struct Exact: FlowEstimator {
  let scene: MovingScene

  func motion(from current: Frame, to reference: Frame) -> MotionField {
    scene.flow(from: current.index, to: reference.index)
  }
}

/// The values of the last stage.
private struct Values: Head {
  let inputs: [String] = []

  func callAsFunction(_ features: FeatureMaps, size _: PixelSize) throws -> [Float] {
    try features.only().contiguous().floats()
  }
}
