// SPDX-License-Identifier: Apache-2.0

/// Frames a second as an exact fraction: 30000/1001 stays what it is.
public struct FrameRate: Sendable, Hashable, CustomStringConvertible {
  /// Frames in `denominator` seconds.
  public let numerator: Int
  /// The seconds in which `numerator` frames pass.
  public let denominator: Int

  /// So many frames in so many seconds: 30000 per 1001.
  ///
  /// - Precondition: both are positive and fit in 32 bits.
  public init(_ numerator: Int, per denominator: Int = 1) {
    precondition(
      numerator > 0 && denominator > 0 && max(numerator, denominator) <= Int(Int32.max),
      "\(numerator)/\(denominator) is no frame rate")
    (self.numerator, self.denominator) = (numerator, denominator)
  }

  /// The fraction as a number, rounded.
  public var framesPerSecond: Double { Double(numerator) / Double(denominator) }
  /// The number, or the fraction: `25`, `30000/1001`.
  public var description: String {
    denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)"
  }
}

/// What a stream says of itself before anything is decoded.
public struct StreamInfo: Sendable, Hashable {
  /// Size of every frame handed out, in pixels.
  public var width: Int, height: Int
  /// The nominal rate, nil where none is stated; frames carry times of their own.
  public var frameRate: FrameRate?
  /// The codec's or picture format's short name, such as `h264` or `png`.
  public var codec: String
  /// The number of frames the container claims: a claim, never to be counted on.
  public var claimedFrameCount: Int?
  /// The length the container claims, in seconds.
  public var claimedDuration: Double?
  /// Whether pictures are predicted from later ones too.
  public var hasBidirectionalFrames: Bool
  /// Degrees clockwise by which players turn the picture; it is not applied to frames.
  public var rotation: Int

  /// What is known of a stream without rotation and without frames predicted from later ones.
  public init(
    width: Int, height: Int, frameRate: FrameRate?, codec: String, claimedFrameCount: Int? = nil
  ) {
    (self.width, self.height, self.frameRate) = (width, height, frameRate)
    (self.codec, self.claimedFrameCount) = (codec, claimedFrameCount)
    (claimedDuration, hasBidirectionalFrames, rotation) = (nil, false, 0)
  }
}

/// How reading has gone so far; final once the stream has ended.
public struct StreamReport: Sendable, Hashable {
  /// Frames handed out.
  public var decoded = 0
  /// Packets or picture files that gave no frame, or were marked broken.
  public var damagedPackets = 0
  /// What is wrong with the first of them, where that is known.
  public var firstDamage: String?
  /// Frames of which the decoder had to make up some.
  public var concealedFrames = 0
  /// The number of frames the container claimed.
  public var claimed: Int?
  /// Whether the stream ended before its container says it should.
  public var truncated = false
  /// Frames whose size differed from that of the frame before.
  public var sizeChanges = 0
  /// Frames whose time was missing, or not later than the one before.
  public var repairedTimes = 0
  /// Holes in the times of a video or in the numbers of picture files.
  public var gaps = 0

  /// The report of a stream of which nothing has been read.
  public init() {}

  /// Whether every frame came, whole and in order.
  public var isClean: Bool {
    damagedPackets == 0 && concealedFrames == 0 && !truncated && sizeChanges == 0 && gaps == 0
  }
}
