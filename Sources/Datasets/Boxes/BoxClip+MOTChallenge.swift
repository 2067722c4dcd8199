// SPDX-License-Identifier: Apache-2.0

public import Video

extension BoxClip {
  /// A sequence of MOTChallenge (MOT15 to MOT20; Milan et al., 2016).
  ///
  /// `seqinfo.ini` names the folder of pictures, their rate and their number; `gt/gt.txt` has a
  /// line for each box: frame, identity, left, top, width, height, whether it counts, class,
  /// visibility. Frames, and left and top, count from 1. Boxes that do not count, and those of
  /// classes that are not asked for, are `isIgnored`. Test sequences have no `gt.txt`: their frames
  /// are not annotated.
  ///
  /// - Parameters:
  ///   - root: The folder of the sequence.
  ///   - counted: The categories that count, from 0; pedestrians unless said otherwise.
  /// - Returns: Its pictures and boxes.
  /// - Throws: `DatasetError` in one sentence for what is missing or is not as described.
  public static func motChallenge(
    root: String, counted: Set<Int> = [0]
  ) throws(DatasetError) -> BoxClip {
    let folder = DataFolder(root)
    let info = try SequenceInfo(in: folder)
    let images = folder(info.folder)
    let pictures = images.pictures
    guard !pictures.isEmpty else { throw DatasetError(.missing, "no pictures in \(images.path)") }
    if let length = info.length, length != pictures.count {
      throw DatasetError(
        .malformed,
        "\(folder.path)/seqinfo.ini says \(length) pictures; \(images.path) has \(pictures.count)")
    }
    let truth = folder("gt")
    var boxes = [[GroundTruthBox]?](repeating: nil, count: pictures.count)
    if truth.holds("gt.txt") {
      boxes = try groundTruth(in: truth, frames: pictures.count, counted: counted)
    }
    return BoxClip(
      name: "mot/\(info.name)", classes: .motChallenge, counted: counted,
      frames: StoredFrames(
        items: pictures.enumerated().map { place, file in
          StoredFrames.Item(
            name: DataFolder.stem(of: file), picture: "\(images.path)/\(file)", labels: nil,
            time: Double(place) / info.rate)
        }), truth: .boxes(boxes), sources: truth.holds("gt.txt") ? ["\(truth.path)/gt.txt"] : [])
  }

  /// The detections that come with a sequence of MOTChallenge, `det/det.txt`, frame by frame.
  ///
  /// Scores are as they are written, in MOT15 and MOT17 not from 0 to 1; all are pedestrians.
  public static func motDetections(
    root: String, frames: Int
  ) throws(DatasetError) -> [[Detection]] {
    let table = try BoxRows("det.txt", in: DataFolder(root)("det"), columns: 7)
    var found = [[Detection]](repeating: [], count: frames)
    for (index, row) in table.rows.enumerated() {
      let frame = try place(of: row[0], below: frames, index, table)
      guard let box = BoundingBox(row, at: 2, origin: 1), row[6].isFinite else { continue }
      found[frame].append(Detection(box: box, category: 0, score: row[6]))
    }
    return found
  }

  private static func groundTruth(
    in folder: DataFolder, frames: Int, counted: Set<Int>
  ) throws(DatasetError) -> [[GroundTruthBox]?] {
    let table = try BoxRows("gt.txt", in: folder, columns: 6)
    var boxes = [[GroundTruthBox]](repeating: [], count: frames)
    for (index, row) in table.rows.enumerated() {
      let frame = try place(of: row[0], below: frames, index, table)
      guard let identity = Int(exactly: row[1]) else {
        throw DatasetError(
          .malformed, "line \(index + 1) of \(table.path): \(row[1]) is no identity")
      }
      guard let box = BoundingBox(row, at: 2, origin: 1) else { continue }
      // MOT15 has no classes: all are pedestrians, and -1 stands where a class would.
      let number = row.count > 7 && row[7] >= 1 ? row[7] : 1
      guard (1...13).contains(number), let category = Int(exactly: number - 1) else {
        throw DatasetError(
          .malformed, "line \(index + 1) of \(table.path): \(number) is no class from 1 to 13")
      }
      let counts = row.count > 6 ? row[6] != 0 : true
      boxes[frame].append(
        GroundTruthBox(
          box: box, category: category, identity: identity,
          isIgnored: !counts || !counted.contains(category)))
    }
    return boxes
  }

  /// The position of a frame that a row names, counted from 1.
  private static func place(
    of number: Double, below frames: Int, _ index: Int, _ table: BoxRows
  ) throws(DatasetError) -> Int {
    guard let frame = Int(exactly: number), (1...max(1, frames)).contains(frame), frames > 0 else {
      throw DatasetError(
        .malformed,
        "line \(index + 1) of \(table.path) is about frame \(number) of \(frames)")
    }
    return frame - 1
  }
}

/// What `seqinfo.ini` says.
private struct SequenceInfo {
  var name: String
  var folder = "img1"
  var rate = 30.0
  var length: Int?

  /// Without the file, the usual folder and rate.
  init(in root: DataFolder) throws(DatasetError) {
    name = root.path.split(separator: "/").last.map(String.init) ?? "sequence"
    guard root.holds("seqinfo.ini") else { return }
    for line in try root.lines(of: "seqinfo.ini", limit: 1 << 16) {
      guard let equals = line.firstIndex(of: "=") else { continue }
      let key = line[..<equals].trimmed.lowercased()
      let value = String(line[line.index(after: equals)...].trimmed)
      switch key {
      case "name": name = value
      case "imdir":
        // Nothing in a file is ever taken for a path.
        guard !value.isEmpty, !value.contains("/"), !value.hasPrefix(".") else {
          throw DatasetError(
            .malformed, "\(root.path)/seqinfo.ini: imDir must be a folder's name, not '\(value)'")
        }
        folder = value
      case "framerate":
        guard let number = Double(value), number.isFinite, number > 0 else {
          throw DatasetError(
            .malformed, "\(root.path)/seqinfo.ini: frameRate must be above 0, not '\(value)'")
        }
        rate = number
      case "seqlength":
        guard let number = Int(value), number >= 0 else {
          throw DatasetError(
            .malformed, "\(root.path)/seqinfo.ini: seqLength must be a count, not '\(value)'")
        }
        length = number
      default: break
      }
    }
  }
}
