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

struct KeyframePipelineTests {
  @Test func everyFrameAsKeyIsTheBackboneAlone() throws {
    let results = try run(pipeline(.every(1)), frames: 4)
    for (index, result) in results.enumerated() {
      #expect(result.labels == columns(of: slide(index, by: 2)))
    }
  }

  @Test func rolesAndReasonsAreTraced() throws {
    let traces = try run(pipeline(.every(3)), frames: 7).map(\.trace)
    #expect(traces.map(\.role.drawing).joined() == "K..K..K")
    #expect(traces.map(\.framesSinceKeyframe) == [0, 1, 2, 0, 1, 2, 0])
    #expect(traces[0].decision.reason == .firstFrame)
    #expect(traces[3].decision.reason == Reason("frames since key", score: 3, threshold: 3))
  }

  @Test func stageTimesAddUpToTheTotal() throws {
    for trace in try run(pipeline(.whenMoved(pixels: 3)), frames: 6).map(\.trace) {
      let sum = trace.stages.values.reduce(Duration.zero, +)
      #expect(sum <= trace.total)
      #expect(sum > .zero)
    }
  }

  @Test func copiedLabelsAreThoseOfTheKey() throws {
    let results = try run(pipeline(.every(4), Copy()), frames: 8)
    #expect(results[3].labels == results[0].labels)
    #expect(results[4].labels != results[0].labels)
    #expect(results[7].labels == results[4].labels)
  }

