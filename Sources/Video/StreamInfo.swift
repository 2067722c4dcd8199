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

  /// That many frames a second, to a thousandth.
  ///
  /// - Precondition: they are positive, and at most two million.
  package init(nearest rate: Double) { self.init(max(1, Int((rate * 1000).rounded())), per: 1000) }

  /// The fraction as a number, rounded.
  public var framesPerSecond: Double { Double(numerator) / Double(denominator) }
  /// The number, or the fraction: `25`, `30000/1001`.
  public var description: String {
    denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)"
  }
}

/// The width of a pixel over its height as an exact fraction: 64/45 of anamorphic PAL video.
public struct PixelAspect: Sendable, Hashable, CustomStringConvertible {
  /// The fraction's numerator.
  public let width: Int
  /// The fraction's denominator.
  public let height: Int

  /// The aspect `width` : `height`.
  ///
  /// - Precondition: both are positive and fit in 32 bits.
  public init(_ width: Int, _ height: Int) {
    precondition(
      width > 0 && height > 0 && max(width, height) <= Int(Int32.max),
      "\(width):\(height) is no aspect")
    (self.width, self.height) = (width, height)
  }

  /// Pixels as wide as high.
  public static let square = Self(1, 1)

  /// As `64:45`.
  public var description: String { "\(width):\(height)" }
}

/// What a stream says of itself before anything is decoded.
public struct StreamInfo: Sendable, Hashable {
  /// Size of every frame handed out, upright, in pixels.
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
  /// Degrees clockwise by which pictures were turned: frames are upright.
  public var rotation = 0
  /// The width of a pixel over its height, where the stream says that they differ.
  public var pixelAspect: PixelAspect?
  /// Whether times may begin anew in the stream, as those of transport streams do.
  package var timesMayRestart = false
  /// Whether times are nothing but the sum of how long each picture is shown.
  package var hasDelays = false

  /// What is known of a stream without rotation and without frames predicted from later ones.
  public init(
    width: Int, height: Int, frameRate: FrameRate?, codec: String, claimedFrameCount: Int? = nil
  ) {
    (self.width, self.height, self.frameRate) = (width, height, frameRate)
    (self.codec, self.claimedFrameCount) = (codec, claimedFrameCount)
    (claimedDuration, hasBidirectionalFrames) = (nil, false)
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
  /// Frames before the first that rests on no other, which are left out.
  public var undecodable = 0
  /// How often the stream broke, by why; nothing where it did not.
  public var breaks: [StreamBreak: Int] = [:]

  /// The report of a stream of which nothing has been read.
  public init() {}

  /// Holes in the times of a video or in the numbers of picture files.
  public var gaps: Int { breaks[.gap] ?? 0 }

  /// Packets and pictures that are missing, or of which some had to be made up.
  public var errors: Int { damagedPackets + concealedFrames + undecodable }

  /// Whether every frame came, whole and in order.
  public var isClean: Bool {
    damagedPackets == 0 && concealedFrames == 0 && undecodable == 0 && !truncated
      && sizeChanges == 0 && gaps == 0
  }
}

extension StreamReport {
  /// What was odd about a stream that was read; that it breaks off is the caller's to tell, and
  /// with it the packet in which it does.
  package var warnings: [String] {
    var warnings: [String] = []
    if damagedPackets > (truncated ? 1 : 0) {
      let what = damagedPackets == 1 ? "picture or packet" : "pictures or packets"
      let reason = firstDamage.map { ": \($0)" } ?? ""
      warnings.append("\(damagedPackets) \(what) cannot be read\(reason)")
    }
    if undecodable > 0 {
      warnings.append(
        "the video begins between key frames: \(undecodable) frames that cannot be decoded are "
          + "left out")
    }
    if concealedFrames > 0 {
      warnings.append(
        "\(concealedFrames) of \(decoded) frames are damaged, and in part made up by the decoder")
    }
    return warnings
  }
}
