// SPDX-License-Identifier: Apache-2.0

internal import Video

extension BoxClip {
  /// A sequence of OTB (Wu, Lim and Yang, CVPR 2013), or of what is laid out as it: one object.
  ///
  /// `img/0001.jpg`, … and `groundtruth_rect.txt`: x, y, width and height a line, with commas,
  /// tabs or blanks between them. x and y are taken as they are, though some sequences count from
  /// 1. A line of zeros or NaN is a frame on which the object is not seen; frames beyond the last
  /// line are not annotated.
  ///
  /// - Throws: `DatasetError` where there are no pictures, or the file is no such list.
  public static func otb(root: String) throws(DatasetError) -> BoxClip {
    let folder = DataFolder(root)
    let images = folder("img").exists ? folder("img") : folder
    let pictures = images.pictures
    guard !pictures.isEmpty else { throw DatasetError(.missing, "no pictures in \(images.path)") }
    let table = try BoxRows("groundtruth_rect.txt", in: folder, columns: 4)
    guard table.rows.count <= pictures.count else {
      throw DatasetError(
        .malformed,
        "\(table.path) has \(table.rows.count) boxes for \(pictures.count) pictures")
    }
    let boxes: [[GroundTruthBox]?] = pictures.indices.map { index in
      guard index < table.rows.count else { return nil }
      guard let box = BoundingBox(table.rows[index], at: 0) else { return [] }
      return [GroundTruthBox(box: box, category: 0, identity: 1)]
    }
    let name = folder.path.split(separator: "/").last.map(String.init) ?? "sequence"
    return BoxClip(
      name: "otb/\(name)", classes: .anyObject,
      frames: StoredFrames(
        items: pictures.map {
          StoredFrames.Item(
            name: DataFolder.stem(of: $0), picture: "\(images.path)/\($0)", labels: nil)
        }), truth: .boxes(boxes), sources: [table.path])
  }

  /// A sequence of DAVIS (Perazzi et al., CVPR 2016): the boxes around its masks.
  ///
  /// Each value of a mask but 0 is an object; in DAVIS 2016 there is one, in DAVIS 2017 often
  /// several, whose values are their identities.
  ///
  /// - Throws: `DatasetError` naming the sequences there are, where this one is missing.
  public static func davis(
    root: String, sequence: String, resolution: String = "480p"
  ) throws(DatasetError) -> BoxClip {
    let images = DataFolder(root)("JPEGImages")(resolution)
    let known = images.folders
    guard known.contains(sequence) else {
      let others = known.isEmpty ? "no sequences" : known.joined(separator: ", ")
      throw DatasetError(.missing, "no '\(sequence)' in \(images.path); there are \(others)")
    }
    let masks = DataFolder(root)("Annotations")(resolution)(sequence).picturesByStem
    let pictures = images(sequence).pictures
    guard !pictures.isEmpty else {
      throw DatasetError(.missing, "no pictures in \(images(sequence).path)")
    }
    let stems = pictures.map(DataFolder.stem)
    return BoxClip(
      name: "davis/\(sequence)", classes: .anyObject,
      frames: StoredFrames(
        items: pictures.enumerated().map { place, file in
          StoredFrames.Item(
            name: "\(sequence)_\(stems[place])", picture: "\(images(sequence).path)/\(file)",
            labels: nil, time: Double(place) / 24)
        }), truth: .masks(stems.map { masks[$0] }))
  }
}
