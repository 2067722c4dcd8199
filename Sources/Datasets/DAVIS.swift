// SPDX-License-Identifier: Apache-2.0

public import Video

/// DAVIS 2016 (Perazzi et al., CVPR 2016): short videos in which one thing moves, with a mask of it
/// on every frame.
///
/// `JPEGImages/480p/SEQUENCE/00000.jpg` and `Annotations/480p/SEQUENCE/00000.png`; a mask is 0
/// where there is background. DAVIS 2017 is read too, its things taken together.
public struct DAVIS: LabelledClip {
  /// `davis`, and the sequences where some were named.
  public let name: String
  /// Background, 0, and object, 1; there is no void.
  public let classes = ClassList(name: "davis2", names: ["background", "object"], void: nil)
  private let frames: StoredFrames

  /// The frames of some sequences of the folder `root`, of all where nil; the first `limit` of
  /// them.
  ///
  /// - Precondition: `limit` is not negative.
  /// - Throws: `DatasetError` naming the sequences there are, where one is missing.
  public init(
    root: String, sequences: [String]? = nil, resolution: String = "480p", limit: Int? = nil
  ) throws(DatasetError) {
    precondition((limit ?? 0) >= 0, "the first \(limit ?? 0) frames cannot be taken")
    let images = DataFolder(root)("JPEGImages")(resolution)
    let masks = DataFolder(root)("Annotations")(resolution)
    let known = images.folders
    guard !known.isEmpty else {
      throw DatasetError(.missing, "no sequences in \(images.path)")
    }
    var items: [StoredFrames.Item] = []
    for sequence in sequences ?? known {
      guard known.contains(sequence) else {
        throw DatasetError(
          .missing,
          "no '\(sequence)' in \(images.path); there are \(known.joined(separator: ", "))")
      }
      let found = Self.items(of: sequence, in: images(sequence), masks: masks(sequence))
      guard !found.isEmpty else {
        throw DatasetError(.missing, "no pictures in \(images(sequence).path)")
      }
      items += found
    }
    name = "davis" + (sequences.map { "/" + $0.joined(separator: "+") } ?? "")
    frames = StoredFrames(items: Array(items.prefix(limit ?? items.count)))
  }

  /// Whatever is not background is the object.
  private static let mask = LabelCoding.table([0] + [UInt8?](repeating: 1, count: 255))

  private static func items(
    of sequence: String, in images: DataFolder, masks: DataFolder
  ) -> [StoredFrames.Item] {
    let masks = masks.picturesByStem
    return images.pictures.enumerated().map { place, file in
      let stem = DataFolder.stem(of: file)
      return StoredFrames.Item(
        name: "\(sequence)_\(stem)", picture: "\(images.path)/\(file)",
        labels: masks[stem].map { LabelFile(path: $0, coding: mask) },
        time: Double(place) / 24)
    }
  }

  /// How many frames there are, with a mask or not.
  public var count: Int { frames.items.count }
  /// Its pictures and labels.
  public var files: [String] { frames.files }

  /// How many of the frames have a mask.
  public var labelledCount: Int { frames.labelledCount }

  /// The picture at a position from 0, read from its file.
  public func frame(at index: Int) throws -> Frame { try frames.frame(at: index) }

  /// The mask of a picture, 0 or 1; nil where it has none.
  public func labels(at index: Int) throws -> Image? { try frames.labels(at: index) }
}
