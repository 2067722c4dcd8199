// SPDX-License-Identifier: Apache-2.0

internal import CFFmpeg
internal import Outputs

/// Writes frames as an H.264 video in an MP4 file that plays while it loads.
///
/// There are as many frames as were added. They follow each other at a constant and exact rate or,
/// with `Options.isTimed`, at times of their own. Colours are BT.709 from 720 rows on, BT.601
/// below, of limited range and tagged so. H.264 in 4:2:0 has even sizes only, so an odd width or
/// height grows by one, the last column or row being repeated. The file appears under its name with
/// `finish()`; a writer that is let go before leaves nothing behind.
public final class VideoWriter {
  /// How frames are encoded.
  public struct Options: Sendable, Hashable {
    /// x264's constant rate factor: 0 is lossless but for the colours, 23 usual, 51 worst.
    public var rateFactor = 20
    /// x264's preset, from `ultrafast` to `veryslow`.
    public var preset = "veryfast"
    /// Threads of the encoder; 0 for as many as it likes.
    public var threads = 0
    /// Frames from one key frame to the next at most; nil for x264's choice.
    public var keyInterval: Int?
    /// Consecutive bidirectional frames at most; nil for x264's choice.
    public var bidirectionalFrames: Int?
    /// Whether frames come with times of their own; there are no bidirectional ones then.
    public var isTimed = false
    /// The width of a pixel over its height.
    public var pixelAspect = PixelAspect.square

    /// Options that suit most videos: rate factor 20, preset `veryfast`.
    public init() {}
  }

  /// The size every frame has to have.
  public let width: Int, height: Int
  /// The file that `finish()` makes appear.
  public let path: String
  /// Frames added so far.
  public private(set) var frameCount = 0

  private let rate: FrameRate
  /// Units of time in a second, and the time of the last frame and its end in them; nil before
  /// there was one.
  private let unitsPerSecond: Int?
  private var last: (time: Int64, end: Int64)?
  /// The time that is stated of the first frame, with which the video begins.
  private var origin: Int64?

  private var file: PendingFile?
  private var handle: OpaquePointer?

  /// Begins a video; it appears at `path` when it is finished.
  ///
  /// - Throws: `unwritable` or `diskFull` where the file cannot be made, `tooLarge` past `limits`.
  public init(
    to path: String, width: Int, height: Int, rate: FrameRate, options: Options = Options(),
    limits: PixelLimits = .standard
  ) throws(VideoError) {
    precondition(width > 0 && height > 0, "no video of \(width)×\(height)")
    guard width <= limits.pixels / height else {
      throw VideoError(.tooLarge, at: path, "\(width)×\(height) is more than the limit of pixels")
    }
    (self.path, self.width, self.height, self.rate) = (path, width, height, rate)
    unitsPerSecond = options.isTimed ? Self.fineUnits(of: rate) : nil
    let pending = try writing { () throws(OutputError) in try PendingFile(for: path) }
    let temporaryPath = pending.temporaryPath
    let container = Self.container(for: path) ?? "mp4"
    file = consume pending
    var settings = Self.settings(width, height, rate, options)
    var opened: OpaquePointer?
    _ = try checked(path) { failure in
      options.preset.withCString { preset in
        settings.preset = preset
        return container.withCString { container in
          settings.container = container
          return cff_writer_open(temporaryPath, &settings, &opened, &failure)
        }
      }
    }
    handle = opened
  }

