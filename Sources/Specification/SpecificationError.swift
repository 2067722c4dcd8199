// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a specification, a file of one, or a folder with a model.
public struct SpecificationError: Error, Hashable, CustomStringConvertible {
  /// The kind of failure; an open set.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A file that describes something is wrong.
    public static let badDescription = Code(rawValue: "bad description")
    /// A part's text cannot be taken apart.
    public static let badSyntax = Code(rawValue: "bad syntax")
    public static let unknownPart = Code(rawValue: "unknown part")
    public static let unknownOption = Code(rawValue: "unknown option")
    public static let badValue = Code(rawValue: "bad value")
    public static let tooDeep = Code(rawValue: "too deep")
    public static let tooLarge = Code(rawValue: "too large")
    /// Parts that are right each by itself and cannot work together.
    public static let incompatible = Code(rawValue: "incompatible")
    public static let missingFile = Code(rawValue: "missing file")
    public static let badWeights = Code(rawValue: "bad weights")
    /// Data that do not go with what is to be done to them.
    public static let badInput = Code(rawValue: "bad input")
  }

  public let code: Code
  public let message: String

  /// An error of this kind, told in one sentence.
  public init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

  public var description: String { message }

  /// The same error with the name of the file before it.
  public func located(in file: String) -> SpecificationError {
    SpecificationError(code, "\(file): \(message)")
  }

  /// The same error with the place in a file before it.
  public func located(in file: String, line: Int) -> SpecificationError {
    SpecificationError(code, "\(file):\(line): \(message)")
  }
}
