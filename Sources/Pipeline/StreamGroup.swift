// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Synchronization
internal import Tensors
public import Video

/// A stream of a group: where its frames come from, and where predictions go.
///
/// One thread at a time calls it, though not always the same one.
public protocol PredictedStream<Prediction>: Sendable {
  /// What is predicted of a frame.
  associatedtype Prediction: Sendable

  /// The next frame; nil at the end.
  func next() throws -> Frame?

  /// Takes what is predicted of the frame that was handed out last.
  func add(_ prediction: FramePrediction<Prediction>, of frame: Frame) throws
}

/// Several streams through one pipeline: each is predicted as it is alone, and the backbone takes
/// their key frames in batches.
///
/// A stream goes on by itself, on one thread, until its next frame is a key frame; then that waits
/// while there are other streams to go on with. No thread is idle while a stream can go on: with as
/// many streams as threads, an operation takes one thread, which wastes less than sharing it out.
public struct StreamGroup<Prediction: Sendable>: Sendable {
  /// What each stream goes through.
  public let pipeline: KeyframePipeline<Prediction>
  /// How many threads all streams take together.
  public let threads: Int
  /// How many key frames the backbone takes at once, at most.
  public let batch: Int

  /// The same pipeline for each stream.
  ///
  /// - Precondition: `threads` and `batch` are positive.
  public init(_ pipeline: KeyframePipeline<Prediction>, threads: Int, batch: Int = 4) {
    precondition(threads > 0 && batch > 0, "\(threads) threads, \(batch) key frames at once")
    (self.pipeline, self.threads, self.batch) = (pipeline, threads, batch)
  }

  /// Takes every stream to its end.
  ///
  /// - Returns: what ended each of them; nil where it came to its end. One that fails does not stop
  ///   the others.
  public func run(_ streams: [any PredictedStream<Prediction>]) -> [(any Error)?] {
    let lanes = streams.map { Lane($0, pipeline) }
    let roster = Roster(lanes, workers: min(threads, lanes.count), batch: batch)
    func work() {
      DispatchQueue.concurrentPerform(iterations: roster.workers) { _ in
        while let task = roster.take() {
          run(task)
          roster.giveBack(task)
        }
      }
    }
    do {
      try TorchRuntime.withThreadsOfBLAS(max(1, threads / max(1, roster.workers))) { work() }
    } catch { for lane in lanes { lane.fail(error) } }
    return lanes.map(\.failure)
  }

  private func run(_ task: Roster<Prediction>.Task) {
    do {
      try TorchRuntime.withThreads(max(1, threads / task.workers)) {
        if task.runsBackbone {
          runBackbone(on: task.lanes)
        } else {
          task.lanes.forEach { $0.advance() }
        }
      }
    } catch { task.lanes.forEach { $0.fail(error) } }
  }

  /// What comes of several key frames at once; each of them is left to itself where that fails, so
  /// that the error is that of one stream only.
  private func runBackbone(on lanes: [Lane<Prediction>]) {
    let steps = lanes.compactMap(\.step)
    guard let made = try? pipeline.parts.featuresOfKeyframes(among: steps) else { return }
    for (lane, features) in zip(lanes, made) { lane.made = features }
  }
}

// Safe to hand over: the roster gives a lane to one thread at a time.
/// A stream, as far as it is.
private final class Lane<Prediction: Sendable>: @unchecked Sendable {
  /// How many frames it goes on by before the threads are shared out anew.
  private static var stretch: Int { 32 }

  private let stream: any PredictedStream<Prediction>
  private let pipeline: KeyframePipeline<Prediction>
  private var state: StreamState
  /// A key frame that is not finished.
  private(set) var step: Step?
  /// What the backbone made of it together with those of others.
  var made: KeyframeFeatures?
  private(set) var hasEnded = false
  private(set) var failure: (any Error)?

  init(_ stream: any PredictedStream<Prediction>, _ pipeline: KeyframePipeline<Prediction>) {
    (self.stream, self.pipeline) = (stream, pipeline)
    state = pipeline.start()
  }

  /// Finishes the key frame that waited, and goes on until the next one, or for a while.
  func advance() {
    do {
      if let step { try finish(step, waited: true) }
      for _ in 0..<Self.stretch {
        guard let frame = try stream.next() else {
          hasEnded = true
          return
        }
        let step = try pipeline.begin(frame, in: state)
        if step.waitsForBackbone {
          self.step = step
          return
        }
        try finish(step)
      }
    } catch { fail(error) }
  }

  func fail(_ error: any Error) { (failure, hasEnded, step) = (failure ?? error, true, nil) }

  private func finish(_ step: Step, waited: Bool = false) throws {
    let prediction = try pipeline.predict(step, with: made, waited: waited, in: &state)
    (self.step, made) = (nil, nil)
    try stream.add(prediction, of: step.frame.view.source)
  }
}

/// Which streams can go on, which wait with a key frame, and who works on them.
private final class Roster<Prediction: Sendable>: Sendable {
  /// Work for one thread.
  struct Task: Sendable {
    let lanes: [Lane<Prediction>]
    let runsBackbone: Bool
    /// How many threads work beside each other.
    let workers: Int
  }

  private struct Places {
    var ready: [Lane<Prediction>]
    var waiting: [Lane<Prediction>] = []
    var live: Int
    var idle = 0
  }

  let workers: Int
  private let batch: Int
  private let places: Mutex<Places>
  private let change = DispatchSemaphore(value: 0)

  init(_ lanes: [Lane<Prediction>], workers: Int, batch: Int) {
    (self.workers, self.batch) = (workers, batch)
    places = Mutex(Places(ready: lanes, live: lanes.count))
  }

  /// What to do next, waited for where others have all of it; nil once all streams have ended.
  func take() -> Task? {
    while true {
      let (task, isOver) = places.withLock { places -> (Task?, Bool) in
        guard places.live > 0 else { return (nil, true) }
        if let task = next(&places) { return (task, false) }
        places.idle += 1
        return (nil, false)
      }
      if isOver || task != nil { return task }
      change.wait()
    }
  }

  /// Streams that can go on come first, so that key frames gather meanwhile; those are shared out
  /// among the threads.
  private func next(_ places: inout Places) -> Task? {
    let beside = min(workers, places.live)
    if !places.ready.isEmpty {
      return Task(lanes: [places.ready.removeFirst()], runsBackbone: false, workers: beside)
    }
    guard !places.waiting.isEmpty else { return nil }
    let count = min(batch, (places.waiting.count + beside - 1) / beside)
    let lanes = Array(places.waiting.prefix(count))
    places.waiting.removeFirst(count)
    return Task(lanes: lanes, runsBackbone: count > 1, workers: beside)
  }

  func giveBack(_ task: Task) {
    let waking = places.withLock { places in
      for lane in task.lanes {
        if lane.hasEnded {
          places.live -= 1
        } else if lane.step != nil, !task.runsBackbone {
          places.waiting.append(lane)
        } else {
          places.ready.append(lane)
        }
      }
      defer { places.idle = 0 }
      return places.idle
    }
    for _ in 0..<waking { change.signal() }
  }
}
