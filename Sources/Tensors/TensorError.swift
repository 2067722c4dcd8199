// SPDX-License-Identifier: Apache-2.0

/// What went wrong below the Swift surface, and in which operation.
public struct TensorError: Error, Hashable, CustomStringConvertible {
  /// The kind of failure; an open set, so that a new one breaks no `switch`.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The number by which the C shim reports the failure.
    public let rawValue: UInt32
    /// A kind of failure by its number; it need not be one of those below.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Shapes that do not go together; the message names them.
    public static let badShape = Code(rawValue: 1)
    /// Elements of a type that the operation does not take.
    public static let badType = Code(rawValue: 2)
    /// Another argument that the operation refuses.
    public static let badArgument = Code(rawValue: 3)
    /// More memory than there is.
    public static let outOfMemory = Code(rawValue: 4)
    /// A file that is missing, damaged, or of another kind.
    public static let badFile = Code(rawValue: 5)
    /// A device that this machine, or this LibTorch, does not have.
    public static let noDevice = Code(rawValue: 6)
    /// LibTorch, or the library that connects it, cannot be opened.
    public static let backendMissing = Code(rawValue: 7)
    /// Anything else.
    public static let unknown = Code(rawValue: 8)
  }

  /// The kind of failure.
  public let code: Code
  /// The function that failed, as Swift spells it.
  public let operation: String
  /// What is wrong, in LibTorch's words or ours.
  public let message: String

  /// A failure of `operation`, which is spelt as Swift spells the function.
  public init(_ code: Code, in operation: String, _ message: String) {
    (self.code, self.operation, self.message) = (code, operation, message)
  }

  package init(_ code: Code, in operation: StaticString, _ message: String) {
    self.init(code, in: "\(operation)", message)
  }

  /// The operation and the message, on one line.
  public var description: String { "\(operation): \(message)" }
}
