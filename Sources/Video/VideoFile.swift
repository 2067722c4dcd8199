// SPDX-License-Identifier: Apache-2.0

internal import CFFmpeg
internal import Outputs

/// The frames of a video file, through FFmpeg's demuxers and decoders.
///
/// Broken packets are concealed by the decoder as well as it can, counted, and marked by
/// `streamBreak` on the frame concerned and on the one after it; frames before the first that rests
/// on no other are left out and counted. Pictures are cropped and turned upright as the container
/// says. The colours are converted by the matrix and range the stream states; without a statement,
/// by BT.709 from 720 rows on, else BT.601.
public final class VideoFile: FrameSource {
  /// What the container and the decoder say of the stream.
  public let info: StreamInfo
  /// How reading has gone so far.
  public private(set) var report = StreamReport()

  private let path: String
  private let options: VideoOptions
  private let reader: Reader
  private var clock: BreakDetector
  private var lastSize: (width: Int, height: Int)
  private var lastWasConcealed = false
  private var hasEnded = false

  /// Opens a video file; it throws where that is missing, no video, or refused by the options.
  public convenience init(
    _ path: String, options: VideoOptions = VideoOptions()
  ) throws(VideoError) {
    try Self.checkFile(path)
    try self.init(ReaderInput(file: path), name: path, options: options)
  }

  /// Opens what is live; `watch` says how long it is waited for.
  convenience init(
    _ address: LiveAddress, raw: RawVideo?, options: VideoOptions, watch: LiveWatch
  ) throws(VideoError) {
    try self.init(
      ReaderInput(address, raw: raw, watch: watch), name: address.name, options: options)
  }

  private init(_ input: ReaderInput, name: String, options: VideoOptions) throws(VideoError) {
    reader = try Reader(input, name: name, options: options)
    info = StreamInfo(cff_reader_info(reader.handle))
    clock = BreakDetector(
      usually: info.frameRate.map { 1 / $0.framesPerSecond }, restarts: info.timesMayRestart,
      hasDelays: info.hasDelays)
    lastSize = (info.width, info.height)
    report.claimed = info.claimedFrameCount
    (path, self.options) = (name, options)
  }

  private static func checkFile(_ path: String) throws(VideoError) {
    switch try FileKind(of: path) {
    case .missing: throw VideoError(.missingFile, at: path, "there is no such file")
    case .folder: throw VideoError(.unreadable, at: path, "a folder, not a video file")
    case .other: throw VideoError(.unreadable, at: path, "not a regular file")
    case .regular: try checkNotEmpty(path)
    }
  }

  /// The next frame in order of presentation; nil at the end, an error where damage is not
  /// concealed.
  public func next() throws(VideoError) -> Frame? {
    guard !hasEnded else { return nil }
    do throws(VideoError) {
      return try decodeNext()
    } catch {
      hasEnded = true
      throw error
    }
  }

  private func decodeNext() throws(VideoError) -> Frame? {
    var decoded = cff_frame_info()
    guard !Faults.fails(at: .decode) else {
      throw VideoError(.outOfMemory, at: path, "decoding: out of memory")
    }
    let code = try checked(path) { cff_reader_next(reader.handle, &decoded, &$0) }
    let counts = cff_reader_counts(reader.handle)
    report.damagedPackets = Int(counts.damaged_packets)
    report.undecodable = Int(counts.undecodable)
    guard code == cff_ok else {
      try finish(counts)
      return nil
    }
    return try frame(decoded)
  }

  private func frame(_ decoded: cff_frame_info) throws(VideoError) -> Frame {
    try refuseDamage(decoded)
    let changesSize = try noteSize(Int(decoded.width), Int(decoded.height))
    let step = clock.next(
      time: decoded.time.isFinite ? decoded.time : nil,
      length: decoded.duration.isFinite ? decoded.duration : nil)
    let pixels = try pixels()
    let isDamaged = lastWasConcealed || decoded.concealed || decoded.follows_loss
    let kind = StreamBreak.chief(
      step.streamBreak, changesSize ? .size : nil,
      isDamaged && (report.decoded > 0 || decoded.concealed) ? .damage : nil)
    lastWasConcealed = decoded.concealed
    report.concealedFrames += decoded.concealed ? 1 : 0
    report.repairedTimes = clock.repairs
    if let kind { report.breaks[kind, default: 0] += 1 }
    defer { report.decoded += 1 }
    return Frame(
      index: report.decoded, time: step.time, pixels: pixels,
      pictureType: PictureType(rawValue: Character(decoded.picture_type)),
      motionVectors: motionVectors(), streamBreak: kind, duration: step.duration)
  }

