// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Outputs
internal import Synchronization

/// Interruption as a flag that long work looks at between frames.
///
/// The first signal asks the work to finish its frame and leave everything whole, or ends the
/// process at once where nothing is lost by it; the second always does. Files are written under
/// temporary names, so none is left half done. Made before anything else is, so that loading can be
/// interrupted too.
struct Signals {
  /// The signal that came, 0 for none: one flag a process, whoever asks.
  private static let received = Atomic<Int32>(0)
  /// Whether something was done that is kept when the work ends early: not before it has begun.
  private static let keeps = Mutex(false)
  /// What the handler wakes: it may do little itself.
  private nonisolated(unsafe) static let wake: UnsafeMutablePointer<sem_t> = {
    let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    sem_init(semaphore, 0, 0)
    return semaphore
  }()

  init() {
    // The first use makes the flags, which a handler could not do safely.
    Self.received.store(0, ordering: .relaxed)
    _ = Self.wake
    var blocked = sigset_t()
    sigemptyset(&blocked)
    for number in [SIGINT, SIGTERM] {
      sigaddset(&blocked, number)
      signal(number) { number in
        if Signals.received.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
        sem_post(Signals.wake)
      }
    }
    // Threads of some programs block signals, and hand that down to what they start.
    pthread_sigmask(SIG_UNBLOCK, &blocked, nil)
    Thread.detachNewThread { Self.watch() }
  }

  /// Whether the user asked the work to stop.
  var wantsStop: Bool { Self.received.load(ordering: .relaxed) != 0 }

  /// Says whether the work so far is kept when it ends early; if not, a signal ends the process.
  func keepsWork(_ keeps: Bool = true) {
    Self.keeps.withLock { $0 = keeps }
    // One that came in between has found the other answer.
    if !keeps, wantsStop { sem_post(Self.wake) }
  }

  /// The failure to end with; nil where no signal came.
  var failure: Failure? {
    Self.failure(after: Self.received.load(ordering: .relaxed), kept: Self.keeps.withLock(\.self))
  }

  private static func failure(after number: Int32, kept: Bool) -> Failure? {
    let end = kept ? "; what was done until then is kept" : ""
    switch number {
    case 0: return nil
    case SIGTERM: return Failure(.terminated, "terminated" + end)
    default: return Failure(.interrupted, "interrupted" + end)
    }
  }

  private static func watch() {
    while true {
      guard sem_wait(wake) == 0 else { continue }
      // Whoever begins work that is kept waits for this lock, and for ever where it ends here.
      keeps.withLock { keeps in
        guard !keeps,
          let failure = failure(after: received.load(ordering: .relaxed), kept: false)
        else { return }
        PendingFile.removeAll()
        failure.report()
        _exit(failure.code.rawValue)
      }
    }
  }
}
