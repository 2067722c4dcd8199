// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Foundation

/// Makes the batches of coming steps on other threads, so that training never waits for data.
final class Prefetcher<Batch: Sendable>: @unchecked Sendable {
  // Safe to share: all that changes is read and written under the lock.
  private let condition = NSCondition()
  private let make: @Sendable (Int) throws -> Batch
  private var ready: [Int: Result<Batch, any Error>] = [:]
  private var next: Int, taken: Int
  private let end: Int
  private let depth: Int
  private var isCancelled = false

  /// Starts at step `first`, ends before `end`, and stays at most `depth` ahead of what was taken.
  init(
    from first: Int, to end: Int, depth: Int = 3, threads: Int = 1,
    make: @escaping @Sendable (Int) throws -> Batch
  ) {
    (next, taken, self.end, self.depth, self.make) = (first, first, end, depth, make)
    for index in 0..<threads {
      let thread = Thread { [weak self] in while self?.produceOne() == true {} }
      thread.name = "inbetween.loader.\(index)"
      thread.stackSize = 4 << 20
      thread.start()
    }
  }

  /// The batch of the next step; nil where `stop` said, while it was waited for, to wait no longer.
  func take(unless stop: () -> Bool = { false }) throws -> Batch? {
    condition.lock()
    defer { condition.unlock() }
    let step = taken
    while ready[step] == nil {
      guard !stop() else { return nil }
      _ = condition.wait(until: Date(timeIntervalSinceNow: 0.1))
    }
    taken += 1
    condition.broadcast()
    guard let result = ready.removeValue(forKey: step) else { throw CancellationError() }
    return try result.get()
  }

  /// Lets the threads end.
  func cancel() {
    condition.lock()
    isCancelled = true
    condition.broadcast()
    condition.unlock()
  }

  deinit { cancel() }

  /// Waits briefly where there is nothing to do, so that a thread never keeps its owner alive.
  private func produceOne() -> Bool {
    condition.lock()
    if !isCancelled, next < end, next >= taken + depth {
      _ = condition.wait(until: Date(timeIntervalSinceNow: 0.1))
    }
    guard !isCancelled, next < end else {
      condition.unlock()
      return false
    }
    guard next < taken + depth else {
      condition.unlock()
      return true
    }
    let step = next
    next += 1
    condition.unlock()
    let result = Result { try make(step) }
    condition.lock()
    ready[step] = result
    condition.broadcast()
    condition.unlock()
    return true
  }
}
