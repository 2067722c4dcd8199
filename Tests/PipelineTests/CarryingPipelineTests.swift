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

/// What is told of a frame: where something is, and how it came to be told.
private struct Place: Hashable, Sendable {
  var x: Double
  var history: [String] = []
}

/// Finds the place where the picture of `slide` has its mark: of frame n, 2 n.
private struct FindsPlace: Head {
  var inputs: [String] { [] }
  let asked = Counter()

  func callAsFunction(_ features: FeatureMaps, size: PixelSize) throws -> Place {
    asked.tick()
    return Place(x: try Double(features.only().floats()[0]))
  }
}

/// Moves the place along the motion in the middle, and keeps account.
private struct MovesPlace: PredictionPropagator {
  private var last = Place(x: 0)
  private var frames = 0

  mutating func keyframe(
    _ prediction: Place, in context: FrameContext, isFirst: Bool
  ) throws -> Place {
    last.x = prediction.x
    frames += 1
    if isFirst {
      last.history = ["first"]
    } else {
      last.history.append("key of \(try dx(context))")
    }
    return last
  }

  mutating func propagate(to context: FrameContext) throws -> Place {
    frames += 1
    last.x += try dx(context)
    last.history.append("\(frames)")
    return last
  }

  /// Frames since the key frame, as the spread of what is shown.
  var objectChange: ObjectChange? {
    let since = last.history.reversed().prefix { Int($0) != nil }.count
    return ObjectChange(brightness: nil, spread: Double(since), leaving: 0, unsupported: 0)
  }

  private func dx(_ context: FrameContext) throws -> Double {
    let motion = try context.flow(to: .previous)
    return -Double(motion[x: motion.width / 2, y: motion.height / 2].dx)
  }
}

struct CarryingPipelineTests {
  private let backbone = CountedPixels(), head = FindsPlace(), flow = Sliding(dx: 2)

  private func pipeline(
    _ scheduler: some KeyframeScheduler = FixedInterval(every: 3), failsOn: Int? = nil
  ) throws -> CarryingPipeline<Place> {
    var backbone = backbone
    backbone.failsOn = failsOn
    return CarryingPipeline(
      try KeyframePipeline(
        backbone: backbone, head: head, scheduler: scheduler, propagator: Copy(), flow: flow),
      propagating: MovesPlace())
  }

  private func run(
    _ pipeline: CarryingPipeline<Place>, over frames: [Frame], looksAhead: Bool = false
  ) throws -> [FramePrediction<Place>] {
    var state = pipeline.start()
    return try frames.enumerated().map { index, frame in
      let next = looksAhead ? frames.dropFirst(index + 1).first : nil
      return try pipeline.predict(frame, before: next, in: &state)
    }
  }

  private func frames(_ count: Int, breaksAt: Int? = nil) -> [Frame] {
    (0..<count).map { slide($0, by: 2, breaks: $0 == breaksAt) }
  }

  // The head speaks on key frames alone; between them the place moves by two a frame, whatever the
  // pictures say.
  @Test func predictionsMoveBetweenKeyFrames() throws {
    let results = try run(pipeline(), over: frames(5))
    #expect(head.asked.count == 2 && backbone.high.count == 2)
    #expect(results.map(\.trace.role) == [.key, .propagated, .propagated, .key, .propagated])
    #expect(results.map(\.trace.framesSinceKeyframe) == [0, 1, 2, 0, 1])
    let x = results.map(\.prediction.x)
    #expect([x[1] - x[0], x[2] - x[1], x[4] - x[3]] == [2, 2, 2])
    #expect(results[4].prediction.history == ["first", "2", "3", "key of 2.0", "5"])
  }

  @Test func aCopyOfTheStateGoesOnByItself() throws {
    let pipeline = try pipeline(), all = frames(7)
    let alone = try run(pipeline, over: all).map(\.prediction)
    var state = pipeline.start()
    for index in 0..<4 { _ = try pipeline.predict(all[index], in: &state) }
    var fork = state
    for index in 4..<7 {
      #expect(try pipeline.predict(all[index], in: &state).prediction == alone[index])
    }
    for index in 4..<7 {
      #expect(try pipeline.predict(all[index], in: &fork).prediction == alone[index])
    }
  }

  @Test func aBreakBeginsAnew() throws {
    let results = try run(pipeline(), over: frames(5, breaksAt: 2))
    #expect(results.map(\.trace.role) == [.key, .propagated, .key, .propagated, .propagated])
    #expect(results[3].prediction.history == ["first", "2"])
  }

  @Test func flowAheadChangesNothing() throws {
    let all = frames(8)
    #expect(
      try run(pipeline(), over: all).map(\.prediction)
        == run(pipeline(), over: all, looksAhead: true).map(\.prediction))
  }

  @Test func aFailureLeavesTheStreamAsItWas() throws {
    let failing = try pipeline(failsOn: 3)
    let all = frames(5)
    var state = failing.start()
    for index in 0..<3 { _ = try failing.predict(all[index], in: &state) }
    #expect(throws: PipelineError.self) { try failing.predict(all[3], in: &state) }
    // The next frame is key in its place.
    let next = try failing.predict(all[4], in: &state)
    #expect(next.trace.role == .key && next.prediction.history.count == 4)
  }

  // The scheduler asks how far the place has come on every frame: what is propagated is what it is
  // where nobody asks, and on no frame is it done twice.
  @Test func whatTheSchedulerAsksChangesNothing() throws {
    let asking = try pipeline(ThresholdScheduler(ObjectScore(.spread), threshold: 2.5))
    let results = try run(asking, over: frames(8))
    #expect(results.map(\.trace.framesSinceKeyframe) == [0, 1, 2, 0, 1, 2, 0, 1])
    #expect(results[3].trace.decision.reason.score == 3)
    #expect(
      results.map(\.prediction)
        == (try run(pipeline(FixedInterval(every: 3)), over: frames(8)).map(\.prediction)))
  }

  @Test func keyFramesInTheBackgroundAreRefused() throws {
    let pipeline = try pipeline(BackgroundRefresh(FixedInterval(every: 2), frames: 1))
    let error = try #require(throws: PipelineError.self) {
      try run(pipeline, over: frames(4))
    }
    #expect(error.stage == .schedule && error.underlying is IncompatibleParts)
  }
}
