// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Synchronization

/// Interruption as a flag that long work looks at between frames.
///
/// The first signal asks the work to finish its frame and leave everything whole; the second ends
/// the process at once. Files are written under temporary names, so none is left half done. Made
/// before anything else is, so that loading can be interrupted too.
struct Signals {
  /// The signal that came, 0 for none: one flag a process, whoever asks.
  private static let received = Atomic<Int32>(0)

  init() {
    // The first use makes the flag, which a handler could not do safely.
    Self.received.store(0, ordering: .relaxed)
    var blocked = sigset_t()
    sigemptyset(&blocked)
    for number in [SIGINT, SIGTERM] {
      sigaddset(&blocked, number)
      signal(number) { number in
        if Signals.received.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
      }
    }
    // Threads of some programs block signals, and hand that down to what they start.
    pthread_sigmask(SIG_UNBLOCK, &blocked, nil)
  }

  /// Whether the user asked the work to stop.
  var wantsStop: Bool { Self.received.load(ordering: .relaxed) != 0 }

  /// The failure to end with; nil where no signal came.
  var failure: Failure? {
    switch Self.received.load(ordering: .relaxed) {
    case 0: nil
    case SIGTERM: Failure(.terminated, "terminated; what was done until then is kept")
    default: Failure(.interrupted, "interrupted; what was done until then is kept")
    }
  }
}
