// SPDX-License-Identifier: Apache-2.0

public import Flow
public import Video

/// A frame, and its ground truth where someone gave it.
public struct Sample<Target: Sendable>: Sendable {
  /// The picture, with what its codec told of it.
  public let frame: Frame
  /// Labels, depth, boxes; nil where the frame is not annotated.
  public let target: Target?

  /// A frame with what it is annotated with, or nil.
  public init(frame: Frame, target: Target?) { (self.frame, self.target) = (frame, target) }
}

/// A frame, and its label map where someone gave one.
public typealias LabelledSample = Sample<Image>

extension Sample where Target == Image {
  /// A frame with its label map, one class id a pixel, or nil.
  ///
  /// - Throws: `DatasetError` where the labels are not of the frame's size.
  public init(frame: Frame, labels: Image?) throws(DatasetError) {
    if let labels, labels.size != frame.pixels.size {
      let name = frame.name ?? "frame \(frame.index)"
      throw DatasetError(
        .malformed, "\(name): labels of \(labels.size) for a picture of \(frame.pixels.size)")
    }
    self.init(frame: frame, target: labels)
  }

  /// One class id a pixel; nil where the frame is not labelled.
  public var labels: Image? { target }
}

/// A run of frames in order, with ground truth of one kind, read one at a time.
public protocol Clip<Target>: Sendable {
  /// What a frame is annotated with: a label map, a depth map, boxes.
  associatedtype Target: Sendable

  /// What the clip is called in results: `camvid/val`.
  var name: String { get }
  /// How many frames there are, annotated or not.
  var count: Int { get }
  /// Whether frames are read from somewhere, so that the time it takes is worth telling; one that
  /// is rendered takes what the renderer takes.
  var isStored: Bool { get }
  /// The files that frames and ground truth are read from; none of a clip that is made. A clip made
  /// of another one passes them on.
  var files: [String] { get }
  /// What was odd while it was read, to be said once.
  var warnings: [String] { get }
  /// The exact motion between frames; nil where nobody knows it. A clip made of another one passes
  /// it on.
  var groundTruthMotion: (any MotionProvider)? { get }

  /// What the classes of objects in the ground truth are; nil where it has none, or does not say. A
  /// clip made of another one passes them on.
  var objectClasses: ObjectClasses? { get }

  /// How long it took to decode a frame that is held in memory by now; nil where it is read when it
  /// is asked for, or was never encoded. A clip made of another one passes it on.
  func decodingTime(at index: Int) -> Duration?

  /// The frame at `index`, from 0 up to `count`; any order will do.
  func frame(at index: Int) throws -> Frame
  /// The ground truth of that frame; nil where it is not annotated.
  func target(at index: Int) throws -> Target?
  /// Both at once, for clips that make them together.
  func sample(at index: Int) throws -> Sample<Target>
}

extension Clip {
  /// True unless a clip says otherwise.
  public var isStored: Bool { true }

  /// Nothing unless a clip says otherwise.
  public var warnings: [String] { [] }

  /// None unless a clip says otherwise.
  public var files: [String] { [] }

  /// Nil unless a clip says otherwise.
  public var objectClasses: ObjectClasses? { nil }

  /// Nil unless a clip says otherwise.
  public func decodingTime(at _: Int) -> Duration? { nil }

  /// Nil: unknown unless a clip knows it.
  public var groundTruthMotion: (any MotionProvider)? { nil }

  /// The frame and its ground truth, read one after the other.
  public func sample(at index: Int) throws -> Sample<Target> {
    Sample(frame: try frame(at: index), target: try target(at: index))
  }
}

/// The classes of a ground truth's objects, and which of them count.
public struct ObjectClasses: Sendable, Hashable {
  /// What the numbers of classes stand for.
  public let list: ClassList
  /// The classes that count; nil for all.
  public let counted: Set<Int>?

  /// Classes of which these count, or all.
  public init(_ list: ClassList, counted: Set<Int>? = nil) {
    (self.list, self.counted) = (list, counted)
  }
}

/// The exact optical flow between any two frames of a clip.
public protocol MotionProvider: Sendable {
  /// Where each pixel of frame `current` was in frame `reference`; unknown where it was hidden
  /// there, or outside.
  func motion(from current: Int, to reference: Int) throws -> MotionField
}

/// A clip whose ground truth is a label map, one class id a pixel.
public protocol LabelledClip: Clip where Target == Image {
  /// What the ids of the labels stand for.
  var classes: ClassList { get }

  /// The labels of a frame, one class id a pixel; nil where it is not labelled.
  func labels(at index: Int) throws -> Image?
}

extension LabelledClip {
  /// The label map of a frame; nil where it is not labelled.
  public func target(at index: Int) throws -> Image? { try labels(at: index) }

  /// The frame and its labels; it throws where they differ in size.
  public func sample(at index: Int) throws -> LabelledSample {
    try LabelledSample(frame: frame(at: index), labels: labels(at: index))
  }
}

/// A labelled clip whose motion is known exactly.
public protocol ClipWithMotion: LabelledClip, MotionProvider {
  /// Two frames and the motion between them, for clips that make them together.
  func pair(from current: Int, to reference: Int) throws -> MotionPair
}

extension ClipWithMotion {
  /// The clip itself.
  public var groundTruthMotion: (any MotionProvider)? { self }

  /// Two frames with their labels, and the motion from `current` to `reference`.
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
    /// The name of the kind, such as `missing`.
    public let rawValue: String
    /// A kind of failure by its name; it need not be one of those below.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A folder, a picture or labels that should be there are not.
    public static let missing = Code(rawValue: "missing")
    /// A file that is there and is not what the data set says it is.
    public static let malformed = Code(rawValue: "malformed")
    /// More than may be held in memory.
    public static let tooLarge = Code(rawValue: "tooLarge")
    /// Something that should be kept on disk cannot be.
    public static let unwritable = Code(rawValue: "unwritable")
    /// Writing went wrong after it had begun, on a full disk say.
    public static let writeFailed = Code(rawValue: "writeFailed")
    /// Whoever reads standard output has seen enough.
    public static let readerLeft = Code(rawValue: "reader left")
  }

  /// The kind of failure.
  public let code: Code
  /// What is wrong, in one sentence.
  public let message: String

  /// An error of this kind, told in one sentence.
  public init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

  /// The message as it is.
  public var description: String { message }
}
