// SPDX-License-Identifier: Apache-2.0

package import Outputs

/// What is wrong with a training, or how it went wrong.
public struct TrainingError: Error, Hashable, CustomStringConvertible {
  /// The kind of failure; an open set.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// Tells the kind from others.
    public let rawValue: String
    /// A kind of that name.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The training itself cannot go on.
    public static let failed = Code(rawValue: "failed")
    /// A file of a training that cannot be read as one.
    public static let badFile = Code(rawValue: "bad file")
    /// A folder that holds what was trained otherwise.
    public static let otherTraining = Code(rawValue: "other training")
    /// A folder that another training writes into.
    public static let busy = Code(rawValue: "busy")
    /// A folder or file that cannot be created.
    public static let unwritable = Code(rawValue: "unwritable")
    /// Writing went wrong after it had begun, on a full disk say.
    public static let writeFailed = Code(rawValue: "write failed")
  }

  /// The kind of failure.
  public let code: Code
  /// What is wrong, in one sentence.
  public let message: String

  /// An error of this kind, told in one sentence.
  public init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

  /// That the training itself cannot go on, and why.
  public init(_ message: String) { self.init(.failed, message) }

  package init(_ error: OutputError) {
    self.init(error.isRefused ? .unwritable : .writeFailed, "\(error)")
  }

  /// The message as it is.
  public var description: String { message }
}
