// SPDX-License-Identifier: Apache-2.0

public import Video

/// Cityscapes (Cordts et al., CVPR 2016), with its 19 training classes.
///
/// As downloaded: `leftImg8bit/SPLIT/CITY/…_leftImg8bit.png`, or `leftImg8bit_sequence`, and
/// `gtFine/SPLIT/CITY/…_gtFine_labelIds.png` or `…_labelTrainIds.png`. Or, without splits,
/// `images/FOLDER` and `labels/FOLDER` with ids from 0 to 33 under the pictures' names. Frames were
/// filmed at 17 Hz and are named `CITY_SEQUENCE_FRAME`; each sequence begins anew.
public struct Cityscapes: LabelledClip {
  /// `cityscapes/` and the split; `cityscapes` where there are no splits.
  public let name: String
  /// The nineteen training classes; 255 is void.
  public let classes = ClassList.cityscapes
  private let frames: StoredFrames

  /// The frames of a split of the folder `root`, or of all that is in it where it has no splits;
  /// the first `limit` of them.
  ///
  /// - Precondition: `limit` is not negative.
  /// - Throws: `DatasetError` naming the splits there are, where this one has no pictures.
  public init(root: String, split: String = "val", limit: Int? = nil) throws(DatasetError) {
    precondition((limit ?? 0) >= 0, "the first \(limit ?? 0) frames cannot be taken")
    let root = DataFolder(root)
    let isPlain = root("images").exists
    let images = try isPlain ? root("images") : Self.images(in: root, split: split)
    let truths = isPlain ? root("labels") : root("gtFine")(split)
    var items: [StoredFrames.Item] = []
    for folder in images.folders where items.count < limit ?? .max {
      let labels = truths(folder).picturesByStem
      for file in images(folder).pictures {
        items.append(Self.item(file, in: images(folder), labels: labels))
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
    _ file: String, in folder: DataFolder, labels: [String: String]
  ) -> StoredFrames.Item {
    let stem = DataFolder.stem(of: file)
    let suffix = "_leftImg8bit"
    let name = stem.hasSuffix(suffix) ? String(stem.dropLast(suffix.count)) : stem
    let number = name.lastIndex(of: "_").flatMap { Int(name[name.index(after: $0)...]) }
    return StoredFrames.Item(
      name: name, picture: "\(folder.path)/\(file)",
      labels: label(of: name, stem, among: labels),
      time: Double(number ?? 0) / 17)
  }

  /// Ids are what other tools read; a map under the picture's own name holds them too.
  private static func label(
    of name: String, _ stem: String, among labels: [String: String]
  ) -> LabelFile? {
    if let path = labels["\(name)_gtFine_labelIds"] ?? labels[stem] {
      return LabelFile(path: path, coding: .table(trainIDs))
    }
    return labels["\(name)_gtFine_labelTrainIds"].map {
      LabelFile(path: $0, coding: .ids(.cityscapes))
    }
  }

  /// The training id of each id from 0 to 33; what is not trained on is void.
  private static let trainIDs: [UInt8?] = {
    let trained = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
    var table = [UInt8?](repeating: 255, count: 34) + [UInt8?](repeating: nil, count: 222)
    for (id, label) in trained.enumerated() { table[label] = UInt8(id) }
    table[255] = 255  // number plates, which are −1
    return table
  }()

  /// How many frames there are, labelled or not.
  public var count: Int { frames.items.count }
  /// Its pictures and labels.
  public var files: [String] { frames.files }

  /// How many of the frames have labels.
  public var labelledCount: Int { frames.labelledCount }

  /// The picture at a position from 0, read from its file.
  public func frame(at index: Int) throws -> Frame { try frames.frame(at: index) }

  /// The label map of a picture in training ids; nil where it has none.
  public func labels(at index: Int) throws -> Image? { try frames.labels(at: index) }
}
