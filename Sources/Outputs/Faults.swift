// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Makes operations of writing fail on purpose, so that tests can look at what is left.
///
/// Only what runs inside `Faults.$current.withValue` is touched.
package final class Faults: Sendable {
  /// The steps by which a file is written.
  package enum Step: Sendable, Hashable { case create, write, synchronize, rename, folder }

  @TaskLocal package static var current: Faults?

  private let turn: Int
  private let lasts: Bool
  private let number: Int32
  private let taken = Mutex<[Step]>([])

  /// Fails the `turn`th step, counted from 1, with an error number; where it `lasts`, all after it.
  package init(failing turn: Int, with number: Int32 = EIO, lasts: Bool = false) {
    (self.turn, self.number, self.lasts) = (turn, number, lasts)
  }

  /// The steps that were taken, that which failed among them.
  package var steps: [Step] { taken.withLock(\.self) }

  /// Whether the step fails, which sets `errno`.
  package static func fails(at step: Step) -> Bool {
    guard let faults = current else { return false }
    let turn = faults.taken.withLock { taken in
      taken.append(step)
      return taken.count
    }
    guard turn == faults.turn || (faults.lasts && turn > faults.turn) else { return false }
    errno = faults.number
    return true
  }
}
