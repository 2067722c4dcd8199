// SPDX-License-Identifier: Apache-2.0

public import Video

/// Cityscapes (Cordts et al., CVPR 2016), with its 19 training classes, or merged into CamVid's.
///
/// As downloaded: `leftImg8bit/SPLIT/CITY/…_leftImg8bit.png`, or `leftImg8bit_sequence`, and
/// `gtFine/SPLIT/CITY/…_gtFine_labelIds.png` or `…_labelTrainIds.png`. Or, without splits,
/// `images/FOLDER` and `labels/FOLDER` with ids from 0 to 33 under the pictures' names. Frames were
/// filmed at 17 Hz and are named `CITY_SEQUENCE_FRAME`; each sequence begins anew.
public struct Cityscapes: LabelledClip {
  /// `cityscapes/` and the split; `cityscapes` where there are no splits.
  public let name: String
  /// Cityscapes' own classes or CamVid's; the void is that of the list.
  public var classes: ClassList { labelling.classes }
  private let labelling: Labelling
  private let frames: StoredFrames

  /// The classes in which its labels are read.
  public enum Labelling: String, CaseIterable, Sendable {
    /// The nineteen training classes; 255 is void.
    case cityscapes
    /// CamVid's eleven, by which networks trained on CamVid are measured; 11 is void.
    ///
    /// What CamVid has no class for is merged as SegNet merges CamVid's 32: walls are buildings,
    /// traffic lights signs, terrain is trees, trucks, buses and trains are cars, riders,
    /// motorcycles and bicycles bicyclists.
    case camvid

    /// The list that label ids stand for.
    public var classes: ClassList { self == .camvid ? .camVid : .cityscapes }

    /// The id of each training id.
    fileprivate var merged: [UInt8] {
      switch self {
      case .cityscapes: Array(0..<19)
      case .camvid: [3, 4, 1, 1, 7, 2, 6, 6, 5, 5, 0, 9, 10, 8, 8, 8, 8, 10, 10]
      }
    }

    fileprivate var void: UInt8 { classes.void ?? 255 }

    /// What each training id, or void, stands for.
    fileprivate var trainIDs: LabelCoding {
      var table = [UInt8?](repeating: nil, count: 256)
      for (id, merged) in merged.enumerated() { table[id] = merged }
      table[255] = void
      return .table(table)
    }

    /// What each id from 0 to 33 stands for; what is not trained on is void.
    fileprivate var labelIDs: LabelCoding {
      let trained = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
      var table = [UInt8?](repeating: void, count: 34) + [UInt8?](repeating: nil, count: 222)
      for (label, merged) in zip(trained, merged) { table[label] = merged }
      table[255] = void  // number plates, which are −1
      return .table(table)
    }
  }

  /// The frames of a split of the folder `root`, or of all that is in it where it has no splits;
  /// the first `limit` of them.
  ///
  /// - Precondition: `limit` is not negative.
  /// - Throws: `DatasetError` naming the splits there are, where this one has no pictures.
  public init(
    root: String, split: String = "val", limit: Int? = nil, labelling: Labelling = .cityscapes
  ) throws(DatasetError) {
    self.labelling = labelling
    precondition((limit ?? 0) >= 0, "the first \(limit ?? 0) frames cannot be taken")
    let root = DataFolder(root)
    let isPlain = root("images").exists
    let images = try isPlain ? root("images") : Self.images(in: root, split: split)
    let truths = isPlain ? root("labels") : root("gtFine")(split)
    var items: [StoredFrames.Item] = []
    for folder in images.folders where items.count < limit ?? .max {
      let labels = truths(folder).picturesByStem
      for file in images(folder).pictures {
        items.append(Self.item(file, in: images(folder), labels: labels, as: labelling))
      }
    }
    guard !items.isEmpty else { throw DatasetError(.missing, "no pictures in \(images.path)") }
    name = isPlain ? "cityscapes" : "cityscapes/\(split)"
    frames = StoredFrames(items: Array(items.prefix(limit ?? items.count)))
  }

  private static func images(
    in root: DataFolder, split: String
  ) throws(DatasetError) -> DataFolder {
    let kinds = ["leftImg8bit", "leftImg8bit_sequence"].map { root($0) }.filter(\.exists)
    if let found = kinds.map({ $0(split) }).first(where: \.exists) { return found }
    let there = Set(kinds.flatMap(\.folders)).sorted()
    throw DatasetError(
      .missing,
      "no pictures in \(root.path)/leftImg8bit/\(split); "
        + (there.isEmpty ? "no split is there" : "there are \(there.joined(separator: ", "))"))
  }

  private static func item(
    _ file: String, in folder: DataFolder, labels: [String: String], as labelling: Labelling
  ) -> StoredFrames.Item {
    let stem = DataFolder.stem(of: file)
    let suffix = "_leftImg8bit"
    let name = stem.hasSuffix(suffix) ? String(stem.dropLast(suffix.count)) : stem
    let number = name.lastIndex(of: "_").flatMap { Int(name[name.index(after: $0)...]) }
    return StoredFrames.Item(
      name: name, picture: "\(folder.path)/\(file)",
      labels: label(of: name, stem, among: labels, as: labelling),
      time: Double(number ?? 0) / 17)
  }

  /// Ids are what other tools read; a map under the picture's own name holds them too.
  private static func label(
    of name: String, _ stem: String, among labels: [String: String], as labelling: Labelling
  ) -> LabelFile? {
    if let path = labels["\(name)_gtFine_labelIds"] ?? labels[stem] {
      return LabelFile(path: path, coding: labelling.labelIDs)
    }
    return labels["\(name)_gtFine_labelTrainIds"].map {
      LabelFile(path: $0, coding: labelling.trainIDs)
    }
  }

  /// How many frames there are, labelled or not.
  public var count: Int { frames.items.count }
  /// Its pictures and labels.
  public var files: [String] { frames.files }

  /// How many of the frames have labels.
  public var labelledCount: Int { frames.labelledCount }

  /// The picture at a position from 0, read from its file.
  public func frame(at index: Int) throws -> Frame { try frames.frame(at: index) }

  /// The label map of a picture in ids of `classes`; nil where it has none.
  public func labels(at index: Int) throws -> Image? { try frames.labels(at: index) }
}
