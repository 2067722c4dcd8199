// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Synchronization

/// Decodes ahead of its reader, on another thread, by at most `depth` frames.
///
/// Frames, report and errors are those of the source it was given. Letting go of it stops the
/// other thread, after the frame it is decoding.
public final class Prefetching: FrameSource {
  /// What the source says of itself.
  public let info: StreamInfo
  /// The source's report as of the frame that was handed out last.
  public private(set) var report = StreamReport()
  /// How long the other thread took to decode the frame that was handed out last.
  public private(set) var decoding = Duration.zero
  private let queue: FrameQueue
  private var hasEnded = false

  /// Begins to decode `source` on another thread; nobody else may read it from now on.
  ///
  /// - Precondition: `depth` is positive.
  public init(_ source: sending any FrameSource, depth: Int = 4) {
    precondition(depth > 0, "\(depth) frames ahead")
    info = source.info
    report.claimed = source.report.claimed
    queue = FrameQueue(depth: depth)
    let producer = Producer(source: source, queue: queue)
    DispatchQueue(label: "inbetween.prefetching").async { producer.run() }
  }

  /// The source's next frame, waited for where it is not decoded yet; nil at the end.
  public func next() throws(VideoError) -> Frame? {
    guard !hasEnded else { return nil }
    let step = queue.take()
    (report, decoding) = (step.report, step.time)
    switch step.result {
    case .success(let frame):
      hasEnded = frame == nil
      return frame
    case .failure(let error):
      hasEnded = true
      throw error
    }
  }

  /// The frame that `next()` will hand out, where it is decoded already; the report stays.
  public func peek() -> Frame? {
    guard !hasEnded, case .success(let frame)? = queue.first?.result else { return nil }
    return frame
  }

  deinit { queue.cancel() }
}

/// What one call of the source's `next()` gave.
private struct Step {
  let result: Result<Frame?, VideoError>
  let report: StreamReport
  let time: Duration

  init(_ source: any FrameSource) {
    let (clock, begin) = (ContinuousClock(), ContinuousClock.now)
    do throws(VideoError) {
      result = .success(try source.next())
    } catch {
      result = .failure(error)
    }
    (report, time) = (source.report, clock.now - begin)
  }

  var isLast: Bool {
    if case .success(.some) = result { return false }
    return true
  }
}

// Safe to hand over: `Prefetching.init` takes the source by `sending`, so that nobody else has it.
private final class Producer: @unchecked Sendable {
  private let source: any FrameSource
  private let queue: FrameQueue

  init(source: any FrameSource, queue: FrameQueue) {
    (self.source, self.queue) = (source, queue)
  }

  func run() {
    while queue.waitForRoom() {
      let step = Step(source)
      queue.put(step)
      if step.isLast { return }
    }
  }
}

/// Steps between two threads, at most `depth` of them.
private final class FrameQueue: Sendable {
  private let room: DispatchSemaphore
  private let filled = DispatchSemaphore(value: 0)
  private let state = Mutex((steps: [Step](), isCancelled: false))

  // A semaphore may not be let go below the value it was made with, so it is made with 0.
  init(depth: Int) {
    room = DispatchSemaphore(value: 0)
    for _ in 0..<depth { room.signal() }
  }

  var first: Step? { state.withLock { $0.steps.first } }

  /// Waits until there is room; false once nobody reads any more.
  func waitForRoom() -> Bool {
    room.wait()
    return state.withLock { !$0.isCancelled }
  }

  func put(_ step: Step) {
    state.withLock { if !$0.isCancelled { $0.steps.append(step) } }
    filled.signal()
  }

  func take() -> Step {
    filled.wait()
    let step = state.withLock { $0.steps.removeFirst() }
    room.signal()
    return step
  }

  func cancel() {
    state.withLock { ($0.steps, $0.isCancelled) = ([], true) }
    room.signal()
  }
}
