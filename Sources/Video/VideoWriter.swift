// SPDX-License-Identifier: Apache-2.0

internal import CFFmpeg
internal import Outputs

/// Writes frames as an H.264 video in an MP4 file that plays while it loads.
///
/// The rate is constant and exact, and there are as many frames as were added: frames of a source
/// with varying times follow each other evenly. Colours are BT.709 from 720 rows on, BT.601 below,
/// of limited range and tagged so. H.264 in 4:2:0 has even sizes only, so an odd width or height
/// grows by one, the last column or row being repeated. The file appears under its name with
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

    public init() {}
  }

  /// The size every frame has to have.
  public let width: Int, height: Int
  public let path: String
  /// Frames added so far.
  public private(set) var frameCount = 0

  private var file: PendingFile?
  private var handle: OpaquePointer?

  /// - Throws: `unwritable` or `diskFull` where the file cannot be made, `tooLarge` past `limits`.
  public init(
    to path: String, width: Int, height: Int, rate: FrameRate, options: Options = Options(),
    limits: PixelLimits = .standard
  ) throws(VideoError) {
    precondition(width > 0 && height > 0, "no video of \(width)×\(height)")
    guard width <= limits.pixels / height else {
      throw VideoError(.tooLarge, at: path, "\(width)×\(height) is more than the limit of pixels")
    }
    (self.path, self.width, self.height) = (path, width, height)
    let pending = try writing { () throws(OutputError) in try PendingFile(for: path) }
    let temporaryPath = pending.temporaryPath
    file = consume pending
    var settings = Self.settings(width, height, rate, options)
    var opened: OpaquePointer?
    _ = try checked(path) { failure in
      options.preset.withCString { preset in
        settings.preset = preset
        return cff_writer_open(temporaryPath, &settings, &opened, &failure)
      }
    }
    handle = opened
  }

  private static func settings(
    _ width: Int, _ height: Int, _ rate: FrameRate, _ options: Options
  ) -> cff_writer_options {
    var settings = cff_writer_options()
    (settings.width, settings.height) = (Int32(width), Int32(height))
    settings.rate_numerator = Int32(rate.numerator)
    settings.rate_denominator = Int32(rate.denominator)
    settings.crf = Int32(min(max(options.rateFactor, 0), 51))
    settings.threads = Int32(clamping: max(options.threads, 0))
    settings.key_interval = Int32(clamping: options.keyInterval ?? -1)
    settings.b_frames = Int32(clamping: options.bidirectionalFrames ?? -1)
    return settings
  }

  /// Encodes one frame: height × width × 3, blue, green, red.
  ///
  /// - Precondition: it has the writer's size, and `finish()` has not been called.
  public func add(_ image: Image) throws(VideoError) {
    precondition(
      (image.width, image.height, image.channels) == (width, height, 3),
      "a frame of \(image.width)×\(image.height)×\(image.channels) in a video of \(width)×\(height)"
    )
    guard let handle else { throw VideoError(.unwritable, at: path, "the video is finished") }
    try abandonOnFailure { () throws(VideoError) in
      _ = try image.withUnsafeBytes { (bytes) throws(VideoError) in
        try checked(path) { cff_writer_add(handle, bytes.baseAddress, &$0) }
      }
    }
    frameCount += 1
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