  @Test(arguments: [FlowReference.keyframe, .previous], ["low", "high"])
  func warpedLabelsFollowTheMotion(reference: FlowReference, tap: String) throws {
    let results = try run(pipeline(.every(4), Warp(from: reference), tap: tap), frames: 4)
    for (index, result) in results.enumerated() {
      let expected = columns(of: slide(index, by: 2))
      for x in (2 * index)..<12 { #expect(result.labels[x: x, y: 1] == expected[x: x, y: 1]) }
    }
  }

  @Test func interleavedStreamsEqualTheirSoloRuns() throws {
    let pipeline = try pipeline(.whenMoved(pixels: 3), Warp(from: .previous))
    let solo = try run(pipeline, frames: 6).map(\.labels)
    var states = [pipeline.start(), pipeline.start()]
    for step in 0..<9 {
      for (which, index) in [(0, step), (1, step - 3)] where (0..<6).contains(index) {
        let result = try pipeline.label(slide(index, by: 2), in: &states[which])
        #expect(result.labels == solo[index])
      }
    }
  }

  @Test func aCopyOfTheStateForksTheStream() throws {
    let pipeline = try pipeline(.every(5))
    var state = pipeline.start()
    _ = try pipeline.label(slide(0, by: 2), in: &state)
    var fork = state
    for index in 1..<5 { _ = try pipeline.label(slide(index, by: 2), in: &state) }
    #expect(state.framesSinceKeyframe == 4)
    #expect(fork.framesSinceKeyframe == 0)
    let forked = try pipeline.label(slide(1, by: 2), in: &fork)
    #expect(forked.trace.framesSinceKeyframe == 1)
  }

  @Test func nothingIsCarriedAcrossABreak() throws {
    let pipeline = try pipeline(.every(9))
    var state = pipeline.start()
    _ = try pipeline.label(slide(0, by: 2), in: &state)
    let result = try pipeline.label(slide(1, by: 2, breaks: true), in: &state)
    #expect(result.trace.role == .key)
    #expect(result.trace.decision.reason == .streamBroke(.sequence))
    #expect(result.labels == columns(of: slide(1, by: 2)))
  }

  @Test func motionIsEstimatedOnceThoughTwoAsk() throws {
    let flow = Sliding(dx: 2)
    _ = try run(pipeline(.whenMoved(pixels: 100), flow: flow), frames: 5)
    #expect(flow.counter.count == 4)
  }

  @Test func codecMotionToThePreviousFrameGoesByWhatBothWerePredictedFrom() throws {
    // Shown as I0 B1 B2 P3 P4, one pixel a frame: B2 and P3 were predicted from I0, not from the
    // frame before them.
    let types: [(PictureType, Int32)] = [
      (.intra, 0), (.bidirectional, 1), (.bidirectional, 2), (.predicted, 3), (.predicted, 1),
    ]
    let pipeline = try pipeline(LooksAtPreviousMotion(), Copy(), flow: CodecMotion())
    var state = pipeline.start()
    for (index, (type, dx)) in types.enumerated() {
      let trace = try pipeline.label(coded(index, type, dx: dx), in: &state).trace
      if index > 0 { #expect(trace.decision.reason.score == 1, "frame \(index)") }
    }
  }

  @Test func copyingEstimatesNoMotion() throws {
    let flow = Sliding(dx: 2)
    _ = try run(pipeline(.every(3), Copy(), flow: flow), frames: 6)
    #expect(flow.counter.count == 0)
  }

  @Test func aFailureNamesStageAndFrameAndLeavesTheStreamAsItWas() throws {
    var backbone = CountedPixels()
    backbone.failsOn = 2
    let pipeline = try pipeline(.every(2), backbone: backbone)
    var state = pipeline.start()
    for index in 0..<2 { _ = try pipeline.label(slide(index, by: 2), in: &state) }
    let error = try #require(throws: PipelineError.self) {
      try pipeline.label(slide(2, by: 2), in: &state)
    }
    #expect(error.stage == .backbone && error.frame == 2)
    #expect(error.underlying is CancellationError)
    #expect(state.framesSinceKeyframe == 1)
  }

  @Test func aTapRunsTheRestOnEveryFrame() throws {
    let backbone = CountedPixels()
    _ = try run(pipeline(.every(3), Copy(), tap: "low", backbone: backbone), frames: 6)
    #expect((backbone.low.count, backbone.high.count) == (2, 6))
  }

  @Test func askedForFeaturesAreNotComputedAgain() throws {
    let backbone = CountedPixels()
    _ = try run(pipeline(LooksAtFeatures(), Copy(), backbone: backbone), frames: 5)
    #expect((backbone.low.count, backbone.high.count) == (5, 3))
  }

  // The first key's are computed when they are first asked for; later keys were asked about before.
  @Test func theKeysFeaturesAreComputedOnce() throws {
    let backbone = CountedPixels()
    _ = try run(
      pipeline(
        ThresholdScheduler(FeatureChange(after: "low"), threshold: 0.5), Copy(),
        backbone: backbone),
      frames: 7)
    #expect(backbone.low.count == 7 + 1)
  }

  @Test func changeIsMeasuredFromTheKey() throws {
    let pipeline = try pipeline(
      ThresholdScheduler(LabelChange(after: "low"), threshold: 0.5), Copy(), backbone: Pixels())
    var state = pipeline.start()
    // Columns of two pixels in turn: moved by two, every label is another; by six, all are the same
    // again.
    let drawing = try [0, 6, 6, 2, 2, 8, 6].enumerated().map { index, moved in
      let pixels = slide(1, by: moved).pixels
      let frame = Frame(index: index, time: Double(index), pixels: pixels)
      return try pipeline.label(frame, in: &state).trace.role == .key ? "K" : "."
    }
    #expect(drawing.joined() == "K..K..K")
  }

  @Test func featuresOfALaterStageGoOnFromThoseOfAnEarlierOne() throws {
    let backbone = CountedPixels()
    _ = try run(pipeline(LooksDeeper(), Copy(), backbone: backbone), frames: 5)
    #expect((backbone.low.count, backbone.high.count) == (5, 5))
  }

  @Test func codecMotionIsBroughtToTheBackbonesSizeInLengthToo() throws {
    let pipeline = try KeyframePipeline(
      backbone: Pixels(size: PixelSize(width: 6, height: 4)), head: Pixels().head,
      scheduler: LooksAtPreviousMotion(), propagator: .warp(), flow: .codec)
    var state = pipeline.start()
    _ = try pipeline.label(coded(0, .intra, dx: 0), in: &state)
    for index in 1...3 {
      let trace = try pipeline.label(coded(index, .predicted, dx: 4), in: &state).trace
      #expect(trace.decision.reason.score == 2)
    }
  }

  @Test func framesAreBroughtToTheBackbonesSize() throws {
    let pipeline = try KeyframePipeline(
      backbone: Pixels(size: PixelSize(width: 6, height: 2)), head: Pixels().head,
      scheduler: .every(2), propagator: .warp(), flow: ZeroFlow())
    for result in try run(pipeline, frames: 3) {
      #expect(result.labels.size == PixelSize(width: 6, height: 2))
    }
  }

  @Test func anUnknownTapIsAnsweredWithTheStagesThereAre() throws {
    let error = try #require(throws: BackboneError.self) { try pipeline(.every(2), tap: "hgih") }
    #expect(error.message == "no stage 'hgih'; there are low, high")
  }

  @Test func pixelsKeepTheLawsOfBackbones() throws {
    #expect(try brokenLaws(of: Pixels(), on: slide(0, by: 0)) == [])
  }

  // Each frame's fusion adds ten to what is shown; what is carried stays what the key gave.
  @Test func whatIsFusedIsShownAndNotCarried() throws {
    let pipeline = try pipeline(.every(4), Warp(from: .previous), fusion: AddsTen())
    let plain = try self.pipeline(.every(4), Warp(from: .previous))
    var (state, other) = (pipeline.start(), plain.start())
    for index in 0..<6 {
      let fused = try pipeline.score(slide(index, by: 2), in: &state)
      let carried = try plain.score(slide(index, by: 2), in: &other)
      let added = zip(try fused.scores.floats(), try carried.scores.floats()).map { $0 - $1 }
      let isKey = fused.trace.role == .key
      #expect(added.allSatisfy { abs($0 - (isKey ? 0 : 10)) < 1e-4 })
      #expect((fused.trace.stages[.fuse] != nil) == !isKey)
    }
  }

  // Of the reference, the first stage's features are known since it was the reference; of the
  // current frame, they are computed.
  @Test(arguments: [FlowReference.keyframe, .previous])
  func keptFeaturesAreNotComputedAgain(reference: FlowReference) throws {
    let backbone = CountedPixels()
    let pipeline = try pipeline(
      .every(4), ComparesFeatures(reference: reference), tap: "high", backbone: backbone)
    var state = pipeline.start()
    for index in 0..<6 { _ = try pipeline.label(slide(index, by: 2), in: &state) }
    #expect(backbone.low.count == 6)
    #expect(backbone.high.count == 2)
  }

  // What is carried are the key's columns, what is added to them the frame's own.
  @Test func whatLaterStagesReadOfEarlierOnesIsTheFramesOwn() throws {
    let backbone = SkippingPixels()
    let pipeline = try pipeline(.every(3), Copy(), tap: "middle", backbone: backbone)
    var state = pipeline.start()
    for index in 0..<5 {
      let scores = try pipeline.score(slide(index, by: 2), in: &state).scores.floats()
      let key = try backbone.input(for: slide(index / 3 * 3, by: 2)).floats()
      let own = try backbone.input(for: slide(index, by: 2)).floats()
      #expect(scores == zip(key, own).map { 2 * $0 + $1 })
    }
    // The first stage of every frame, the second of the keys, the third of every frame.
    #expect(backbone.runs.map(\.count) == [5, 2, 5])
  }

  // What the decoder adds is added on non-key frames alone, and to what the frame's own first stage
  // gives; the backbone's own last stage runs on key frames alone.
  @Test func aDecoderRunsOnNonKeyFramesInThePlaceOfTheBackbonesStages() throws {
    let backbone = SkippingPixels()
    let pipeline = try KeyframePipeline(
      backbone: backbone, head: Pixels().head, scheduler: .every(3), propagator: Copy(),
      decoder: SkippingPixels(added: 7), flow: ZeroFlow(), tap: "middle")
    var state = pipeline.start()
    for index in 0..<5 {
      let scores = try pipeline.score(slide(index, by: 2), in: &state).scores.floats()
      let key = try backbone.input(for: slide(index / 3 * 3, by: 2)).floats()
      let own = try backbone.input(for: slide(index, by: 2)).floats()
      let added: Float = index.isMultiple(of: 3) ? 0 : 7
      #expect(scores == zip(key, own).map { 2 * $0 + $1 + added }, "frame \(index)")
    }
    #expect(backbone.runs.map(\.count) == [5, 2, 2])
  }

  @Test(arguments: [
    ("high", 3, "no stage runs after 'high': a decoder of non-key frames has nothing to do"),
    ("middle", 2, "the decoder of non-key frames has other stages"),
  ]) func aDecoderThatNeverRunsOrDoesNotFitIsRefused(
    tap: String, stages: Int, complaint: String
  ) throws {
    let decoder: any Backbone = stages == 3 ? SkippingPixels() : Pixels()
    let error = #expect(throws: BackboneError.self) {
      try KeyframePipeline(
        backbone: SkippingPixels(), head: Pixels().head, scheduler: .every(3), propagator: Copy(),
        decoder: decoder, flow: ZeroFlow(), tap: tap)
    }
    #expect(error?.message == complaint)
  }

