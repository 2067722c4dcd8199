// SPDX-License-Identifier: Apache-2.0

internal import Foundation
public import Video

/// Names of label maps, one a frame of a clip: the frame's own name, or its number in six digits.
///
/// Frames of two sequences may share a name: the later one's number stands before it.
public struct LabelMapNames: Sendable {
  private var used: Set<String> = []

  /// No frame yet.
  public init() {}

  /// The name of the next frame's map, without extension; frames come in order.
  public mutating func next(_ frame: Frame) -> String {
    let number = String(format: "%06d", frame.index)
    var name = frame.name ?? number
    while !used.insert(name).inserted { name = "\(number)_\(name)" }
    return name
  }
}

/// A folder of label maps that somebody predicted for the frames of a clip: 8-bit grey or palette
/// PNGs that hold class ids.
public struct LabelMaps: Sendable {
  /// How files are found for frames, decided at the first one.
  private enum Order: Sendable { case names, numbers, position }

  /// The folder.
  public let path: String
  private let classes: ClassList
  private let count: Int
  private let files: [String]
  private let byStem: [String: String]
  private var names = LabelMapNames()
  private var order: Order?

  /// The maps in a folder, for a clip of so many frames.
  ///
  /// - Throws: `DatasetError` where there are none.
  public init(_ path: String, classes: ClassList, count: Int) throws(DatasetError) {
    let folder = DataFolder(path)
    guard folder.exists else { throw DatasetError(.missing, "there is no folder \(folder.path)") }
    files = folder.pictures.filter { $0.lowercased().hasSuffix(".png") }
    guard !files.isEmpty else {
      throw DatasetError(.missing, "\(folder.path) holds no label maps: PNG files, one a frame")
    }
    byStem = Dictionary(files.map { (DataFolder.stem(of: $0), $0) }) { first, _ in first }
    (self.path, self.classes, self.count) = (folder.path, classes, count)
  }

  /// The map of the next frame; frames come in order.
  ///
  /// Maps bear the names or the numbers of frames, or are as many as there are frames and in their
  /// order.
  public mutating func next(_ frame: Frame) throws -> Image {
    let (name, number) = (names.next(frame), String(format: "%06d", frame.index))
    let order = order ?? order(ofFirst: name, number)
    self.order = order
    let file =
      switch order {
      case .names: byStem[name]
      case .numbers: byStem[number]
      case .position: files.count == count ? files[frame.index] : nil
      }
    guard let file else {
      let wanted = name == number ? "\(name).png" : "\(name).png or \(number).png"
      throw DatasetError(
        .missing,
        "\(path) has no label map for frame \(frame.index): no \(wanted), and \(files.count) maps "
          + "for \(count) frames")
    }
    return try checked(Image.labels(contentsOf: "\(path)/\(file)"), file)
  }

  private func order(ofFirst name: String, _ number: String) -> Order {
    if byStem[name] != nil { return .names }
    return byStem[number] != nil ? .numbers : .position
  }

  private func checked(_ map: Image, _ file: String) throws(DatasetError) -> Image {
    let stranger = map.withUnsafeBytes { bytes in
      bytes.first { $0 >= classes.count && $0 != 255 && $0 != classes.void }
    }
    guard let stranger else { return map }
    throw DatasetError(
      .malformed,
      "\(path)/\(file): label \(stranger), but \(classes.name) has \(classes.count) classes")
  }
}
