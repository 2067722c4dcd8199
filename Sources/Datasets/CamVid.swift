// SPDX-License-Identifier: Apache-2.0

public import Video

/// CamVid as it is usually downloaded: folders `train`, `val` and perhaps `test` with PNG, WebP or
/// JPEG pictures, and labels beside them.
///
/// Brostow, Fauqueur and Cipolla, 2009. Ids 0…10 are the classes, 11 is void. Labels are either
/// SegNet's, 8-bit PNG of the same name in `trainannot`; or coloured ones of all 32 classes,
/// `…_L.png` in `train_labels`, merged into the eleven as SegNet does (`class_dict.csv` beside them
/// states the colours). Pictures are named `SEQUENCE_FRAME` and were filmed at 30 Hz: a frame's
/// time is told by its name; a new sequence, or a hole in the numbers, breaks the stream.
public struct CamVid: LabelledClip {
  /// `camvid/` and the split.
  public let name: String
  /// CamVid's eleven classes; 11 is void.
  public let classes = ClassList.camVid
  private let frames: StoredFrames

  /// The frames of a split, `train`, `val` or `test`, of the folder `root`; the first `limit` of
  /// them.
  ///
  /// - Precondition: `limit` is not negative.
  /// - Throws: `DatasetError` naming the splits there are, where this one has no pictures.
  public init(root: String, split: String, limit: Int? = nil) throws(DatasetError) {
    precondition((limit ?? 0) >= 0, "the first \(limit ?? 0) frames cannot be taken")
    name = "camvid/\(split)"
    let folder = DataFolder(root)
    let pictures = try Self.pictures(in: folder, split: split)
    let labels = try Self.labels(in: folder, split: split)
    var items: [StoredFrames.Item] = []
    for file in pictures.prefix(limit ?? pictures.count) {
      let stem = DataFolder.stem(of: file)
      let number = Self.number(of: stem)
      items.append(
        StoredFrames.Item(
          name: stem, picture: "\(folder(split).path)/\(file)", labels: labels[stem],
          time: number.map { Double($0) / 30 } ?? Double(items.count)))
    }
    frames = StoredFrames(items: items)
  }

  /// How many frames there are, labelled or not.
  public var count: Int { frames.items.count }
  /// Its pictures and labels.
  public var files: [String] { frames.files }

  /// How many of the frames have labels.
  public var labelledCount: Int { frames.labelledCount }

  /// The picture at a position from 0, read from its file.
  public func frame(at index: Int) throws -> Frame { try frames.frame(at: index) }

  /// The label map of a picture, ids 0 to 11; nil where it has none.
  public func labels(at index: Int) throws -> Image? { try frames.labels(at: index) }

  private static func pictures(
    in root: DataFolder, split: String
  ) throws(DatasetError) -> [String] {
    let pictures = root(split).pictures
    guard pictures.isEmpty else { return pictures.sorted() }
    let there = ["train", "val", "test"].filter { root($0).exists }
    throw DatasetError(
      .missing,
      "no pictures in \(root.path)/\(split); "
        + (there.isEmpty
          ? "CamVid is train, trainannot, val, valannot, … in one folder"
          : "there are \(there.joined(separator: ", "))"))
  }

  /// The labels of each picture, by its name.
  private static func labels(
    in root: DataFolder, split: String
  ) throws(DatasetError) -> [String: LabelFile] {
    let coloured = root("\(split)_labels")
    guard !root("\(split)annot").exists && coloured.exists else {
      return root("\(split)annot").picturesByStem
        .mapValues { LabelFile(path: $0, coding: .ids(.camVid)) }
    }
    let colours = try CamVidColours(in: root)
    let files = coloured.picturesByStem.map { stem, path in
      let name = stem.hasSuffix("_L") ? String(stem.dropLast(2)) : stem
      return (name, LabelFile(path: path, coding: colours.coding))
    }
    return Dictionary(files) { first, _ in first }
  }

  /// `0016E5_07959` is frame 7959 of sequence 0016E5; `0006R0_f00930` likewise.
  private static func number(of stem: String) -> Int? {
    guard let cut = stem.lastIndex(of: "_") else { return nil }
    return Int(stem[stem.index(after: cut)...].drop { !$0.isNumber })
  }
}
