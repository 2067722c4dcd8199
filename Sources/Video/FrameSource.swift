// SPDX-License-Identifier: Apache-2.0

/// A stream of frames that is read once, from front to back.
///
/// Every frame has the size that `info` states, and times never decrease. A source may be moved to
/// another thread but not shared: it is a class, so that it has one owner's position, and it is not
/// `Sendable`.
///
/// To keep: `next()` goes on returning nil after the end; what an error interrupts has ended; the
/// frames are numbered from 0 without holes; `report.decoded` is the number of frames handed out.
public protocol FrameSource: AnyObject {
  /// What the stream says of itself.
  var info: StreamInfo { get }
  /// How reading has gone so far.
  var report: StreamReport { get }
  /// The next frame in order of presentation; nil at the end.
  func next() throws(VideoError) -> Frame?
}

/// How a source is read.
public struct VideoOptions: Sendable, Hashable {
  /// What to do with a frame whose size differs from the first one's.
  public enum SizeChange: Sendable, Hashable { case resize, fail }
  /// What to do about broken packets and pictures.
  public enum Damage: Sendable, Hashable { case conceal, fail }

  /// Whether frames carry the codec's motion vectors.
  public var motionVectors = false
  /// Threads of the decoder, on which the frames do not depend; 0 for as many as there are cores.
  public var threads = 1
  /// How large a picture or a file may be before it is refused.
  public var limits = PixelLimits.standard
  /// What to do with a frame of another size: resize it to the first one's, or fail.
  public var onSizeChange = SizeChange.resize
  /// What to do about damage: conceal and count it, or fail.
  public var onDamage = Damage.conceal
  /// The rate at which picture files follow each other.
  public var imageRate = FrameRate(25)

  /// Options that conceal damage and resize frames of another size, within the standard limits.
  public init(motionVectors: Bool = false, threads: Int = 1) {
    (self.motionVectors, self.threads) = (motionVectors, threads)
  }
}

/// Opens whatever frames come from.
public enum VideoSource {
  /// Opens a video file, a folder of pictures, a pattern such as `clip/*.png`, or one picture.
  ///
  /// Pictures follow each other in natural order: `img2` before `img10`. Hidden files and files
  /// that are not pictures are left out.
  public static func open(
    _ source: String, options: VideoOptions = VideoOptions()
  ) throws(VideoError) -> any FrameSource {
    switch try FileKind(of: source) {
    case .folder:
      return try ImageFiles(in: source, options: options)
    case .regular where try isStill(source):
      return try ImageFiles([source], of: source, options: options)
    case .regular:
      return try VideoFile(source, options: options)
    case .other:
      throw VideoError(.unreadable, at: source, "neither a file nor a folder")
    case .missing where source.contains { "*?[".contains($0) }:
      return try ImageFiles(matching: source, options: options)
    case .missing where hasScheme(source):
      throw VideoError(.refusedFormat, at: source, "addresses are not read, only files are")
    case .missing:
      throw VideoError(.missingFile, at: source, "there is no such file or folder")
    }
  }

  /// Whether a file is a picture: by its first bytes, and by its name where these say nothing.
  ///
  /// Raw JPEG after JPEG begins as one JPEG does; there the name tells.
  private static func isStill(_ path: String) throws(VideoError) -> Bool {
    let begin = try firstBytes(of: path, count: 12)
    let isNamedSo = ImageFiles.isPicture(path)
    if begin.starts(with: [0xFF, 0xD8, 0xFF]) { return isNamedSo || !hasVideoName(path) }
    let stills: [[UInt8]] = [
      [0x89, 0x50, 0x4E, 0x47], Array("II*\0".utf8), Array("MM\0*".utf8),
    ]
    if stills.contains(where: begin.starts(with:)) { return true }
    if begin.starts(with: Array("RIFF".utf8)), begin.count == 12 {
      return begin[8...].elementsEqual("WEBP".utf8)
    }
    let videos: [[UInt8]] = [[0x1A, 0x45, 0xDF, 0xA3], Array("GIF8".utf8), [0, 0, 1, 0xBA]]
    let isBox = begin.count > 8 && begin[4..<8].elementsEqual("ftyp".utf8)
    return isNamedSo && !isBox && !videos.contains(where: begin.starts(with:))
  }

  private static func hasVideoName(_ path: String) -> Bool {
    ["mjpg", "mjpeg", "avi"].contains { path.lowercased().hasSuffix(".\($0)") }
  }

  /// Whether `source` begins like `http:` or `concat:`.
  private static func hasScheme(_ source: String) -> Bool {
    guard let colon = source.firstIndex(of: ":"), source.first?.isLetter == true else {
      return false
    }
    return source[..<colon].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
  }
}
