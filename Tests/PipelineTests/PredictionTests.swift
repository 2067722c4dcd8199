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

/// Pipelines that predict something else than labels, of several feature maps.
struct PredictionTests {
  private func pipeline<Prediction>(
    _ head: some Head<Prediction>, _ propagator: some Propagator = Warp(),
    fusion: (any Fusion)? = nil, taps: [String] = [], interval: Int = 3,
    flow: some FlowEstimator = Sliding(dx: 2), backbone: some Backbone = SkippingPixels()
  ) throws -> KeyframePipeline<Prediction> {
    try KeyframePipeline(
      backbone: backbone, head: head, scheduler: .every(interval), propagator: propagator,
      fusion: fusion, flow: flow, taps: taps)
  }

  private func run<Prediction>(
    _ pipeline: KeyframePipeline<Prediction>, frames: Int
  ) throws -> [FramePrediction<Prediction>] {
    var state = pipeline.start()
    return try (0..<frames).map { try pipeline.predict(slide($0, by: 2), in: &state) }
  }

  private func pixels(_ index: Int) throws -> [Float] {
    try Pixels().input(for: slide(index, by: 2)).floats()
  }

  @Test func whatAHeadReadsIsWhatIsPropagated() throws {
    let backbone = SkippingPixels()
    let pipeline = try pipeline(ReadsTwo(), Copy(), backbone: backbone)
    #expect(pipeline.taps == ["low", "middle"])
    for (index, result) in try run(pipeline, frames: 5).enumerated() {
      let key = try pixels(index / 3 * 3)
      #expect(result.prediction.low == key && result.prediction.middle == key.map { 2 * $0 })
      #expect(result.trace.role == (index % 3 == 0 ? .key : .propagated))
    }
    // Two stages of two keyframes; nothing runs on other frames, and nothing after the taps.
    #expect(backbone.runs.map(\.count) == [2, 2, 0])
  }

  @Test func oneFlowBringsAllMapsAlong() throws {
    let flow = Sliding(dx: 2)
    let results = try run(pipeline(ReadsTwo(), flow: flow), frames: 3)
    #expect(flow.counter.count == 2)
    for (index, result) in results.enumerated() {
      let own = try pixels(index)
      for cell in own.indices where cell % 12 >= 2 * index {
        #expect(result.prediction.low[cell] == own[cell])
        #expect(result.prediction.middle[cell] == 2 * own[cell])
      }
    }
  }

  // A tap before what the head reads: stages between run on every frame, on what was propagated.
  @Test func stagesAfterTheTapRunForTheHead() throws {
    let backbone = SkippingPixels()
    let results = try run(
      pipeline(ReadsTwo(), Copy(), taps: ["low"], backbone: backbone), frames: 3)
    let key = try pixels(0)
    #expect(results.allSatisfy { $0.prediction.middle == key.map { 2 * $0 } })
    #expect(backbone.runs.map(\.count) == [3, 3, 0])
  }

  // What is read before the tap is the frame's own.
  @Test func whatIsReadBeforeTheTapsIsTheFramesOwn() throws {
    for (index, result) in try run(
      pipeline(ReadsTwo(), Copy(), taps: ["middle"]), frames: 5
    ).enumerated() {
      #expect(try result.prediction.low == pixels(index))
      #expect(try result.prediction.middle == pixels(index / 3 * 3).map { 2 * $0 })
    }
  }

  @Test func aFusionJoinsEveryMap() throws {
    let results = try run(pipeline(ReadsTwo(), Copy(), fusion: AddsTen()), frames: 2)
    #expect(try results[0].prediction.low == pixels(0))
    #expect(try results[1].prediction.low == pixels(0).map { $0 + 10 })
    #expect(try results[1].prediction.middle == pixels(0).map { 2 * $0 + 10 })
  }

  @Test func aKeyframeInTheBackgroundTakesUpEveryMap() throws {
    let pipeline = try KeyframePipeline(
      backbone: SkippingPixels(), head: ReadsTwo(),
      scheduler: BackgroundRefresh(FixedInterval(every: 3), frames: 1), propagator: .copy,
      flow: ZeroFlow())
    let shown = [0, 0, 0, 0, 3, 3, 3]
    for (index, result) in try run(pipeline, frames: 7).enumerated() {
      #expect(try result.prediction.middle == pixels(shown[index]).map { 2 * $0 })
    }
  }