  // A key every third frame, that others borrow from one or two frames later: labels are the key's,
  // copied.
  @Test(arguments: [1, 2]) func aKeyInTheBackgroundIsUsedWhenItIsDue(lag: Int) throws {
    let backbone = CountedPixels()
    let pipeline = try pipeline(
      BackgroundRefresh(FixedInterval(every: 3), frames: lag), Copy(), backbone: backbone)
    let results = try run(pipeline, frames: 9)
    // The frame whose labels are shown, and how far it is back.
    let shown = lag == 1 ? [0, 0, 0, 0, 3, 3, 3, 6, 6] : [0, 0, 0, 0, 0, 3, 3, 3, 6]
    for (index, result) in results.enumerated() {
      #expect(result.labels == columns(of: slide(shown[index], by: 2)), "frame \(index)")
      #expect(result.trace.framesSinceKeyframe == index - shown[index])
      #expect(result.trace.role == (index == 0 ? .key : .propagated))
      // Waited for is what was begun and not taken up yet.
      let isComing = (1...lag).contains { index > $0 && (index - $0).isMultiple(of: 3) }
      #expect((result.trace.stages[.wait] != nil) == isComing)
    }
    #expect(results.indices.filter { results[$0].trace.startsBackbone } == [0, 3, 6])
    #expect(backbone.high.count == 3)
  }

