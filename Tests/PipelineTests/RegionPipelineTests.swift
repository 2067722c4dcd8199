// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Flow
import Pipeline
import Propagation
import Scheduler
import Testing
import Video

struct RegionPipelineTests {
  private func whole(
    _ scheduler: some KeyframeScheduler, _ propagator: some Propagator = Copy(),
    flow: some FlowEstimator = ZeroFlow()
  ) throws -> KeyframePipeline<Image> {
    try KeyframePipeline(
      backbone: Pixels(), head: Pixels().head, scheduler: scheduler, propagator: propagator,
      flow: flow)
  }

  private func run(
    _ pipeline: some PredictionPipeline<Image>, _ frames: [Frame]
  ) throws -> [LabelledFrame] {
    var state = pipeline.start()
    return try frames.map { try pipeline.label($0, in: &state) }
  }

  private let slides = (0..<6).map { slide($0, by: 2) }

  // Columns of 12 × 4 pixels, each labelled by itself: how they are cut makes no difference.
  @Test(arguments: [(1, 1), (2, 2), (3, 5), (9, 40)], [0, 1, 3, 50])
  func whatTakesPixelsOneByOneIsTheSameInRegions(grid: (Int, Int), overlap: Int) throws {
    let plain = try whole(.every(3))
    let regional = try RegionPipeline(plain, rows: grid.0, columns: grid.1, overlap: overlap)
    let (expected, found) = (try run(plain, slides), try run(regional, slides))
    #expect(found.map(\.labels) == expected.map(\.labels))
    #expect(found.map(\.trace.role) == expected.map(\.trace.role))
    #expect(found.map(\.trace.framesSinceKeyframe) == expected.map(\.trace.framesSinceKeyframe))
    #expect(found.map(\.trace.keyShare) == [1, 0, 0, 1, 0, 0])
  }

  // Only the corner on the lower right changes, and only it becomes key.
  @Test func eachRegionHasKeysOfItsOwn() throws {
    let frames = (0..<3).map { index in
      let pixels = Image(width: 32, height: 16, channels: 3) { bytes in
        for cell in 0..<32 * 16 {
          let changes = index == 1 && cell / 32 >= 8 && cell % 32 >= 16
          for channel in 0..<3 {
            bytes[3 * cell + channel] = channel == (changes ? 2 : 1) ? 200 : 0
          }
        }
      }
      return Frame(index: index, time: Double(index) / 25, pixels: pixels)
    }
    let pipeline = try RegionPipeline(
      whole(ThresholdScheduler(WarpError(), threshold: 5)), rows: 2, columns: 2, overlap: 0)
    let results = try run(pipeline, frames)
    #expect(results.map(\.trace.keyShare) == [1, 0.25, 0.25])
    #expect(results.map(\.trace.framesSinceKeyframe) == [0, 1, 2])
    #expect(results[1].trace.decision.reason.rule == "1 of 4 regions: warp error")
    for y in 0..<16 {
      for x in 0..<32 {
        #expect(results[1].labels[x: x, y: y] == (x >= 16 && y >= 8 ? 2 : 1))
        #expect(results[2].labels[x: x, y: y] == 1)
      }
    }
  }

  // The corner on the lower right changes from frame to frame, the others never do: a tenth of all
  // regions is two fifths of that one, where a threshold of its own gives it a tenth.
  @Test func regionsHaveOneThresholdInCommon() throws {
    let frames = (0..<300).map { index in
      let pixels = Image(width: 32, height: 16, channels: 3) { bytes in
        for cell in 0..<32 * 16 {
          let isBusy = cell / 32 >= 8 && cell % 32 >= 16
          for channel in 0..<3 { bytes[3 * cell + channel] = isBusy ? UInt8(index % 50 * 4) : 40 }
        }
      }
      return Frame(index: index, time: Double(index) / 25, pixels: pixels)
    }
    let scheduler = TargetRateScheduler(WarpError(), rate: 0.1)
    let pipeline = try RegionPipeline(whole(scheduler), rows: 2, columns: 2, overlap: 0)
    let shares = try run(pipeline, frames).map(\.trace.keyShare)
    let alone = try run(whole(scheduler), frames.map { $0.with(pixels: corner(of: $0.pixels)) })
      .map(\.trace.keyShare)
    func rate(_ shares: [Double]) -> Double { shares[150...].reduce(0, +) / 150 }
    #expect((0.08...0.12).contains(rate(shares)), "\(rate(shares))")
    #expect((0.08...0.12).contains(rate(alone)), "\(rate(alone))")
    #expect(shares[1...].allSatisfy { $0 == 0 || $0 == 0.25 })
  }

