// SPDX-License-Identifier: Apache-2.0

internal import Foundation
public import Video

/// CamVid as it is usually downloaded (SegNet's layout): `train`, `val` and perhaps `test` with PNG,
/// WebP or JPEG pictures, and beside each `…annot` with 8-bit PNG labels of the same name.
///
/// Brostow, Fauqueur and Cipolla, 2009. Ids 0…10 are the classes, 11 is void. Pictures are named
/// `SEQUENCE_FRAME` and were filmed at 30 Hz: a frame's time is told by its name, and a new sequence
/// breaks the stream.
public struct CamVid: Clip {
  public let name: String
  public let classes = ClassList.camVid
  private let items: [Item]

  private struct Item: Sendable {
    let stem: String
    let picture: String, labels: String?
    let time: Double
    let beginsSequence: Bool
  }

  /// The frames of a split, `train`, `val` or `test`, of the folder `root`; the first `limit` of them.
  ///
  /// - Precondition: `limit` is not negative.
  /// - Throws: `DatasetError` naming the splits there are, where this one has no pictures.
  public init(root: String, split: String, limit: Int? = nil) throws(DatasetError) {
    precondition((limit ?? 0) >= 0, "the first \(limit ?? 0) frames cannot be taken")
    name = "camvid/\(split)"
    let pictures = try Self.pictures(in: root, split: split)
    let labelFolder = "\(root)/\(split)annot"
    let labelled = Set((try? FileManager.default.contentsOfDirectory(atPath: labelFolder)) ?? [])
    var previous: Substring?
    var items: [Item] = []
    for file in pictures.prefix(limit ?? pictures.count) {
      let stem = (file as NSString).deletingPathExtension
      let (sequence, number) = Self.parts(of: stem)
      items.append(
        Item(
          stem: stem, picture: "\(root)/\(split)/\(file)",
          labels: labelled.contains("\(stem).png") ? "\(labelFolder)/\(stem).png" : nil,
          time: number.map { Double($0) / 30 } ?? Double(items.count),
          beginsSequence: previous != nil && previous != sequence))
      previous = sequence
    }
    self.items = items
  }

  public var count: Int { items.count }

  /// How many of the frames have labels.
  public var labelledCount: Int { items.count { $0.labels != nil } }

  public func frame(at index: Int) throws -> Frame {
    let item = items[index]
    return Frame(
      index: index, time: item.time, pixels: try Image(contentsOf: item.picture),
      followsBreak: item.beginsSequence, name: item.stem)
  }

  public func labels(at index: Int) throws -> Image? {
    try items[index].labels.map { try Image.labels(contentsOf: $0) }
  }

  private static func pictures(in root: String, split: String) throws(DatasetError) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(split)")) ?? []
    let pictures = files.filter { file in
      !file.hasPrefix(".")
        && ["png", "webp", "jpg", "jpeg"].contains((file as NSString).pathExtension.lowercased())
    }
    guard pictures.isEmpty else { return pictures.sorted() }
    let there = ["train", "val", "test"].filter {
      FileManager.default.fileExists(atPath: "\(root)/\($0)")
    }
    throw DatasetError(
      .missing,
      "no pictures in \(root)/\(split); "
        + (there.isEmpty ? "no split is there" : "there are \(there.joined(separator: ", "))"))
  }

  /// `0016E5_07959` is frame 7959 of sequence 0016E5; `0001TP_006690` likewise.
  private static func parts(of stem: String) -> (sequence: Substring, frame: Int?) {
    guard let cut = stem.lastIndex(of: "_") else { return (Substring(stem), nil) }
    let digits = stem[stem.index(after: cut)...].drop { !$0.isNumber }
    return (stem[..<cut], Int(digits))
  }
}
