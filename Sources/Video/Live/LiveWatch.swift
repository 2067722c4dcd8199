// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Time as live streams tell it; tests bring one of their own.
public protocol StreamClock: Sendable {
  /// The time since any moment that stays the same.
  var now: Duration { get }
  /// Returns after so long, or sooner.
  func sleep(_ duration: Duration)
}

/// The machine's clock.
public struct MachineClock: StreamClock {
  /// The machine's clock.
  public init() {}

  /// The time since the machine started, as it does not jump.
  public var now: Duration {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  /// Sleeps; a signal ends it.
  public func sleep(_ duration: Duration) {
    let parts = duration.components
    guard duration > .zero else { return }
    var time = timespec(
      tv_sec: Int(parts.seconds), tv_nsec: Int(parts.attoseconds / 1_000_000_000))
    nanosleep(&time, nil)
  }
}

/// Says whoever waits for a stream how long to wait, from any thread.
///
/// Something is waited for `until` a moment; past that, or once all is to stop, nobody waits.
public final class LiveWatch: Sendable {
  private struct State {
    var deadline: Duration?
    var isStopped = false
    var lastFrame: Duration?
  }

  private let state = Mutex(State())
  let clock: any StreamClock

  /// A watch by a clock.
  public init(clock: some StreamClock = MachineClock()) { self.clock = clock }

  /// Ends all waiting, for ever.
  public func stop() { state.withLock { $0.isStopped = true } }

  /// Whether all is to stop.
  public var isStopped: Bool { state.withLock(\.isStopped) }

  /// Whether what is waited for has taken too long, or all is to stop.
  public var givesUp: Bool {
    let now = clock.now
    return state.withLock { $0.isStopped || $0.deadline.map { now > $0 } == true }
  }

  /// From now on something is waited for so long; for ever if nil.
  func wait(atMost duration: Duration?) {
    let deadline = duration.map { clock.now + $0 }
    state.withLock { $0.deadline = deadline }
  }

  /// Sleeps in slices, as long as nothing is to stop.
  func sleep(_ duration: Duration) {
    let end = clock.now + duration
    while !isStopped {
      let left = end - clock.now
      guard left > .zero else { return }
      clock.sleep(min(left, .milliseconds(50)))
    }
  }
}