  private func corner(of image: Image) -> Image {
    image.cropped(x: 16, y: 8, width: 16, height: 8)
  }

  @Test func aCopyOfTheStateForksTheStream() throws {
    let pipeline = try RegionPipeline(whole(.every(4), Warp()), rows: 2, columns: 3, overlap: 2)
    let solo = try run(pipeline, slides).map(\.labels)
    var state = pipeline.start()
    for frame in slides[..<3] { _ = try pipeline.label(frame, in: &state) }
    var fork = state
    for index in 3..<6 {
      #expect(try pipeline.label(slides[index], in: &state).labels == solo[index])
      #expect(try pipeline.label(slides[index], in: &fork).labels == solo[index])
    }
  }

  @Test func aFailureLeavesEveryRegionAsItWas() throws {
    var backbone = CountedPixels()
    // Two regions of frame 0, and the first of frame 2; the second fails.
    backbone.failsAtInput = 4
    let pipeline = try RegionPipeline(
      KeyframePipeline(
        backbone: backbone, head: Pixels().head, scheduler: .every(2), propagator: .copy,
        flow: ZeroFlow()), rows: 1, columns: 2)
    var state = pipeline.start()
    for frame in slides[..<2] { _ = try pipeline.label(frame, in: &state) }
    #expect(throws: PipelineError.self) { try pipeline.label(slides[2], in: &state) }
    // Both are key once more, the first as if it had not been.
    let again = try pipeline.label(slides[2], in: &state)
    #expect(again.trace.keyShare == 1 && again.trace.framesSinceKeyframe == 0)
  }

  // 2×3 regions of 12×4 pixels with an overlap of 1: four at the sides are of one size, two in the
  // middle of another.
  @Test func keysOfOneSizeGoThroughTheBackboneTogether() throws {
    let batching = BatchingPixels()
    let regional = try RegionPipeline(
      pipeline(batching), rows: 2, columns: 3, overlap: 1)
    let wanted = try run(
      RegionPipeline(pipeline(SkippingPixels()), rows: 2, columns: 3, overlap: 1), slides)
    let found = try run(regional, slides)
    #expect(found.map(\.labels) == wanted.map(\.labels))
    // Three stages of two passes each, on two frames.
    #expect(batching.counts.filter { $0 == 4 }.count == 6)
    #expect(batching.counts.filter { $0 == 2 }.count == 6 && batching.counts.count == 12)
    #expect(found.map(\.trace.keyShare) == [1, 0, 0, 1, 0, 0])
  }

  // What the scheduler has asked for is gone on from, and what is carried with its skips is each
  // region's own.
  @Test func aBatchGoesOnFromWhatIsKnown() throws {
    let limited = ThresholdScheduler(FeatureChange(after: "low"), threshold: 1e-6)
    let batching = BatchingPixels()
    func regional(_ backbone: some Backbone) throws -> RegionPipeline<Image> {
      try RegionPipeline(
        KeyframePipeline(
          backbone: backbone, head: Pixels().head, scheduler: limited,
          propagator: KeepsLow(), flow: ZeroFlow(), tap: "middle"),
        rows: 1, columns: 2, overlap: 0)
    }
    let wanted = try run(regional(SkippingPixels()), slides)
    let found = try run(regional(batching), slides)
    #expect(found.map(\.labels) == wanted.map(\.labels))
    #expect(found.map(\.trace.keyShare) == wanted.map(\.trace.keyShare))
    #expect(batching.counts.contains(2))
  }

  private func pipeline(_ backbone: some Backbone) throws -> KeyframePipeline<Image> {
    try KeyframePipeline(
      backbone: backbone, head: Pixels().head, scheduler: .every(3), propagator: Copy(),
      flow: ZeroFlow())
  }

  @Test func partsThatNeedWholeFramesAreRefused() throws {
    let sized = try KeyframePipeline(
      backbone: Pixels(size: PixelSize(width: 6, height: 4)), head: Pixels().head,
      scheduler: .every(2), propagator: .copy, flow: ZeroFlow())
    let error = try #require(throws: IncompatibleParts.self) {
      try RegionPipeline(sized, rows: 2, columns: 2)
    }
    #expect(error.description.contains("any size"))
    #expect(throws: IncompatibleParts.self) {
      try RegionPipeline(whole(.every(2), Warp(), flow: .codec), rows: 2, columns: 2)
    }
  }
}
