// SPDX-License-Identifier: Apache-2.0

/// What is wrong with an engine's library, a model or a call of it.
public struct EngineError: Error, Hashable, CustomStringConvertible {
  /// The kind of failure; an open set.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The number by which the C shim reports the failure.
    public let rawValue: UInt32
    /// A kind of failure by its number; it need not be one of those below.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// No library is there, or it is none of that engine, or too old.
    public static let libraryMissing = Code(rawValue: 1)
    /// A file that is no model, is damaged, or holds what the engine does not know.
    public static let badModel = Code(rawValue: 2)
    /// Inputs that do not fit the model, or a setting that is refused.
    public static let badArgument = Code(rawValue: 3)
    /// More memory than there is.
    public static let outOfMemory = Code(rawValue: 4)
    /// The engine failed while it computed.
    public static let failed = Code(rawValue: 5)
    /// A file that is not there, or cannot be read.
    public static let missingFile = Code(rawValue: 6)
  }

  /// The kind of failure.
  public let code: Code
  /// What is wrong, in one sentence.
  public let message: String

  /// A failure of this kind, told in one sentence.
  public init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

  /// The message as it is.
  public var description: String { message }

  /// The same failure, with the file that it is about in front.
  package func located(in path: String) -> EngineError {
    message.contains(path) ? self : EngineError(code, "\(path): \(message)")
  }
}
