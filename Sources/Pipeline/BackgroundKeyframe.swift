// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Layers
internal import Propagation
internal import Synchronization
internal import Tensors

/// A key frame's features, computed on another thread, and a propagator that has taken
/// them.
///
/// Begun when it is made, waited for where they are asked for. Those who share it, as forks of a
/// stream do, wait for the same work. The last to let go of it waits too: nothing runs on behind a
/// stream that is gone, into the end of the process.
final class BackgroundKeyframe: Sendable {
  /// What is taken up together.
  struct Product: Sendable {
    let keyframe: StreamState.Keyframe
    let propagator: any Propagator
  }

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

  /// What was made; waits until it is, and counts its MACs as the caller's.
  func result() throws -> Product {
    work.done.wait()
    MACCounter.current?.add(macs: work.ledger.macs)
    guard let result = work.outcome.withLock({ $0 }) else { throw CancellationError() }
    return try result.get()
  }
}