  /// The muxer that a file's name asks for; nil for one of which nothing is known, which gets MP4.
  ///
  /// A name without an extension, such as that of a pipe, asks for MP4.
  package static func container(for path: String) -> String? {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: ".") else { return "mp4" }
    let known = ["mp4": "mp4", "m4v": "mp4", "mov": "mov", "mkv": "matroska"]
    return known[name[name.index(after: dot)...].lowercased()]
  }

  /// What to say of another name.
  package static let containerSentence =
    "videos are written as MP4, MOV or Matroska: name it .mp4, .mov or .mkv"

  private static func settings(
    _ width: Int, _ height: Int, _ rate: FrameRate, _ options: Options
  ) -> cff_writer_options {
    var settings = cff_writer_options()
    (settings.width, settings.height) = (Int32(width), Int32(height))
    (settings.rate_numerator, settings.rate_denominator) = (
      Int32(rate.numerator), Int32(rate.denominator)
    )
    (settings.unit_numerator, settings.unit_denominator) =
      options.isTimed
      ? (1, Int32(fineUnits(of: rate))) : (settings.rate_denominator, settings.rate_numerator)
    (settings.aspect_numerator, settings.aspect_denominator) = (
      Int32(options.pixelAspect.width), Int32(options.pixelAspect.height)
    )
    settings.crf = Int32(min(max(options.rateFactor, 0), 51))
    settings.threads = Int32(clamping: max(options.threads, 0))
    settings.key_interval = Int32(clamping: options.keyInterval ?? -1)
    settings.b_frames = Int32(clamping: options.isTimed ? 0 : options.bidirectionalFrames ?? -1)
    return settings
  }

  /// A multiple of the rate's own, so that times at that rate are exact.
  private static func fineUnits(of rate: FrameRate) -> Int {
    rate.numerator * max(1, (90_000 + rate.numerator - 1) / rate.numerator)
  }

  /// Encodes one frame: height × width × 3, blue, green, red.
  ///
  /// Of a timed video, `time` says when it is shown, in seconds from any moment on: the video
  /// begins with the first, and `duration` for how long where it is the last; without them it
  /// follows the frame before at the rate. Times that do not increase are put off by as little as
  /// can be told.
  ///
  /// - Precondition: it has the writer's size, and `finish()` has not been called.
  public func add(
    _ image: Image, at time: Double? = nil, lasting duration: Double? = nil
  ) throws(VideoError) {
    precondition(
      (image.width, image.height, image.channels) == (width, height, 3),
      "a frame of \(image.width)×\(image.height)×\(image.channels) in a video of \(width)×\(height)"
    )
    guard let handle else { throw VideoError(.unwritable, at: path, "the video is finished") }
    let (begin, end) = span(at: time, lasting: duration)
    try abandonOnFailure { () throws(VideoError) in
      _ = try image.withUnsafeBytes { (bytes) throws(VideoError) in
        try checked(path) { cff_writer_add(handle, bytes.baseAddress, begin, end - begin, &$0) }
      }
    }
    last = (begin, end)
    frameCount += 1
  }

  /// When a frame begins and ends, in the writer's units.
  private func span(at time: Double?, lasting duration: Double?) -> (Int64, Int64) {
    guard let unitsPerSecond else { return (Int64(frameCount), Int64(frameCount) + 1) }
    func units(_ seconds: Double) -> Int64? {
      guard seconds.isFinite else { return nil }
      return Int64(min(max((seconds * Double(unitsPerSecond)).rounded(), -0x1p50), 0x1p50))
    }
    let frame = Int64(rate.denominator) * Int64(unitsPerSecond / rate.numerator)
    let earliest = last.map { $0.time + 1 }
    let stated = time.flatMap(units)
    if origin == nil { origin = stated ?? 0 }
    let begin = max(stated.map { $0 - (origin ?? 0) } ?? last?.end ?? 0, earliest ?? 0)
    let length = duration.flatMap(units) ?? frame
    return (begin, begin + max(1, length))
  }

  /// Writes what is left, puts the file on the disk and gives it its name.
  public func finish() throws(VideoError) {
    guard let handle, let file = file.take() else {
      throw VideoError(.unwritable, at: path, "the video is finished")
    }
    guard frameCount > 0 else {
      abandon()
      throw VideoError(.unwritable, at: path, "a video without a frame")
    }
    try abandonOnFailure { () throws(VideoError) in
      _ = try checked(path) { cff_writer_finish(handle, &$0) }
    }
    abandon()
    do throws(OutputError) { try file.commit() } catch { throw VideoError(error) }
  }

  private func abandonOnFailure(_ body: () throws(VideoError) -> Void) throws(VideoError) {
    do throws(VideoError) {
      try body()
    } catch {
      abandon()
      throw error
    }
  }

  /// Closes the encoder; the temporary file goes unless it was committed.
  private func abandon() {
    cff_writer_close(handle)
    handle = nil
    file = nil
  }

  deinit { cff_writer_close(handle) }
}
