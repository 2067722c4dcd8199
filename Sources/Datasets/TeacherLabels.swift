// SPDX-License-Identifier: Apache-2.0

internal import Flow
internal import Outputs
internal import Synchronization
public import Video

/// A clip labelled by a teacher, a heavy network say, when its labels are asked for.
///
/// What the heavy network says of a frame is the target that schedulers and light networks are
/// trained on where no human has labelled anything (DVSNet, Xu et al., CVPR 2018; LLVSS, Li et al.,
/// CVPR 2018).
public struct TeacherLabels: LabelledClip {
  /// The clip's name, with `, taught` behind it.
  public let name: String
  /// What the ids of the teacher's labels stand for.
  public let classes: ClassList
  private let clip: any LabelledClip
  private let cache: String?
  private let labeller: @Sendable (Image) throws -> Image
  private let remembered = Remembered()

  /// The frames of `clip`, with what `labeller` makes of their pixels as labels: one class id a
  /// pixel, scaled to the frame where they are of another size.
  ///
  /// A map is made once and remembered, up to 256 MiB of them. In the folder `cache`, which is made
  /// if need be, each map is kept as a PNG under the frame's number and a hash of its pixels, whole
  /// or not at all. A folder belongs to one teacher: who labels is not told by the names.
  public init(
    of clip: some LabelledClip, classes: ClassList, cache: String? = nil,
    labeller: @escaping @Sendable (Image) throws -> Image
  ) throws(DatasetError) {
    (name, self.classes, self.clip) = ("\(clip.name), taught", classes, clip)
    (self.cache, self.labeller) = (cache, labeller)
    guard let cache else { return }
    do throws(OutputError) { try makeFolder(cache) } catch {
      throw DatasetError(
        error.isRefused ? .unwritable : .writeFailed,
        "\(cache) is no folder and cannot be made one: \(error.message)")
    }
  }

  /// The number of frames of the clip.
  public var count: Int { clip.count }

  /// Whether the pictures are read from somewhere.
  public var isStored: Bool { clip.isStored }
  /// What was odd about the clip.
  public var warnings: [String] { clip.warnings }
  /// The files of the clip.
  public var files: [String] { clip.files }
  /// The exact motion of the clip; nil where nobody knows it.
  public var groundTruthMotion: (any MotionProvider)? { clip.groundTruthMotion }

  /// What it took to decode the clip's frame.
  public func decodingTime(at index: Int) -> Duration? { clip.decodingTime(at: index) }

  /// The clip's frame as it is; the teacher is not asked.
  public func frame(at index: Int) throws -> Frame { try clip.frame(at: index) }

  /// What the teacher says of a frame, from memory or the cache where it was asked before.
  public func labels(at index: Int) throws -> Image? { try sample(at: index).labels }

  /// The clip's frame and what the teacher says of it.
  public func sample(at index: Int) throws -> LabelledSample {
    let frame = try clip.frame(at: index)
    guard let cache else {
      let labels = try remembered.labels(at: index) { try taught(frame) }
      return try LabelledSample(frame: frame, labels: labels)
    }
    let path = "\(cache)/\(index)-\(Self.fingerprint(of: frame.pixels)).png"
    // One that is damaged or of another kind is made again.
    if let kept = try? Image.labels(contentsOf: path), kept.size == frame.pixels.size,
      (try? checked(kept)) != nil
    {
      return try LabelledSample(frame: frame, labels: kept)
    }
    let labels = try taught(frame)
    try labels.writePNG(to: path, palette: classes.palette)
    return try LabelledSample(frame: frame, labels: labels)
  }

  private func taught(_ frame: Frame) throws -> Image {
    let labels = try labeller(frame.pixels)
    guard labels.channels == 1 else {
      throw DatasetError(.malformed, "\(name): the teacher gave \(labels.channels) channels")
    }
    return try checked(labels).scaledLabels(to: frame.pixels.size)
  }

  private func checked(_ labels: Image) throws(DatasetError) -> Image {
    try LabelCoding.ids(classes).coded(labels, from: "\(name): the teacher")
  }

  /// A number that other pixels or another size would hardly give, in sixteen digits.
  private static func fingerprint(of image: Image) -> String {
    var hash = splitMix64(UInt64(image.width) << 32 | UInt64(image.height))
    image.withUnsafeBytes { bytes in
      for start in stride(from: 0, to: bytes.count, by: 8) {
        var word: UInt64 = 0
        for byte in bytes[start..<min(start + 8, bytes.count)] { word = word << 8 | UInt64(byte) }
        hash = splitMix64(hash ^ word)
      }
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// Maps by the number of their frame, as many as there is room for.
private final class Remembered: Sendable {
  private let kept = Mutex<(maps: [Int: Image], room: Int)>(([:], 256 << 20))

  /// Two threads that ask for the same map at once both make it; both are the same.
  func labels(at index: Int, or make: () throws -> Image) throws -> Image {
    if let known = kept.withLock({ $0.maps[index] }) { return known }
    let made = try make()
    let size = made.width * made.height
    kept.withLock { kept in
      guard kept.maps[index] == nil, kept.room >= size else { return }
      kept.room -= size
      kept.maps[index] = made
    }
    return made
  }
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
private func splitMix64(_ value: UInt64) -> UInt64 {
  var mixed = value &+ 0x9E37_79B9_7F4A_7C15
  mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
  mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
  return mixed ^ (mixed >> 31)
}
