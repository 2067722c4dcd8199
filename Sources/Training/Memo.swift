// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Synchronization

/// Values by number, made when first asked for and then kept, as long as there is room.
///
/// Two threads that ask for the same one at once may both make it; what is made of a number is
/// always the same, so that it does not matter whose is kept.
final class Memo<Value: Sendable>: Sendable {
  private let made = Mutex<[Int: Value]>([:])
  private let make: @Sendable (Int) throws -> Value
  private let room: MemoryBudget?
  private let size: @Sendable (Value) -> Int

  /// Values that are kept as long as their bytes fit into `room`; all of them without one.
  init(
    within room: MemoryBudget? = nil, size: @escaping @Sendable (Value) -> Int = { _ in 0 },
    _ make: @escaping @Sendable (Int) throws -> Value
  ) {
    (self.make, self.room, self.size) = (make, room, size)
  }

  subscript(index: Int) -> Value {
    get throws {
      if let known = made.withLock({ $0[index] }) { return known }
      let value = try make(index)
      if room?.take(size(value)) ?? true { made.withLock { $0[index] = value } }
      return value
    }
  }
}

/// Bytes that several may take, together no more than there are.
final class MemoryBudget: Sendable {
  private let left: Mutex<Int>

  init(_ bytes: Int) { left = Mutex(bytes) }

  /// A quarter of the machine's memory.
  static func usual() -> MemoryBudget {
    MemoryBudget(Int(clamping: ProcessInfo.processInfo.physicalMemory / 4))
  }

  /// Whether there were so many bytes left; then they are taken.
  func take(_ bytes: Int) -> Bool {
    left.withLock { left in
      guard bytes <= left else { return false }
      left -= bytes
      return true
    }
  }
}
