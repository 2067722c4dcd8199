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
    try Self.check(split, in: folder)
    let (images, labels) = (folder("images"), folder("labels"))
    guard !(images.exists ? images : folder).pictures.isEmpty else {
      throw DatasetError(.missing, Self.layouts(for: folder))
    }
    try self.init(
      pictures: images.exists ? images.path : folder.path,
      labels: labels.exists ? labels.path : nil, classes: classes, limit: limit)
  }

  /// Without a list, all pictures are taken to train on, or to measure on: no other split means
  /// anything, and none does where other splits have lists.
  private static func check(_ split: String, in folder: DataFolder) throws(DatasetError) {
    let lists = folder.lists
    guard lists.isEmpty else {
      throw DatasetError(
        .missing,
        "\(folder.path) has no list \(split).txt; there are \(lists.joined(separator: ", "))")
    }
    guard ["train", "val"].contains(split) else {
      throw DatasetError(
        .missing, "\(folder.path) has no list \(split).txt, and so no split '\(split)'")
    }
  }

  /// What is known of folders, said where one holds no pictures.
  private static func layouts(for folder: DataFolder) -> String {
    guard folder.exists else { return "there is no folder \(folder.path)" }
    let others = [
      ("camvid", ["train", "val"]), ("cityscapes", ["leftImg8bit"]), ("davis", ["JPEGImages"]),
    ]
    let known = others.first { $1.contains { folder($0).exists } }?.0
    let hint = known.map { "it looks like \($0):\(folder.path)" }
    return "no pictures in \(folder.path): "
      + (hint ?? "folder: takes pictures in it, or in images with labels beside it, or a list "
        + "SPLIT.txt; camvid: takes train, trainannot, val, …; cityscapes: leftImg8bit and gtFine; "
        + "davis: JPEGImages and Annotations")
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
