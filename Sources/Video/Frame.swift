// SPDX-License-Identifier: Apache-2.0

/// One picture of a stream, with what its codec told of it.
public struct Frame: Sendable {
  /// Position in the stream as decoded, from 0; never the container's own count.
  public let index: Int
  /// Presentation time in seconds; picture files whose names tell no time follow each other at a
  /// nominal rate.
  public let time: Double
  /// Height × width × 3, blue, green, red.
  public let pixels: Image
  /// How the codec coded the picture.
  public let pictureType: PictureType
  /// The codec's motion vectors: none of a picture coded on its own; nil where they were not asked
  /// for or the codec exports none.
  public let motionVectors: [MotionVector]?
  /// Why nothing that is remembered from earlier frames should be carried across to this one; nil
  /// where it goes on from the one before.
  public let streamBreak: StreamBreak?
  /// How long the frame is shown, in seconds; nil where nobody knows.
  public let duration: Double?
  /// The name of the file the frame came from, without folder and extension; nil in videos.
  public let name: String?

  /// Whether the stream broke off before this frame: see `streamBreak`.
  public var followsBreak: Bool { streamBreak != nil }

  /// A frame of a source of one's own; what is not given is unknown.
  public init(
    index: Int, time: Double, pixels: Image, pictureType: PictureType = .unknown,
    motionVectors: [MotionVector]? = nil, streamBreak: StreamBreak? = nil,
    duration: Double? = nil, name: String? = nil
  ) {
    (self.index, self.time, self.pixels, self.pictureType) = (index, time, pixels, pictureType)
    (self.motionVectors, self.streamBreak, self.name) = (motionVectors, streamBreak, name)
    self.duration = duration
  }

  /// A frame with which another sequence may begin.
  public init(
    index: Int, time: Double, pixels: Image, pictureType: PictureType = .unknown,
    motionVectors: [MotionVector]? = nil, followsBreak: Bool, name: String? = nil
  ) {
    self.init(
      index: index, time: time, pixels: pixels, pictureType: pictureType,
      motionVectors: motionVectors, streamBreak: followsBreak ? .sequence : nil, name: name)
  }
}

/// How a codec coded a picture.
public enum PictureType: String, Sendable, Hashable {
  /// On its own: nothing of other pictures is used.
  case intra = "I"
  /// From earlier pictures.
  case predicted = "P"
  /// From earlier and later pictures.
  case bidirectional = "B"
  /// Another kind, or none: image files have no type.
  case unknown = "?"
}

/// One block of a picture and where the codec took it from.
///
/// The fields are libavutil's `AVMotionVector`; positions are block centres in pixels. The block
/// was at `(x + dx, y + dy)` in the picture it was predicted from.
public struct MotionVector: Sendable, Hashable {
  /// Negative: from an earlier picture; positive: from a later one.
  public let source: Int32
  /// Block size in pixels.
  public let width: UInt8, height: UInt8
  /// Centre of the block in the reference picture, rounded to whole pixels by the codec library.
  public let sourceX: Int16, sourceY: Int16
  /// Centre of the block in this picture.
  public let x: Int16, y: Int16
  /// Displacement towards the reference, in units of 1 / `scale` pixel.
  public let motionX: Int32, motionY: Int32
  /// Parts of a pixel in which the displacement is counted; 4 for quarters.
  public let scale: UInt16

  /// A vector with the fields as the codec library gives them; none is checked.
  public init(
    source: Int32, width: UInt8, height: UInt8, sourceX: Int16, sourceY: Int16, x: Int16, y: Int16,
    motionX: Int32, motionY: Int32, scale: UInt16
  ) {
    (self.source, self.width, self.height) = (source, width, height)
    (self.sourceX, self.sourceY, self.x, self.y) = (sourceX, sourceY, x, y)
    (self.motionX, self.motionY, self.scale) = (motionX, motionY, scale)
  }

  /// Displacement towards the reference, in pixels.
  public var displacement: (dx: Float, dy: Float) {
    let unit = 1 / Float(max(scale, 1))
    return (Float(motionX) * unit, Float(motionY) * unit)
  }
}

extension Frame {
  /// The same frame, after a break where its size is not that of the frame before and its source
  /// has not said so.
  package func breaking(after before: Frame?) -> Frame {
    guard let before, streamBreak == nil, before.pixels.size != pixels.size else { return self }
    return Frame(
      index: index, time: time, pixels: pixels, pictureType: pictureType,
      motionVectors: motionVectors, streamBreak: .size, duration: duration, name: name)
  }

  /// The same frame with other pixels, at another size say; its motion vectors stay as they were.
  public func with(pixels: Image) -> Frame {
    Frame(
      index: index, time: time, pixels: pixels, pictureType: pictureType,
      motionVectors: motionVectors, streamBreak: streamBreak, duration: duration, name: name)
  }
}
