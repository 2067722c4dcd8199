// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Values by number, made when first asked for and then kept.
///
/// Two threads that ask for the same one at once may both make it; what is made of a number is
/// always the same, so that it does not matter whose is kept.
final class Memo<Value: Sendable>: Sendable {
  private let made = Mutex<[Int: Value]>([:])
  private let make: @Sendable (Int) throws -> Value

  init(_ make: @escaping @Sendable (Int) throws -> Value) { self.make = make }

  subscript(index: Int) -> Value {
    get throws {
      if let known = made.withLock({ $0[index] }) { return known }
      let value = try make(index)
      made.withLock { $0[index] = value }
      return value
    }
  }
}