  @Test func aKeyframeOfASmallerPictureIsBroughtToEveryGrid() throws {
    let pipeline = try KeyframePipeline(
      backbone: SkippingPixels(), head: ReadsTwo(),
      scheduler: AlternatingResolution(FixedInterval(every: 1), scale: 0.5, fullEvery: 2),
      propagator: .copy, flow: ZeroFlow())
    for result in try run(pipeline, frames: 4) {
      #expect(result.prediction.low.count == 3 * 12 * 4)
      #expect(result.prediction.middle.count == 3 * 12 * 4)
    }
  }

  @Test func whatNeedsScoresIsRefusedWhereThereAreNone() throws {
    let pipeline = try pipeline(ReadsTwo())
    var state = pipeline.start()
    let error = try #require(throws: PipelineError.self) {
      try pipeline.score(slide(0, by: 2), in: &state)
    }
    #expect(error.underlying is IncompatibleParts)
    #expect(throws: IncompatibleParts.self) { try RegionPipeline(pipeline, rows: 2, columns: 2) }
    #expect(throws: BackboneError.self) {
      try KeyframePipeline(
        backbone: SkippingPixels(), head: ReadsTwo(), scheduler: .every(2), propagator: .warp(),
        flow: ZeroFlow(), smoothing: PhotometricSmoothing())
    }
    let unsure = try KeyframePipeline(
      backbone: SkippingPixels(), head: ReadsTwo(),
      scheduler: ThresholdScheduler(UncertaintyIncrease(.entropy), threshold: 1),
      propagator: .warp(), flow: ZeroFlow())
    #expect(throws: PipelineError.self) { try run(unsure, frames: 2) }
  }

  @Test func aFailingHeadIsTraced() throws {
    let pipeline = try pipeline(Fails())
    let error = try #require(throws: PipelineError.self) { try run(pipeline, frames: 1) }
    #expect(error.stage == .head && error.underlying is CancellationError)
  }

  // Of a propagator that remembers a window, a fork remembers its own.
  @Test func whatAPropagatorRemembersBelongsToTheStream() throws {
    let pipeline = try pipeline(ReadsTwo(), CountsFrames(), interval: 4)
    var state = pipeline.start()
    var sums: [Float] = []
    for index in 0..<3 {
      let result = try pipeline.predict(slide(index, by: 2), in: &state)
      sums.append(try result.prediction.low[0] - pixels(0)[0])
    }
    #expect(sums == [0, 1, 2])
    var fork = state
    _ = try pipeline.predict(slide(3, by: 2), in: &state)
    let forked = try pipeline.predict(slide(3, by: 2), in: &fork)
    #expect(try forked.prediction.low[0] - pixels(0)[0] == 3)
    // The next keyframe begins anew.
    #expect(try pipeline.predict(slide(4, by: 2), in: &fork).prediction.low == pixels(4))
  }

  // The scheduler asks for scores, and the frame becomes a keyframe: what was propagated in vain
  // leaves no trace.
  @Test func propagatingInVainChangesNothing() throws {
    let every = try KeyframePipeline(
      backbone: Pixels(), head: Pixels().head, scheduler: AsksInVain(), propagator: CountsFrames(),
      flow: ZeroFlow())
    var state = every.start()
    for index in 0..<6 {
      let result = try every.score(slide(index, by: 2), in: &state)
      let sinceKeyframe = Float(index % 3)
      let expected = try pixels(index / 3 * 3).map { $0 + sinceKeyframe }
      #expect(try result.scores.floats() == expected)
    }
  }
}

/// The values of two stages.
private struct ReadsTwo: Head {
  struct Values: Sendable {
    let low: [Float], middle: [Float]
  }

  let inputs = ["middle", "low"]

  func callAsFunction(_ features: FeatureMaps, size _: PixelSize) throws -> Values {
    Values(
      low: try features.map(after: "low").floats(),
      middle: try features.map(after: "middle").floats())
  }
}

private struct Fails: Head {
  let inputs: [String] = []

  func callAsFunction(_: FeatureMaps, size _: PixelSize) throws -> Int {
    throw CancellationError()
  }
}

/// Adds to every map how many frames it was propagated over.
private struct CountsFrames: Propagator {
  private var maps = FeatureMaps()
  private var count = 0
  var readsKeyframeDirectly: Bool { false }

  mutating func keyframe(_ features: FeatureMaps, in _: FrameContext) {
    (maps, count) = (features, 0)
  }

  mutating func propagate(to _: FrameContext) throws -> FeatureMaps {
    count += 1
    return try maps.mapped { try $0 + Float(count) }
  }
}

/// Every third frame, after a look at what propagation gives.
private struct AsksInVain: KeyframeScheduler {
  func decision(at context: FrameContext) throws -> Decision {
    _ = try context.scores()
    let isKey = context.framesSinceKeyframe >= 3
    return Decision(isKey ? .key : .propagated, because: Reason("in vain"))
  }
}