  @Test func aStreamThatForksWhileAKeyIsUnderWayBorrowsFromItTwice() throws {
    let pipeline = try pipeline(BackgroundRefresh(FixedInterval(every: 2), frames: 2), Copy())
    var state = pipeline.start()
    for index in 0..<3 { _ = try pipeline.label(slide(index, by: 2), in: &state) }
    var fork = state
    for index in 3..<6 {
      let labels = try pipeline.label(slide(index, by: 2), in: &state).labels
      #expect(try pipeline.label(slide(index, by: 2), in: &fork).labels == labels)
    }
  }

  // What is warped along a chain of steps reaches the new key by the steps since.
  @Test(arguments: [1, 2, 3]) func theMotionLeadsToTheKeyThatIsUsed(lag: Int) throws {
    for flow in [Sliding(dx: 2) as any FlowEstimator, ChainedFlow(Sliding(dx: 2))] {
      let pipeline = try KeyframePipeline(
        backbone: Pixels(), head: Pixels().head,
        scheduler: BackgroundRefresh(FixedInterval(every: 4), frames: lag), propagator: .warp(),
        flow: flow)
      for (index, result) in try run(pipeline, frames: 12).enumerated() {
        let expected = columns(of: slide(index, by: 2))
        let entered = 2 * result.trace.framesSinceKeyframe
        for x in min(12, entered)..<12 {
          #expect(result.labels[x: x, y: 1] == expected[x: x, y: 1])
        }
      }
    }
  }

