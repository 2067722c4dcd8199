// SPDX-License-Identifier: Apache-2.0

/// What went wrong with a picture or a video, where, and in one sentence why.
public struct VideoError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kind of failure; compare it, and show `description`.
  public let code: Code
  /// The file, folder, pattern or stream it happened to.
  public let path: String
  /// One sentence, without the path.
  public let message: String

  /// An error at a file, folder, pattern or stream, told in one sentence without its path.
  public init(_ code: Code, at path: String, _ message: String) {
    (self.code, self.path, self.message) = (code, path, message)
  }

  /// The path and the message, on one line.
  public var description: String { "\(path): \(message)" }

  /// A kind of failure; more kinds may be added.
  public struct Code: RawRepresentable, Sendable, Hashable {
    /// The name of the kind, such as `missingFile`.
    public let rawValue: String
    /// A kind of failure by its name; it need not be one of those below.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing has that name, or nothing matches the pattern.
    public static let missingFile = Self(rawValue: "missingFile")
    /// The system would not read it, or it is no regular file.
    public static let unreadable = Self(rawValue: "unreadable")
    /// A folder without a single picture.
    public static let emptyFolder = Self(rawValue: "emptyFolder")
    /// A file of no bytes.
    public static let emptyFile = Self(rawValue: "emptyFile")
    /// No video or picture format that is known.
    public static let notMedia = Self(rawValue: "notMedia")
    /// A container without a video stream.
    public static let noVideoStream = Self(rawValue: "noVideoStream")
    /// A playlist, an address or another source that may lead to other files.
    public static let refusedFormat = Self(rawValue: "refusedFormat")
    /// A known format whose header is cut off or broken, so that nothing can be decoded.
    public static let damagedHeader = Self(rawValue: "damagedHeader")
    /// Broken data after a good header.
    public static let damagedData = Self(rawValue: "damagedData")
    /// More pixels than `PixelLimits` allow.
    public static let tooLarge = Self(rawValue: "tooLarge")
    /// A codec whose decoder exports no motion vectors.
    public static let noMotionVectors = Self(rawValue: "noMotionVectors")
    /// The size of the picture changed and the options ask for an error.
    public static let sizeChanged = Self(rawValue: "sizeChanged")
    /// A picture of a kind that was not asked for, such as colours for labels.
    public static let unsupported = Self(rawValue: "unsupported")
    /// The system would not create or write the file.
    public static let unwritable = Self(rawValue: "unwritable")
    /// Writing went wrong after it had begun.
    public static let writeFailed = Self(rawValue: "writeFailed")
    /// The file could not be written to its end: no space is left.
    public static let diskFull = Self(rawValue: "diskFull")
    /// No frame of a live stream came in time.
    public static let timedOut = Self(rawValue: "timedOut")
    /// A live stream stayed away for longer than it may.
    public static let outage = Self(rawValue: "outage")
    /// A library that is opened where it is needed is not on this machine.
    public static let missingLibrary = Self(rawValue: "missingLibrary")
    /// More memory than there is.
    public static let outOfMemory = Self(rawValue: "outOfMemory")
    /// Anything else.
    public static let unknown = Self(rawValue: "unknown")
  }
}
