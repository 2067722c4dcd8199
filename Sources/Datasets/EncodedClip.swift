// SPDX-License-Identifier: Apache-2.0

internal import Flow
internal import Outputs
public import Video

/// A clip whose frames carry the motion vectors and picture types of an H.264 encoding of the clip,
/// made here; pictures and labels stay as they are.
///
/// What codec motion is measured on where the data are pictures. Every group begins with an intra
/// picture and has no B pictures, as AR-Seg wants it (Hu et al., CVPR 2023, section 4.1); every
/// picture is predicted from the one before it.
public struct EncodedClip: LabelledClip {
  private let clip: any LabelledClip
  private let sides: [Side]

  private struct Side: Sendable {
    let type: PictureType
    let vectors: [MotionVector]?
  }

  /// Encodes the whole of `clip`, in groups of `group` pictures at most: a new scene begins one
  /// too.
  ///
  /// - Precondition: groups have at least one picture.
  /// - Throws: `DatasetError` where frames differ in size, or come back in another number.
  public init(
    _ clip: some LabelledClip, group: Int = 12, rateFactor: Int = 23, threads: Int = 1
  ) throws {
    precondition(group >= 1, "groups of \(group) pictures")
    self.clip = clip
    let path = temporaryPath(for: "clip.mp4")
    defer { removeFile(path) }
    var options = VideoWriter.Options()
    (options.keyInterval, options.bidirectionalFrames) = (group, 0)
    (options.rateFactor, options.threads) = (rateFactor, threads)
    try Self.write(clip, to: path, options)
    let reader = try VideoSource.open(
      path, options: VideoOptions(motionVectors: true, threads: threads))
    // A process that is killed from now on leaves nothing behind.
    removeFile(path)
    var sides: [Side] = []
    while let frame = try reader.next() {
      sides.append(Side(type: frame.pictureType, vectors: frame.motionVectors))
    }
    guard sides.count == clip.count else {
      throw DatasetError(
        .malformed, "\(clip.name): \(clip.count) frames were encoded, \(sides.count) came back")
    }
    self.sides = sides
  }

  private static func write(
    _ clip: some LabelledClip, to path: String, _ options: VideoWriter.Options
  ) throws {
    var writer: VideoWriter?
    for index in 0..<clip.count {
      let pixels = try clip.frame(at: index).pixels
      let open =
        try writer
        ?? VideoWriter(
          to: path, width: pixels.width, height: pixels.height,
          rate: FrameRate(25), options: options)
      guard (open.width, open.height) == (pixels.width, pixels.height) else {
        throw DatasetError(
          .malformed, "\(clip.name): frame \(index) is \(pixels.size), unlike those before")
      }
      try open.add(pixels)
      writer = open
    }
    try writer?.finish()
  }

  /// The name of the clip that was encoded.
  public var name: String { clip.name }
  /// The classes of the clip that was encoded.
  public var classes: ClassList { clip.classes }
  /// The number of frames of the clip that was encoded.
  public var count: Int { clip.count }
  /// Whether pictures and labels are read from somewhere.
  public var isStored: Bool { clip.isStored }
  /// What was odd about the clip.
  public var warnings: [String] { clip.warnings }
  /// The files of the clip.
  public var files: [String] { clip.files }
  /// The exact motion of the clip; nil where nobody knows it.
  public var groundTruthMotion: (any MotionProvider)? { clip.groundTruthMotion }

  /// What it took to decode the clip's frame.
  public func decodingTime(at index: Int) -> Duration? { clip.decodingTime(at: index) }

  /// The original picture, with the picture type and the motion vectors of its encoding.
  public func frame(at index: Int) throws -> Frame {
    let frame = try clip.frame(at: index)
    return Frame(
      index: frame.index, time: frame.time, pixels: frame.pixels, pictureType: sides[index].type,
      motionVectors: sides[index].vectors, streamBreak: frame.streamBreak,
      duration: frame.duration, name: frame.name)
  }

  /// The labels of the clip that was encoded; nil where there are none.
  public func labels(at index: Int) throws -> Image? { try clip.labels(at: index) }
}