  @Test func nothingRunsOnBehindAStreamThatIsGone() throws {
    let backbone = CountedPixels()
    let pipeline = try pipeline(
      BackgroundRefresh(FixedInterval(every: 2)), Copy(), backbone: backbone)
    for round in 1...20 {
      _ = try run(pipeline, frames: 3)
      // The second key of each stream, which nobody took up, is done.
      #expect(backbone.high.count == 2 * round)
    }
  }

  @Test func whatFailsInTheBackgroundIsThrownWhereItIsDue() throws {
    var backbone = CountedPixels()
    backbone.failsOn = 2
    let pipeline = try pipeline(
      BackgroundRefresh(FixedInterval(every: 2)), Copy(), backbone: backbone)
    var state = pipeline.start()
    for index in 0..<3 { _ = try pipeline.label(slide(index, by: 2), in: &state) }
    let error = try #require(throws: PipelineError.self) {
      try pipeline.label(slide(3, by: 2), in: &state)
    }
    #expect(error.stage == .wait && error.frame == 3 && error.underlying is CancellationError)
  }

  @Test func whatIsCarriedFromFrameToFrameTakesNoKeyFromTheBackground() throws {
    let pipeline = try pipeline(
      BackgroundRefresh(FixedInterval(every: 2)), Warp(from: .previous))
    let error = try #require(throws: PipelineError.self) { try run(pipeline, frames: 4) }
    #expect(error.frame == 2 && "\(error)".contains("reads the key frame itself"))
  }

  // Columns of six pixels survive being seen at half size, columns of one do not.
  @Test func aKeyOfASmallerPictureIsBroughtToFullSize() throws {
    let pipeline = try pipeline(
      AlternatingResolution(FixedInterval(every: 1), scale: 0.5, fullEvery: 2), Copy())
    var state = pipeline.start()
    for (width, isSeen) in [(1, true), (6, true), (1, true), (1, false)] {
      let pixels = Image(width: 12, height: 4, channels: 3) { bytes in
        for sample in 0..<144 {
          bytes[sample] = sample % 3 == sample / 3 % 12 / width % 2 ? 200 : 0
        }
      }
      let frame = Frame(index: state.framesSinceKeyframe, time: 0, pixels: pixels)
      let result = try pipeline.label(frame, in: &state)
      #expect(result.labels.size == pixels.size && result.trace.role == .key)
      #expect((result.labels == columns(of: frame)) == isSeen)
    }
  }

  // Confidence is asked of every frame: what was carried for it is what is shown.
  @Test func whatIsCarriedForTheSchedulerIsNotCarriedAgain() throws {
    let backbone = CountedPixels(), flow = Sliding(dx: 2)
    let pipeline = try pipeline(
      ThresholdScheduler(UncertaintyIncrease(.confidence), threshold: 1), flow: flow, tap: "low",
      backbone: backbone)
    let plain = try self.pipeline(.every(9), tap: "low")
    let (asked, unasked) = (try run(pipeline, frames: 5), try run(plain, frames: 5))
    #expect(asked.map(\.labels) == unasked.map(\.labels))
    #expect(flow.counter.count == 4)
    // The last stage of each frame once, and of the key once more, as nobody had kept its scores.
    #expect((backbone.low.count, backbone.high.count) == (2, 6))
  }

  // Twice the key's columns and the frame's own on frames 2 and 4; on 1, 3 and 5 what the frame
  // before had, two columns further on.
  @Test(arguments: [false, true]) func shallowStagesHaveAClockOfTheirOwn(isChained: Bool) throws {
    let backbone = SkippingPixels(), slides = Sliding(dx: 2)
    let flow: any FlowEstimator = isChained ? ChainedFlow(slides) : slides
    let pipeline = try pipeline(
      ShallowClock(FixedInterval(every: 6), every: 2), Copy(), flow: flow, tap: "middle",
      backbone: backbone)
    var state = pipeline.start()
    func pixels(_ index: Int) throws -> [Float] {
      try backbone.input(for: slide(index, by: 2)).floats()
    }
    for index in 0..<7 {
      let scored = try pipeline.score(slide(index, by: 2), in: &state)
      let made = index / 2 * 2
      let (key, own) = (try pixels(index / 6 * 6), try pixels(made))
      let scores = try scored.scores.floats()
      let shift = 2 * (index - made)
      for cell in scores.indices where cell % 12 >= shift {
        #expect(scores[cell] == 2 * key[cell - shift] + own[cell - shift], "frame \(index)")
      }
      #expect(scored.trace.framesSinceKeyframe == index % 6)
    }
    #expect(backbone.runs.map(\.count) == [4, 2, 4])
    // Each step once but to the second key; without a chain, motion to the key is wanted by nobody.
    #expect(slides.counter.count == (isChained ? 5 : 3))
  }

  @Test func whatIsCarriedFromFrameToFrameHasNoShallowClock() throws {
    let pipeline = try pipeline(
      ShallowClock(FixedInterval(every: 4), every: 2), Warp(from: .previous), tap: "low")
    let error = try #require(throws: PipelineError.self) { try run(pipeline, frames: 3) }
    #expect(error.frame == 1 && "\(error)".contains("reads the key frame itself"))
  }

  // The key's scores are the frame's own and a share of those before, which fades as the picture
  // changes; they are what is carried on.
  @Test(arguments: [nil, "low"], [1, 3])
  func keysRememberWhatCameBefore(tap: String?, interval: Int) throws {
    let memory = PhotometricSmoothing(weight: 0.5, tolerance: 10)
    let pipeline = try KeyframePipeline(
      backbone: Pixels(), head: Pixels().head, scheduler: .every(interval), propagator: .copy,
      flow: ZeroFlow(), smoothing: memory, tap: tap)
    var state = pipeline.start()
    let levels: [UInt8] = [100, 100, 104, 120, 120, 122, 90]
    var (expected, last) = (Double(levels[0]), 0)
    for (index, level) in levels.enumerated() {
      let frame = Frame(
        index: index, time: Double(index),
        pixels: Image(width: 4, height: 4, channels: 3, repeating: level))
      // With a tap before the end the last stage runs, and remembers, on every frame.
      let isMade = index % interval == 0 || tap != nil
      if isMade, index > 0 {
        let own = Double(levels[index % interval == 0 ? index : index / interval * interval])
        let change = abs(Double(level) - Double(levels[last]))
        expected += (1 - 0.5 * exp(-change / 10)) * (own - expected)
      }
      if isMade { last = index }
      for score in try pipeline.score(frame, in: &state).scores.floats() {
        #expect(abs(Double(score) - expected) < 1e-3, "frame \(index)")
      }
    }
  }

  private func pipeline(
    _ scheduler: some KeyframeScheduler, _ propagator: some Propagator = Warp(),
    fusion: (any Fusion)? = nil,
    flow: some FlowEstimator = Sliding(dx: 2), tap: String? = nil,
    backbone: some Backbone = Pixels()
  ) throws -> KeyframePipeline<Image> {
    try KeyframePipeline(
      backbone: backbone, head: Pixels().head, scheduler: scheduler, propagator: propagator,
      fusion: fusion, flow: flow, tap: tap)
  }

  private func run(_ pipeline: KeyframePipeline<Image>, frames: Int) throws -> [LabelledFrame] {
    var state = pipeline.start()
    return try (0..<frames).map { try pipeline.label(slide($0, by: 2), in: &state) }
  }

  /// The brightest channel of each pixel.
  private func columns(of frame: Frame) -> Image {
    let pixels = frame.pixels
    return Image(
      width: pixels.width, height: pixels.height, channels: 1,
      bytes: (0..<pixels.width * pixels.height).map { cell -> UInt8 in
        let (x, y) = (cell % pixels.width, cell / pixels.width)
        let levels = (0..<3).map { pixels[x: x, y: y, channel: $0] }
        return UInt8(levels.indices.max { levels[$0] < levels[$1] } ?? 0)
      })
  }
}

extension FrameRole {
  fileprivate var drawing: String { self == .key ? "K" : "." }
}
