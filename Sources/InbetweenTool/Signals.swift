// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Foundation
internal import Synchronization

/// Interruption as a flag that long work looks at between frames.
///
/// The first signal asks the work to finish its frame and leave everything whole; the second ends
/// the process at once. Files are written under temporary names, so none is left half done. Made
/// before anything else is, so that loading can be interrupted too.
final class Signals: Sendable {
  /// The signal that came; 0 for none.
  private let received = Atomic<Int32>(0)

  init() {
    let queue = DispatchQueue(label: "signals")
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      // The handler keeps the source, which listens for as long as the process runs.
      source.setEventHandler { [self, source] in
        _ = source
        if received.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
      }
      source.resume()
    }
  }

  /// Whether the user asked the work to stop.
  var wantsStop: Bool { received.load(ordering: .relaxed) != 0 }

  /// The failure to end with; nil where no signal came.
  var failure: Failure? {
    switch received.load(ordering: .relaxed) {
    case 0: nil
    case SIGTERM: Failure(.terminated, "terminated; what was done until then is kept")
    default: Failure(.interrupted, "interrupted; what was done until then is kept")
    }
  }
}
