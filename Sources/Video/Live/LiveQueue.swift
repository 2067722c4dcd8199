// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Synchronization

/// Decodes a live stream on a thread of its own, and keeps the newest frame or a few of them.
///
/// With `newest`, a frame that nobody has taken when the next one comes is dropped, after it was
/// decoded, and counted; what broke the stream before it breaks it before the next one. With
/// `everyFrame` none is dropped: the source waits, or whoever sends to it.
public final class LiveQueue: Sendable {
  /// Which frames are handed out.
  public enum Policy: Sendable, Hashable {
    /// The newest alone.
    case newest
    /// Every one, at most four of them waiting.
    case everyFrame
  }

  /// A frame with when it was captured, by the clock of the watch.
  public struct Arrival: Sendable {
    /// The frame.
    public let frame: Frame
    /// When it was captured, as well as that can be told: see ``CaptureClock``.
    public let captured: Duration
  }

  /// What has become of the stream until the frame that was taken last.
  public struct Progress: Sendable {
    /// How reading has gone.
    public var report = StreamReport()
    /// How often the stream was away.
    public var outages = LiveOutages()
    /// Frames that were decoded and never handed out.
    public var dropped = 0
  }

  private enum Step {
    case frame(Arrival)
    case end
    case failure(VideoError)
  }

  private struct State {
    var steps: [Step] = []
    var progress = Progress()
    var isCancelled = false
  }

  private let policy: Policy
  private let watch: LiveWatch
  private let state = Mutex(State())
  private let filled = DispatchSemaphore(value: 0)
  private let room = DispatchSemaphore(value: 0)
  private static let depth = 4

  /// Begins to read `source` on another thread; nobody else may read it from now on.
  public init(_ source: sending LiveStream, policy: Policy, watch: LiveWatch) {
    (self.policy, self.watch) = (policy, watch)
    for _ in 0..<Self.depth { room.signal() }
    let reader = Reader(source: source)
    DispatchQueue(label: "inbetween.live", qos: .userInitiated).async { [self] in
      read(reader.source)
    }
  }

  // Safe to hand over: `init` takes the source by `sending`, so that nobody else has it.
  private struct Reader: @unchecked Sendable { let source: LiveStream }

  /// What has become of the stream so far.
  public var progress: Progress { state.withLock(\.progress) }

  /// The next frame, waited for as long as `goesOn`; nil at the end.
  public func next(while goesOn: () -> Bool = { true }) throws(VideoError) -> Arrival? {
    while goesOn() {
      guard filled.wait(timeout: .now() + .milliseconds(50)) == .success else { continue }
      guard let step = state.withLock({ $0.steps.isEmpty ? nil : $0.steps.removeFirst() }) else {
        return nil
      }
      room.signal()
      switch step {
      case .frame(let arrival): return arrival
      case .end: return nil
      case .failure(let error): throw error
      }
    }
    return nil
  }

  /// Ends reading; whoever reads or waits for room is woken.
  public func cancel() {
    watch.stop()
    state.withLock { $0.isCancelled = true }
    room.signal()
  }

  private func read(_ source: LiveStream) {
    var clock = CaptureClock()
    while policy == .newest || waitForRoom() {
      let step: Step
      do throws(VideoError) {
        if let frame = try source.next() {
          let captured = clock.captured(
            frame.time, arriving: watch.clock.now, anew: frame.followsBreak)
          step = .frame(Arrival(frame: frame, captured: captured))
        } else {
          step = .end
        }
      } catch { step = .failure(error) }
      guard put(step, of: source) else { return }
    }
  }

  private func waitForRoom() -> Bool {
    room.wait()
    return !state.withLock(\.isCancelled)
  }

  /// Whether there is more to read.
  private func put(_ step: Step, of source: LiveStream) -> Bool {
    let isNew = state.withLock { state in
      (state.progress.report, state.progress.outages) = (source.report, source.outages)
      if policy == .newest, case .frame(let new) = step, case .frame(let old)? = state.steps.last {
        state.progress.dropped += 1
        let kind = StreamBreak.chief(old.frame.streamBreak, new.frame.streamBreak)
        state.steps[state.steps.count - 1] = .frame(
          Arrival(frame: new.frame.with(streamBreak: kind), captured: new.captured))
        return false
      }
      state.steps.append(step)
      return true
    }
    if isNew { filled.signal() }
    guard case .frame = step else { return false }
    return !state.withLock(\.isCancelled)
  }
}

/// Tells when frames were captured from their times and when they arrived.
///
/// The frame that was under way for the shortest time is taken to have arrived at once: what others
/// took longer is their age, wherever they waited, in this process or before it. Clocks that run
/// apart by up to one part in ten thousand are allowed for.
public struct CaptureClock: Sendable {
  private var origin: Duration?
  private var last = Duration.zero
  private static let drift = 1e-4

  /// A clock that has seen no frame.
  public init() {}

  /// When the frame of that time, which arrives now, was captured; `anew` where its times do not go
  /// on from those before.
  public mutating func captured(
    _ time: Double, arriving now: Duration, anew: Bool = false
  ) -> Duration {
    let time = Duration.seconds(time.isFinite ? min(max(time, -1e9), 1e9) : 0)
    let here = now - time
    let allowed = origin.map { $0 + (now - last) * Self.drift } ?? here
    let begin = anew ? here : min(here, allowed)
    (origin, last) = (begin, now)
    return begin + time
  }
}

/// A source at its own rate: each frame comes when its time has come, or as soon as it can be read.
public final class Paced: FrameSource {
  /// What the source says of itself.
  public var info: StreamInfo { source.info }
  /// How reading has gone so far.
  public var report: StreamReport { source.report }

  private let source: any FrameSource
  private let watch: LiveWatch
  private var begin: Duration?

  /// Frames of `source`, the first one at once.
  public init(_ source: any FrameSource, watch: LiveWatch) {
    (self.source, self.watch) = (source, watch)
  }

  /// The next frame once its time has come; nil at the end.
  public func next() throws(VideoError) -> Frame? {
    guard let frame = try source.next() else { return nil }
    let time = Duration.seconds(frame.time)
    let begin = self.begin ?? watch.clock.now - time
    self.begin = begin
    watch.sleep(begin + time - watch.clock.now)
    return frame
  }
}

extension Frame {
  /// The same frame, where the stream broke before it for another reason.
  package func with(streamBreak: StreamBreak?) -> Frame {
    Frame(
      index: index, time: time, pixels: pixels, pictureType: pictureType,
      motionVectors: motionVectors, streamBreak: streamBreak, duration: duration, name: name)
  }
}
