// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Layers
internal import Synchronization
internal import Tensors

/// A key frame's features while they are computed on another thread.
///
/// Begun when it is made, waited for where they are asked for. Those who share it, as forks of a stream do,
/// wait for the same work. The last to let go of it waits too: nothing runs on behind a stream that is gone, into the
/// end of the process.
final class BackgroundKey: Sendable {
  typealias Product = (key: StreamState.Key, kept: [String: Tensor])

  /// What the other thread holds.
  private final class Work: Sendable {
    let done = DispatchGroup()
    let outcome = Mutex<Result<Product, any Error>?>(nil)
    let ledger = MACCounter()
  }

  private let work: Work

  init(_ make: @escaping @Sendable () throws -> Product) {
    let work = Work()
    self.work = work
    DispatchQueue.global(qos: .userInitiated).async(group: work.done) {
      let result = MACCounter.$current.withValue(work.ledger) { Result { try make() } }
      work.outcome.withLock { $0 = result }
    }
  }

  deinit { work.done.wait() }

  /// What was made; waits until it is, and counts its work as the caller's.
  func result() throws -> Product {
    work.done.wait()
    MACCounter.current?.add(macs: work.ledger.macs)
    guard let result = work.outcome.withLock({ $0 }) else { throw CancellationError() }
    return try result.get()
  }
}
