// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Synchronization

/// Does pieces of work in order on a thread of its own, at most `depth` of them behind its giver.
///
/// The first piece that fails is the last that is done: whoever gives the next one, or waits for
/// the end, is told. Nobody waits for room once something has failed.
package final class WorkBehind: Sendable {
  private let queue: DispatchQueue
  private let room = DispatchSemaphore(value: 0)
  private let failure = Mutex<(any Error)?>(nil)

  /// - Precondition: `depth` is positive.
  package init(_ name: String, depth: Int = 4) {
    precondition(depth > 0, "work \(depth) pieces behind")
    queue = DispatchQueue(label: "inbetween.\(name)", qos: .userInitiated)
    // A semaphore may not be let go below the value it was made with, so it is made with 0.
    for _ in 0..<depth { room.signal() }
  }

  /// Adds a piece of work; waits where `depth` pieces are not done yet.
  ///
  /// - Throws: what an earlier piece threw; this one is not done then.
  package func add(_ work: @escaping @Sendable () throws -> Void) throws {
    room.wait()
    if let error = failure.withLock({ $0 }) {
      room.signal()
      throw error
    }
    queue.async { [self] in
      defer { room.signal() }
      guard failure.withLock({ $0 == nil }) else { return }
      do { try work() } catch { failure.withLock { $0 = error } }
    }
  }

  /// Waits until all that was added is done.
  ///
  /// - Throws: what a piece of it threw.
  package func finish() throws {
    queue.sync {}
    if let error = failure.withLock({ $0 }) { throw error }
  }
}
