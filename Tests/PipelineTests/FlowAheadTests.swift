// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Flow
import Frames
import Glibc
import Pipeline
import Propagation
import Scheduler
import Synchronization
import Testing
import Video

/// Optical flow that is estimated for the next frame changes nothing but the time.
struct FlowAheadTests {
  /// A flow that notes its pairs and the threads that it ran on, and fails of one frame.
  private struct Noting: FlowEstimator {
    let sliding = Sliding(dx: 2)
    let seen = Seen()
    var failsOn: Int?
    var pause: UInt32 = 0

    final class Seen: Sendable {
      let pairs = Mutex<[String]>([])
      let threads = Mutex<Set<UInt>>([])
    }

    func motion(from current: Frame, to reference: Frame) throws -> MotionField {
      seen.pairs.withLock { $0.append("\(current.index)→\(reference.index)") }
      seen.threads.withLock { _ = $0.insert(pthread_self()) }
      usleep(pause)
      if current.index == failsOn { throw CancellationError() }
      return sliding.motion(from: current, to: reference)
    }
  }

  private func pipeline(
    _ scheduler: some KeyframeScheduler, _ propagator: some Propagator,
    flow: some FlowEstimator, size: PixelSize? = nil
  ) throws -> KeyframePipeline<Image> {
    try KeyframePipeline(
      backbone: Pixels(size: size), head: Pixels().head, scheduler: scheduler,
      propagator: propagator, flow: flow)
  }

  private func frames(_ count: Int, breaksAt: Int? = nil) -> [Frame] {
    (0..<count).map { slide($0, by: 2, breaks: $0 == breaksAt) }
  }

  private func run(
    _ pipeline: some PredictionPipeline<Image>, over frames: [Frame], looksAhead: Bool
  ) throws -> [LabelledFrame] {
    var state = pipeline.start()
    return try frames.enumerated().map { index, frame in
      let next = looksAhead ? frames.dropFirst(index + 1).first : nil
      return try pipeline.label(frame, before: next, in: &state)
    }
  }

  @Test(
    arguments: ["every", "moved", "previous motion", "features"],
    [(FlowReference.keyframe, false), (.keyframe, true), (.previous, false), (.previous, true)])
  func labelsAndTracesAreTheSame(
    scheduler: String, way: (to: FlowReference, isChained: Bool)
  ) throws {
    func traced(_ looksAhead: Bool) throws -> [String] {
      let parts: any KeyframeScheduler =
        switch scheduler {
        case "every": .every(3)
        case "moved": .whenMoved(pixels: 3)
        case "features": LooksAtFeatures()
        default: LooksAtPreviousMotion()
        }
      let flow: any FlowEstimator = way.isChained ? ChainedFlow(Noting()) : Noting()
      let made = try pipeline(parts, Warp(from: way.to), flow: flow)
      let results = try run(made, over: frames(14, breaksAt: 8), looksAhead: looksAhead)
      return results.map { "\($0.labels.bytes) \($0.trace.decision) \($0.trace.macs)" }
    }
    #expect(try traced(true) == traced(false))
  }

  // A chain's steps are found in frames as they come, others at the size that the backbone sees.
  @Test(arguments: [false, true], [nil, PixelSize(width: 8, height: 4)])
  func flowRunsOnAnotherThreadAndOnlyWhereItIsAskedFor(
    isChained: Bool, size: PixelSize?
  ) throws {
    func seen(looksAhead: Bool) throws -> (pairs: [String], threads: Set<UInt>) {
      let flow = Noting()
      let made =
        try isChained
        ? pipeline(.every(4), Warp(), flow: ChainedFlow(flow), size: size)
        : pipeline(.every(4), Warp(), flow: flow, size: size)
      _ = try run(made, over: frames(12), looksAhead: looksAhead)
      return (flow.seen.pairs.withLock { $0.sorted() }, flow.seen.threads.withLock { $0 })
    }
    let (ahead, series) = (try seen(looksAhead: true), try seen(looksAhead: false))
    #expect(ahead.pairs == series.pairs && ahead.pairs.count == 9)
    #expect(ahead.pairs.contains(isChained ? "3→2" : "3→0"))
    // That a chain will be asked for its step is known before anything was asked.
    #expect(ahead.threads.contains(pthread_self()) == !isChained)
    #expect(!ahead.threads.subtracting([pthread_self()]).isEmpty)
    #expect(series.threads == [pthread_self()])
  }

  @Test func nothingIsEstimatedForThoseWhoAskForNone() throws {
    let flow = Noting()
    _ = try run(pipeline(.every(4), Copy(), flow: flow), over: frames(9), looksAhead: true)
    _ = try run(pipeline(.every(1), Warp(), flow: flow), over: frames(9), looksAhead: true)
    #expect(flow.seen.pairs.withLock { $0 } == [])
  }

  @Test(arguments: [false, true])
  func anotherFrameThanTheOneToldIsLabelledAsEver(isChained: Bool) throws {
    let flow: any FlowEstimator = isChained ? ChainedFlow(Noting()) : Noting()
    let made = try pipeline(.every(5), Warp(), flow: flow)
    let frames = frames(8)
    var (state, plain) = (made.start(), made.start())
    for (index, frame) in frames.enumerated() {
      let wrong = slide((index + 5) % 8, by: 3)
      let result = try made.label(frame, before: wrong, in: &state)
      #expect(try result.labels == made.label(frame, in: &plain).labels)
    }
  }

  @Test(arguments: [false, true]) func failuresAreThoseOfTheFrameThatAsks(isChained: Bool) throws {
    for looksAhead in [true, false] {
      let flow: any FlowEstimator =
        isChained ? ChainedFlow(Noting(failsOn: 3)) : Noting(failsOn: 3)
      let made = try pipeline(.every(5), Warp(), flow: flow)
      var (state, done) = (made.start(), 0)
      let frames = frames(6)
      let error = try #require(throws: PipelineError.self) {
        for (index, frame) in frames.enumerated() {
          _ = try made.label(
            frame, before: looksAhead ? frames.dropFirst(index + 1).first : nil, in: &state)
          done += 1
        }
      }
      #expect(done == 3 && error.frame == 3 && error.stage == .flow)
      #expect(error.underlying is CancellationError)
    }
  }

  // Nothing runs on behind a stream that is gone: whoever lets go of it waits.
  @Test func lettingGoWaitsForTheFlowUnderWay() throws {
    let flow = Noting(pause: 20_000)
    try {
      let made = try pipeline(.every(9), Warp(), flow: flow)
      var state = made.start()
      for (frame, next) in zip(frames(3), frames(4).dropFirst()) {
        _ = try made.label(frame, before: next, in: &state)
      }
    }()
    let count = flow.seen.pairs.withLock { $0.count }
    usleep(60_000)
    #expect(flow.seen.pairs.withLock { $0.count } == count && count <= 4)
  }
}
