// SPDX-License-Identifier: Apache-2.0

public import Video

/// A folder of pictures, in natural order, perhaps with a folder of label maps under the same
/// names.
///
/// Labels are 8-bit grey or palette PNGs that hold class ids.
public struct ImageFolder: LabelledClip {
  /// The path of the folder of pictures.
  public let name: String
  /// What the ids of the labels stand for.
  public let classes: ClassList
  private let frames: StoredFrames

  /// The pictures of a folder, with what lies under the same name in `labels`; the first `limit` of
  /// them.
  ///
  /// - Precondition: `limit` is not negative, the rate is positive.
  public init(
    pictures: String, labels: String? = nil, classes: ClassList = .camVid, frameRate: Double = 25,
    limit: Int? = nil
  ) throws(DatasetError) {
    let folder = DataFolder(pictures)
    let files = folder.pictures
    guard !files.isEmpty else { throw DatasetError(.missing, "no pictures in \(folder.path)") }
    let maps = try labels.map { (labels) throws(DatasetError) in try Self.maps(in: labels) } ?? [:]
    let pairs = files.map { file in
      let stem = DataFolder.stem(of: file)
      return (name: stem, picture: "\(folder.path)/\(file)", labels: maps[stem])
    }
    self.init(pairs, name: folder.path, classes, frameRate: frameRate, limit: limit)
  }

  /// The pictures that a list names, each with its labels: a pair of paths a line, as SegNet has
  /// them.
  ///
  /// The list lies in the folder `root`, and so do the folders of pictures and of labels. Of each
  /// path only the last two parts count, `/SegNet/CamVid/train/0001.png` is `train/0001.png` in
  /// `root`: a list chooses among the files that are there, and leads nowhere else. A line may name
  /// a picture alone.
  public init(
    root: String, list: String, classes: ClassList = .camVid, frameRate: Double = 25,
    limit: Int? = nil
  ) throws(DatasetError) {
    let folder = DataFolder(root)
    var known: [String: Set<String>] = [:]
    var pairs: [(name: String, picture: String, labels: String?)] = []
    for line in try folder.lines(of: list, limit: Self.mostListBytes) {
      let paths = line.split(whereSeparator: \.isWhitespace)
      guard paths.count <= 2 else {
        throw DatasetError(
          .malformed, "\(folder.path)/\(list): '\(line.prefix(80))' is no pair of paths")
      }
      let found = try paths.map { (path) throws(DatasetError) in
        try Self.file(path, in: folder, list: list, known: &known)
      }
      let file = found[0].split(separator: "/").last.map(String.init) ?? found[0]
      pairs.append((DataFolder.stem(of: file), found[0], found.count > 1 ? found[1] : nil))
    }
    guard !pairs.isEmpty else {
      throw DatasetError(.missing, "\(folder.path)/\(list) names no pictures")
    }
    self.init(pairs, name: "\(folder.path)/\(list)", classes, frameRate: frameRate, limit: limit)
  }

  private static let mostListBytes = 64 << 20

  private init(
    _ pairs: [(name: String, picture: String, labels: String?)], name: String,
    _ classes: ClassList, frameRate: Double, limit: Int?
  ) {
    precondition((limit ?? 0) >= 0, "the first \(limit ?? 0) frames cannot be taken")
    precondition(frameRate > 0, "\(frameRate) frames a second")
    (self.name, self.classes) = (name, classes)
    frames = StoredFrames(
      items: pairs.prefix(limit ?? pairs.count).map { pair in
        StoredFrames.Item(
          name: pair.name, picture: pair.picture,
          labels: pair.labels.map { LabelFile(path: $0, coding: .ids(classes)) })
      }, frameRate: FrameRate(nearest: frameRate))
  }

  private static func maps(in path: String) throws(DatasetError) -> [String: String] {
    let folder = DataFolder(path)
    guard folder.exists else { throw DatasetError(.missing, "there is no folder \(folder.path)") }
    return folder.picturesByStem
  }

  /// The file in `root` that a list's path means.
  private static func file(
    _ path: Substring, in root: DataFolder, list: String, known: inout [String: Set<String>]
  ) throws(DatasetError) -> String {
    let parts = path.split(separator: "/").suffix(2).map(String.init)
    let (folder, name) = (parts.count > 1 ? parts[0] : "", parts.last ?? "")
    let place = folder.isEmpty || folder == "." ? root : root(folder)
    if known[folder] == nil {
      let isInside = folder.isEmpty || folder == "." || root.folders.contains(folder)
      known[folder] = isInside ? Set(place.pictures) : []
    }
    guard known[folder]?.contains(name) == true else {
      throw DatasetError(
        .malformed, "\(root.path)/\(list): no picture '\(parts.joined(separator: "/"))' is there")
    }
    return "\(place.path)/\(name)"
  }

  /// How many frames there are, labelled or not.
  public var count: Int { frames.items.count }
  /// Its pictures and labels.
  public var files: [String] { frames.files }

  /// How many of the frames have labels.
  public var labelledCount: Int { frames.labelledCount }

  /// The picture at a position from 0, read from its file.
  public func frame(at index: Int) throws -> Frame { try frames.frame(at: index) }

  /// The label map of a picture; nil where it has none.
  public func labels(at index: Int) throws -> Image? { try frames.labels(at: index) }
}
