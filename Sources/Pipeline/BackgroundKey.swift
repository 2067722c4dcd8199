// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Synchronization
internal import Tensors

/// A key frame's features while they are computed on another thread.
///
/// Begun when it is made, waited for where they are asked for. Those who share it, as forks of a stream do,
/// wait for the same work.
final class BackgroundKey: Sendable {
  typealias Product = (key: StreamState.Key, kept: [String: Tensor])

  private let done = DispatchGroup()
  private let outcome = Mutex<Result<Product, any Error>?>(nil)

  init(_ make: @escaping @Sendable () throws -> Product) {
    DispatchQueue.global(qos: .userInitiated).async(group: done) { [self] in
      let result = Result { try make() }
      outcome.withLock { $0 = result }
    }
  }

  /// What was made; waits until it is.
  func result() throws -> Product {
    done.wait()
    guard let result = outcome.withLock({ $0 }) else { throw CancellationError() }
    return try result.get()
  }
}
