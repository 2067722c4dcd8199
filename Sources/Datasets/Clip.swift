// SPDX-License-Identifier: Apache-2.0

public import Flow
public import Video

/// A frame, and its labels where someone gave them.
public struct Sample: Sendable {
  public let frame: Frame
  /// One class id a pixel; nil where the frame is not labelled.
  public let labels: Image?

  /// - Throws: `DatasetError` where the labels are not of the frame's size.
  public init(frame: Frame, labels: Image?) throws(DatasetError) {
    if let labels, labels.size != frame.pixels.size {
      let name = frame.name ?? "frame \(frame.index)"
      throw DatasetError(
        .malformed, "\(name): labels of \(labels.size) for a picture of \(frame.pixels.size)")
    }
    (self.frame, self.labels) = (frame, labels)
  }
}

/// A run of samples in order, read one at a time.
public protocol Clip: Sendable {
  var name: String { get }
  /// What the ids of the labels stand for.
  var classes: ClassList { get }
  var count: Int { get }
  /// Whether frames are read from somewhere, so that the time it takes is worth telling; one that is
  /// rendered takes what the renderer takes.
  var isStored: Bool { get }

  /// The frame at `index`, from 0 up to `count`; any order will do.
  func frame(at index: Int) throws -> Frame
  /// The labels of that frame, one class id a pixel; nil where it is not labelled.
  func labels(at index: Int) throws -> Image?
  /// Both at once, for clips that make them together.
  func sample(at index: Int) throws -> Sample
}

extension Clip {
  public var isStored: Bool { true }

  public func sample(at index: Int) throws -> Sample {
    try Sample(frame: frame(at: index), labels: labels(at: index))
  }
}

/// A clip whose motion is known exactly.
public protocol ClipWithMotion: Clip {
  /// Where each pixel of frame `current` was in frame `reference`; unknown where it was hidden
  /// there, or outside.
  func motion(from current: Int, to reference: Int) throws -> MotionField
  /// Two frames and the motion between them, for clips that make them together.
  func pair(from current: Int, to reference: Int) throws -> MotionPair
}

extension ClipWithMotion {
  public func pair(from current: Int, to reference: Int) throws -> MotionPair {
    let (here, there) = (try sample(at: current), try sample(at: reference))
    return MotionPair(
      current: here.frame.pixels, reference: there.frame.pixels,
      motion: try motion(from: current, to: reference),
      currentLabels: here.labels, referenceLabels: there.labels)
  }
}

/// What is wrong with a data set on disk.
public struct DatasetError: Error, Hashable, CustomStringConvertible {
  /// The kind of failure; an open set.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static let missing = Code(rawValue: "missing")
    public static let malformed = Code(rawValue: "malformed")
    /// More than may be held in memory.
    public static let tooLarge = Code(rawValue: "tooLarge")
    /// Something that should be kept on disk cannot be.
    public static let unwritable = Code(rawValue: "unwritable")
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

  public var description: String { message }
}