  private func refuseDamage(_ decoded: cff_frame_info) throws(VideoError) {
    guard options.onDamage == .fail, decoded.concealed || decoded.follows_loss else { return }
    throw VideoError(.damagedData, at: path, "damaged data before or in frame \(report.decoded)")
  }

  private func noteSize(_ width: Int, _ height: Int) throws(VideoError) -> Bool {
    guard (width, height) != lastSize else { return false }
    if options.onSizeChange == .fail {
      throw VideoError(
        .sizeChanged, at: path,
        "frame \(report.decoded) has \(width)×\(height) pixels after \(lastSize.width)×"
          + "\(lastSize.height)")
    }
    lastSize = (width, height)
    report.sizeChanges += 1
    return true
  }

  private func pixels() throws(VideoError) -> Image {
    let (width, height) = (info.width, info.height)
    return try Image(width: width, height: height, channels: 3) { bytes throws(VideoError) in
      _ = try checked(path) {
        cff_reader_copy_bgr(
          reader.handle, Int32(width), Int32(height), bytes.baseAddress, &$0)
      }
    }
  }

  private func motionVectors() -> [MotionVector]? {
    guard options.motionVectors else { return nil }
    var count = 0
    let start = cff_reader_motion_vectors(
      reader.handle, Int32(info.width), Int32(info.height), &count)
    guard let start else { return [] }
    return UnsafeBufferPointer(start: start, count: count).map(MotionVector.init)
  }

  private func finish(_ counts: cff_stream_counts) throws(VideoError) {
    hasEnded = true
    report.truncated =
      counts.read_failed
      || report.claimed.map { counts.packets < $0 }
        ?? clock.endsBefore(info.claimedDuration)
    if report.decoded == 0 {
      let reason = report.undecodable > 0 ? ": none is a key frame" : ""
      throw VideoError(.damagedData, at: path, "not a single frame could be decoded\(reason)")
    }
    if options.onDamage == .fail && (report.truncated || report.damagedPackets > 0) {
      throw VideoError(
        .damagedData, at: path, "the video ended early, after \(report.decoded) frames")
    }
  }
}

/// FFmpeg's reader with its one owner.
private final class Reader {
  let handle: OpaquePointer
  /// What it reads from, as long as it is open.
  private let input: ReaderInput

  init(_ input: ReaderInput, name: String, options: VideoOptions) throws(VideoError) {
    self.input = input
    var settings = cff_reader_options()
    settings.max_pixels = Int64(options.limits.pixels)
    settings.threads = Int32(clamping: max(options.threads, 0))
    settings.motion_vectors = options.motionVectors
    var opened: OpaquePointer?
    _ = try checked(name) { failure in
      input.with { described in
        settings.input = described
        return cff_reader_open(input.path, &settings, &opened, &failure)
      }
    }
    guard let opened else { throw VideoError(.unknown, at: name, "the reader would not open") }
    handle = opened
  }

  deinit { cff_reader_close(handle) }
}

extension StreamInfo {
  fileprivate init(_ info: cff_stream_info) {
    let rate =
      info.rate_numerator > 0
      ? FrameRate(Int(info.rate_numerator), per: Int(info.rate_denominator)) : nil
    let codec = withUnsafeBytes(of: info.codec) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    self.init(
      width: Int(info.width), height: Int(info.height), frameRate: rate, codec: codec,
      claimedFrameCount: info.claimed_frames > 0 ? Int(info.claimed_frames) : nil)
    claimedDuration = info.claimed_seconds >= 0 ? info.claimed_seconds : nil
    hasBidirectionalFrames = info.has_b_frames
    let degrees = [0, 0, 0, 180, 180, 90, 90, 270, 270]
    rotation = degrees.indices.contains(Int(info.orientation)) ? degrees[Int(info.orientation)] : 0
    if info.aspect_numerator > 0, info.aspect_denominator > 0,
      info.aspect_numerator != info.aspect_denominator
    {
      pixelAspect = PixelAspect(Int(info.aspect_numerator), Int(info.aspect_denominator))
    }
    (timesMayRestart, hasDelays) = (info.may_restart, info.has_delays)
  }
}

extension PictureType {
  fileprivate init(rawValue letter: Character) {
    self = PictureType(rawValue: String(letter)) ?? .unknown
  }
}

extension Character {
  fileprivate init(_ letter: CChar) { self.init(Unicode.Scalar(UInt8(bitPattern: letter))) }
}

extension MotionVector {
  fileprivate init(_ vector: cff_motion_vector) {
    self.init(
      source: vector.source, width: vector.width, height: vector.height,
      sourceX: vector.source_x, sourceY: vector.source_y, x: vector.x, y: vector.y,
      motionX: vector.motion_x, motionY: vector.motion_y, scale: vector.scale)
  }
}
