// SPDX-License-Identifier: Apache-2.0

/// Why no motion could be had.
public struct FlowError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What kind of failure it was; more kinds may come.
  public struct Code: Sendable, Hashable {
    let name: String

    /// Two frames or two fields that do not lie on one grid.
    public static let sizesDiffer = Code(name: "sizesDiffer")
    /// The codec exports no motion vectors, or the decoder was not asked for them.
    public static let noMotionVectors = Code(name: "noMotionVectors")
    /// A file that is not there, or not what its name says.
    public static let unreadable = Code(name: "unreadable")
    /// A file that cannot be written.
    public static let unwritable = Code(name: "unwritable")
    /// Writing went wrong after it had begun, on a full disk say.
    public static let writeFailed = Code(name: "writeFailed")
    /// A description of a network that says something else than it should.
    public static let badDescription = Code(name: "badDescription")
  }

  /// The kind of failure.
  public let code: Code
  /// One sentence for the user.
  public let message: String

  /// The message as it is.
  public var description: String { message }

  /// A failure told in one sentence.
  public init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

  /// Says which two grids differ.
  public static func sizesDiffer(
    _ one: String, _ size: (width: Int, height: Int),
    _ other: String, _ otherSize: (width: Int, height: Int)
  ) -> FlowError {
    FlowError(
      .sizesDiffer,
      "\(one) is \(size.width)×\(size.height) and \(other) is "
        + "\(otherSize.width)×\(otherSize.height)"
    )
  }
}
