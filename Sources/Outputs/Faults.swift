// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Makes operations fail on purpose, so that tests can look at what is left.
///
/// Only what runs inside `Faults.$current.withValue` is touched, or all of a process that a test
/// starts with faults of its own.
package final class Faults: Sendable {
  /// What may fail: the steps by which a file is written; a frame that is taken from a decoder, a
  /// network's program that is called, a tensor that is made.
  package enum Step: String, Sendable, Hashable {
    case create, write, synchronize, rename, folder
    case decode, engine, allocation

    /// The steps by which a file is written.
    package static let ofWriting: Set<Step> = [.create, .write, .synchronize, .rename, .folder]
  }

  @TaskLocal package static var current: Faults?
  private static let ofProcess = Mutex<Faults?>(nil)
  /// Where no faults were ever made, nothing else is asked.
  private static let areThere = Atomic(false)

  private let turn: Int
  private let kinds: Set<Step>
  private let lasts: Bool
  private let number: Int32
  private let taken = Mutex<[Step]>([])

  /// Fails the `turn`th of some steps, counted from 1, with an error number; where it `lasts`, all
  /// after it.
  package init(
    failing turn: Int, of kinds: Set<Step> = Step.ofWriting, with number: Int32 = EIO,
    lasts: Bool = false
  ) {
    (self.turn, self.kinds, self.number, self.lasts) = (turn, kinds, number, lasts)
    Self.areThere.store(true, ordering: .relaxed)
  }

  /// The steps that were taken, that which failed among them.
  package var steps: [Step] { taken.withLock(\.self) }

  /// Holds for the whole process, on every thread.
  package func holdForTheProcess() { Self.ofProcess.withLock { $0 = self } }

  /// Whether the step fails, which sets `errno`.
  package static func fails(at step: Step) -> Bool {
    guard areThere.load(ordering: .relaxed), let faults = current ?? ofProcess.withLock(\.self),
      faults.kinds.contains(step)
    else { return false }
    let turn = faults.taken.withLock { taken in
      taken.append(step)
      return taken.count
    }
    guard turn == faults.turn || (faults.lasts && turn > faults.turn) else { return false }
    errno = faults.number
    return true
  }
}
