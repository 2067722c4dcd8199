// SPDX-License-Identifier: Apache-2.0
internal import COpenCV

/// OpenCV as a whole: its version and its threads.
public enum OpenCV {
  /// The version of the library in this process, such as "4.6.0".
  public static var version: String { String(cString: cocv_version()) }

  /// How many threads OpenCV's parallel loops use.
  public static var threads: Int { Int(cocv_threads()) }

  /// Sets how many threads OpenCV's parallel loops use in this process; 0 leaves the choice to it.
  ///
  /// No result depends on the number.
  public static func setThreads(_ count: Int) throws(OpenCVError) {
    try shim { cocv_set_threads(Int32(clamping: count), &$0) }
  }
}

/// A call into OpenCV that failed.
public struct OpenCVError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What kind of failure it was.
  public struct Code: RawRepresentable, Sendable, Hashable {
    /// The number by which the C shim reports the failure.
    public let rawValue: UInt32
    /// A kind of failure by its number; it need not be one of those below.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Sizes, channels or settings that the operation does not take.
    public static let badArgument = Code(rawValue: cocv_bad_argument.rawValue)
    /// More memory than there is.
    public static let outOfMemory = Code(rawValue: cocv_out_of_memory.rawValue)
    /// Anything else.
    public static let failed = Code(rawValue: cocv_failed.rawValue)
  }

  /// The kind of failure.
  public let code: Code
  /// The function that was called.
  public let operation: String
  /// What the library said.
  public let message: String

  /// The operation and the message, on one line.
  public var description: String { "\(operation): \(message)" }
}

/// The one place where a code of the shim becomes an error.
func shim(
  _ operation: StaticString = #function, _ call: (inout cocv_error) -> cocv_code
) throws(OpenCVError) {
  var failure = cocv_error()
  let code = call(&failure)
  guard code == cocv_ok else {
    throw OpenCVError(
      code: .init(rawValue: code.rawValue), operation: "\(operation)", message: failure.text)
  }
}

extension cocv_error {
  fileprivate var text: String {
    withUnsafeBytes(of: message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
