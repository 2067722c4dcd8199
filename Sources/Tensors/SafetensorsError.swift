// SPDX-License-Identifier: Apache-2.0

/// Why a safetensors file was not read or not written.
public struct SafetensorsError: Error, Hashable, CustomStringConvertible {
  /// The kind of failure; an open set, so that a new one breaks no `switch`.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The failure in words, such as `bad header`.
    public let rawValue: String
    /// A kind of failure by its words; it need not be one of those below.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The file cannot be opened or read, or is no regular file.
    public static let unreadable = Code(rawValue: "unreadable")
    /// The file is too short, or its first eight bytes claim an impossible header.
    public static let badHeaderLength = Code(rawValue: "bad header length")
    /// The header is not the JSON it should be.
    public static let badHeader = Code(rawValue: "bad header")
    /// An entry contradicts itself, another one, or the size of the file.
    public static let badLayout = Code(rawValue: "bad layout")
    /// Elements of a type that is unknown, or that tensors do not have.
    public static let badType = Code(rawValue: "bad type")
    /// No tensor of that name.
    public static let missing = Code(rawValue: "missing")
    /// What was to be written cannot be named or stored.
    public static let badTensor = Code(rawValue: "bad tensor")
    /// The file could not be written; what was there before is untouched.
    public static let unwritable = Code(rawValue: "unwritable")
    /// Writing went wrong after it had begun, on a full disk say.
    public static let writeFailed = Code(rawValue: "write failed")
    /// There is too little memory, whatever the file holds.
    public static let outOfMemory = Code(rawValue: "out of memory")
  }

  /// The kind of failure.
  public let code: Code
  /// The tensor concerned, as the file spells it; print it by `description`, which escapes it.
  public let tensor: String?
  /// What is wrong, in one clause, without the tensor's name.
  public let message: String

  init(_ code: Code, tensor: String? = nil, _ message: String) {
    (self.code, self.tensor, self.message) = (code, tensor, message)
  }

  /// The message, with the tensor's name before it, escaped, where one is concerned.
  public var description: String {
    tensor.map { "tensor \(Self.escaped($0)): \(message)" } ?? message
  }

  /// A name from a file, fit to be printed: quoted, in ASCII, and cut where it is very long.
  static func escaped(_ name: String) -> String {
    let shown = name.unicodeScalars.prefix(80).map { $0.escaped(asASCII: true) }.joined()
    return "\"\(shown)\(name.unicodeScalars.count > 80 ? "…" : "")\""
  }
}
