// SPDX-License-Identifier: Apache-2.0

internal import Video

extension ImageFolder {
  /// The pictures of a folder that is laid out as follows; the first `limit` of them.
  ///
  /// Where there is a list `SPLIT.txt`, what it names; else the pictures in `images`, or in the
  /// folder itself, with the labels in `labels`. `classes.txt` names the classes, one a line, and
  /// 255 is void; without it they are CamVid's.
  ///
  /// - Precondition: `limit` is not negative.
  public init(root: String, split: String, limit: Int? = nil) throws(DatasetError) {
    let folder = DataFolder(root)
    let classes = try Self.classes(in: folder)
    if folder.holds("\(split).txt") {
      try self.init(root: root, list: "\(split).txt", classes: classes, limit: limit)
      return
    }
    let (images, labels) = (folder("images"), folder("labels"))
    try self.init(
      pictures: images.exists ? images.path : folder.path,
      labels: labels.exists ? labels.path : nil, classes: classes, limit: limit)
  }

  private static func classes(in folder: DataFolder) throws(DatasetError) -> ClassList {
    let file = "classes.txt"
    guard folder.holds(file) else { return .camVid }
    let names = try folder.lines(of: file, limit: 1 << 16).map { String($0) }
    guard (1...255).contains(names.count), Set(names).count == names.count else {
      throw DatasetError(
        .malformed, "\(folder.path)/\(file) must name 1 to 255 classes, each once")
    }
    let name = folder.path.split(separator: "/").last.map(String.init) ?? "classes"
    return ClassList(name: name, names: names, void: 255)
  }
}
