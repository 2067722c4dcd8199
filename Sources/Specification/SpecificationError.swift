// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a specification, a file of one, or a folder with a model.
public struct SpecificationError: Error, Hashable, CustomStringConvertible {
  /// The kind of failure; an open set.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The failure in words, such as `bad syntax`.
    public let rawValue: String
    /// A kind of failure by its words; it need not be one of those below.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A file that describes something is wrong.
    public static let badDescription = Code(rawValue: "bad description")
    /// A part's text cannot be taken apart.
    public static let badSyntax = Code(rawValue: "bad syntax")
    /// No part, or no role, has that name.
    public static let unknownPart = Code(rawValue: "unknown part")
    /// The part has no option of that name.
    public static let unknownOption = Code(rawValue: "unknown option")
    /// A value that the option, or the key, does not take.
    public static let badValue = Code(rawValue: "bad value")
    /// Parts or settings nested deeper than is allowed.
    public static let tooDeep = Code(rawValue: "too deep")
    /// A text or a tree beyond the limits on its size.
    public static let tooLarge = Code(rawValue: "too large")
    /// Parts that are right each by itself and cannot work together.
    public static let incompatible = Code(rawValue: "incompatible")
    /// A file or folder that is named and not there.
    public static let missingFile = Code(rawValue: "missing file")
    /// Weights that cannot be read, or that fit another network.
    public static let badWeights = Code(rawValue: "bad weights")
    /// Data that do not go with what is to be done to them.
    public static let badInput = Code(rawValue: "bad input")
  }

  /// The kind of failure.
  public let code: Code
  /// What is wrong, in one sentence, with the place in a file where there is one.
  public let message: String

  /// An error of this kind, told in one sentence.
  public init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

  /// The message as it is.
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
