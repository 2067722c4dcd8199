// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Flow
import Pipeline
import Propagation
import Scheduler
import Synchronization
import Tensors
import Testing
import Video

struct StreamGroupTests {
  /// Frames from a list, and predictions into one.
  private final class ListedStream: PredictedStream {
    private let frames: [Frame]
    private let breaksAt: Int?
    private let state = Mutex((next: 0, results: [LabelledFrame]()))

    init(_ frames: [Frame], breaksAt: Int? = nil) {
      (self.frames, self.breaksAt) = (frames, breaksAt)
    }

    var results: [LabelledFrame] { state.withLock { $0.results } }

    func next() throws -> Frame? {
      try state.withLock { state in
        if state.next == breaksAt { throw CancellationError() }
        guard state.next < frames.count else { return nil }
        state.next += 1
        return frames[state.next - 1]
      }
    }

    func add(_ prediction: LabelledFrame, of frame: Frame) throws {
      state.withLock { state in
        #expect(
          prediction.trace.index == frame.index && frame.index == frames[state.next - 1].index)
        state.results.append(prediction)
      }
    }
  }

  private func pipeline(
    _ backbone: some Backbone, _ scheduler: some KeyframeScheduler = .every(3)
  ) throws -> KeyframePipeline<Image> {
    try KeyframePipeline(
      backbone: backbone, head: Pixels().head, scheduler: scheduler, propagator: Warp(),
      flow: Sliding(dx: 2))
  }

  private func alone(_ pipeline: KeyframePipeline<Image>, _ frames: [Frame]) throws
    -> [LabelledFrame]
  {
    var state = pipeline.start()
    return try frames.map { try pipeline.label($0, in: &state) }
  }

  /// Clips of different lengths that move differently.
  private let clips = [7, 12, 1, 40, 9].enumerated().map { place, count in
    (0..<count).map { slide($0, by: place) }
  }

  @Test(arguments: [1, 2, 3, 8], [1, 2, 4])
  func eachStreamIsPredictedAsAlone(threads: Int, batch: Int) throws {
    let streams = clips.map { ListedStream($0) }
    let group = StreamGroup(try pipeline(BatchingPixels()), threads: threads, batch: batch)
    let failures = group.run(streams)
    #expect(failures.allSatisfy { $0 == nil })
    for (stream, clip) in zip(streams, clips) {
      let wanted = try alone(pipeline(SkippingPixels()), clip)
      #expect(stream.results.map(\.labels) == wanted.map(\.labels))
      #expect(stream.results.map(\.trace.role) == wanted.map(\.trace.role))
      #expect(stream.results.map(\.trace.macs) == wanted.map(\.trace.macs))
    }
  }

  // On one thread the first frames of all wait until none can go on: all in one pass.
  @Test func keyFramesOfSeveralStreamsGoThroughTheBackboneTogether() throws {
    let batching = BatchingPixels()
    let streams = (0..<4).map { _ in ListedStream((0..<6).map { slide($0, by: 2) }) }
    _ = StreamGroup(try pipeline(batching), threads: 1).run(streams)
    // Two key frames a stream; three stages, of which the last one alone is wanted: one call each.
    #expect(Set(batching.counts) == [4])
    let passes = batching.counts.count
    let single = BatchingPixels()
    _ = StreamGroup(try pipeline(single), threads: 1, batch: 1).run(
      (0..<4).map { _ in ListedStream((0..<6).map { slide($0, by: 2) }) })
    #expect(Set(single.counts) == [1] && single.counts.count == 4 * passes)
  }

  @Test func streamsWithKeyFramesOfTheirOwnTakeTurns() throws {
    let scheduler = ThresholdScheduler(WarpError(), threshold: 3)
    let streams = clips.map { ListedStream($0) }
    let failures = StreamGroup(try pipeline(BatchingPixels(), scheduler), threads: 2).run(streams)
    #expect(failures.allSatisfy { $0 == nil })
    for (stream, clip) in zip(streams, clips) {
      let wanted = try alone(pipeline(SkippingPixels(), scheduler), clip)
      #expect(stream.results.map(\.labels) == wanted.map(\.labels))
      #expect(stream.results.map(\.trace.role) == wanted.map(\.trace.role))
    }
  }

  @Test(arguments: [1, 2]) func aStreamThatBreaksDoesNotStopTheOthers(threads: Int) throws {
    let streams = clips.enumerated().map { ListedStream($1, breaksAt: $0 == 3 ? 5 : nil) }
    let failures = StreamGroup(try pipeline(BatchingPixels()), threads: threads).run(streams)
    #expect(failures.map { $0 == nil } == [true, true, true, false, true])
    #expect(streams.map(\.results.count) == [7, 12, 1, 5, 9])
  }

  // Frame 6 cannot be taken in, of whichever stream: those that have it fail at it, alone.
  @Test func aKeyFrameThatFailsFailsInItsOwnStream() throws {
    var backbone = CountedPixels()
    backbone.failsOn = 6
    let streams = clips.map { ListedStream($0) }
    let failures = StreamGroup(
      try KeyframePipeline(
        backbone: backbone, head: Pixels().head, scheduler: .every(3), propagator: .copy,
        flow: ZeroFlow()), threads: 2
    ).run(streams)
    #expect(failures.map { ($0 as? PipelineError)?.frame } == [6, 6, nil, 6, 6])
    #expect(streams.map(\.results.count) == [6, 6, 1, 6, 6])
  }

  @Test func noStreamsAreDoneAtOnce() throws {
    #expect(StreamGroup(try pipeline(Pixels()), threads: 2).run([]).isEmpty)
  }

  @Test func aLimitOfThreadsIsThatOfItsOwnThread() throws {
    let before = try TorchRuntime.threads()
    let inside = try TorchRuntime.withThreads(1) { try TorchRuntime.threads() }
    #expect(inside == 1)
    #expect(try TorchRuntime.threads() == before)
    #expect(throws: TensorError.self) { try TorchRuntime.withThreads(0) {} }
  }
}
