// SPDX-License-Identifier: Apache-2.0

package import Outputs

/// What is wrong with a training, or how it went wrong.
public struct TrainingError: Error, Hashable, CustomStringConvertible {
  /// The kind of failure; an open set.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The training itself cannot go on.
    public static let failed = Code(rawValue: "failed")
    /// A file of a training that cannot be read as one.
    public static let badFile = Code(rawValue: "bad file")
    /// A folder that holds what was trained otherwise.
    public static let otherTraining = Code(rawValue: "other training")
    /// A folder that another training writes into.
    public static let busy = Code(rawValue: "busy")
    public static let unwritable = Code(rawValue: "unwritable")
    /// Writing went wrong after it had begun, on a full disk say.
    public static let writeFailed = Code(rawValue: "write failed")
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

  /// That the training itself cannot go on, and why.
  public init(_ message: String) { self.init(.failed, message) }

  package init(_ error: OutputError) {
    self.init(error.isRefused ? .unwritable : .writeFailed, "\(error)")
  }

  public var description: String { message }
}
