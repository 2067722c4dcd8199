// SPDX-License-Identifier: Apache-2.0

public import Video

/// The frames of a video file, of a folder of pictures or of a pattern, held in memory: unlabelled.
///
/// A video can only be read from front to back, and a clip is read in any order; so all of it is
/// decoded at once, and refused if it does not fit.
public struct VideoClip: LabelledClip {
  /// The last part of the source's path.
  public let name: String
  /// What labels would stand for.
  public let classes: ClassList
  /// The video, or the pictures.
  public let files: [String]
  /// What was odd while it was decoded.
  public let warnings: [String]
  private let frames: [Frame]
  /// What it took to decode each.
  private let times: [Duration]

  /// Reads every `step`th frame of `source`, up to `limit` of them, scaled to `size` where that is
  /// given.
  ///
  /// `classes` is what labels would stand for, if someone gave some: see `TeacherLabels`.
  ///
  /// - Precondition: `step` is positive; `limit` is not negative.
  /// - Throws: `DatasetError.Code.tooLarge` for frames of more than `room` bytes together;
  ///   `VideoError` where the source cannot be read.
  public init(
    _ source: String, classes: ClassList = .camVid, every step: Int = 1, limit: Int? = nil,
    size: PixelSize? = nil, room: Int = 1 << 30
  ) throws {
    precondition(step > 0 && (limit ?? 0) >= 0, "every \(step)th frame, \(limit ?? 0) of them")
    name = source.split(separator: "/").last.map(String.init) ?? source
    self.classes = classes
    let reader = try VideoSource.open(source)
    files = (reader as? ImageFiles)?.paths ?? [source]
    var (frames, passed, bytes) = ([Frame](), 0, 0)
    var (pending, times, begin) = (StreamBreak?.none, [Duration](), ContinuousClock.now)
    while frames.count < limit ?? .max, let frame = try reader.next() {
      pending = pending ?? frame.streamBreak
      defer { passed += 1 }
      guard passed % step == 0 else { continue }
      let pixels = try Self.scaled(frame.pixels, to: size)
      times.append(ContinuousClock.now - begin)
      bytes += pixels.width * pixels.height * pixels.channels
      guard bytes <= room else {
        throw DatasetError(
          .tooLarge,
          "\(source): \(frames.count + 1) frames of \(pixels.size) take more than "
            + "\(room >> 20) MiB; take fewer of them, or smaller ones")
      }
      frames.append(
        Frame(
          index: frames.count, time: frame.time, pixels: pixels,
          streamBreak: frames.isEmpty ? nil : pending, duration: frame.duration, name: frame.name))
      (pending, begin) = (nil, .now)
    }
    (self.frames, self.times) = (frames, times)
    warnings = reader.report.warnings
  }

  private static func scaled(_ image: Image, to size: PixelSize?) throws -> Image {
    guard let size, size != image.size else { return image }
    return try image.resized(width: size.width, height: size.height)
  }

  /// False: the frames are in memory.
  public let isStored = false

  /// How many frames were read.
  public var count: Int { frames.count }

  /// What it took to decode the frame, those that were passed over before it included.
  public func decodingTime(at index: Int) -> Duration? { times[index] }

  /// A frame in memory; it traps beyond the last.
  public func frame(at index: Int) -> Frame { frames[index] }

  /// Nil: nobody labelled the frames.
  public func labels(at _: Int) -> Image? { nil }
}
