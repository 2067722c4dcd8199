// SPDX-License-Identifier: Apache-2.0

public import Flow
public import Video

/// A frame, and its labels where someone gave them.
public struct Sample: Sendable {
  public let frame: Frame
  /// One class id a pixel; nil where the frame is not labelled.
  public let labels: Image?

  public init(frame: Frame, labels: Image?) { (self.frame, self.labels) = (frame, labels) }
}

/// A run of samples in order, read one at a time.
public protocol Clip: Sendable {
  var name: String { get }
  /// What the ids of the labels stand for.
  var classes: ClassList { get }
  var count: Int { get }

  /// The sample at `index`, from 0 up to `count`; any order will do.
  func sample(at index: Int) throws -> Sample
}

/// A clip whose motion is known exactly.
public protocol ClipWithMotion: Clip {
  /// Where each pixel of frame `current` was in frame `reference`; unknown where it was hidden
  /// there, or outside.
  func motion(from current: Int, to reference: Int) throws -> MotionField
}

/// What is wrong with a data set on disk.
public struct DatasetError: Error, Hashable, CustomStringConvertible {
  /// The kind of failure; an open set.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static let missing = Code(rawValue: "missing")
    public static let malformed = Code(rawValue: "malformed")
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

  public var description: String { message }
}
