// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// Held by a test while it changes how many threads LibTorch has, and by one whose bits depend on
/// that.
///
/// Tests run side by side, and the last bits of LibTorch's own convolutions are others with another
/// number of threads.
public let steadyThreads = SteadyThreads()

/// A lock that the thread which holds it may take again.
public final class SteadyThreads: Sendable {
  private let held = NSRecursiveLock()

  /// Waits until no other test holds it.
  public func lock() { held.lock() }

  /// Lets others go on.
  public func unlock() { held.unlock() }
}
