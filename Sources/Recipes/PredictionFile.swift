// SPDX-License-Identifier: Apache-2.0

internal import Datasets
internal import Foundation
internal import Outputs
public import Pipeline
internal import Scheduler
public import Video

/// A file, or a folder, that predictions are written into, frame by frame.
public protocol PredictionFile<Prediction>: Sendable {
  /// What is written.
  associatedtype Prediction: Sendable

  /// What is odd about what will be written, to be said once; nothing, as usually.
  var remarks: [String] { get }

  /// Writes what was predicted of a frame, in the frame's own pixels.
  mutating func add(_ prediction: Prediction, of frame: Frame, _ trace: FrameTrace) throws

  /// Ends the file: until then it need not be there.
  mutating func finish() throws
}

extension PredictionFile {
  /// Nothing.
  public var remarks: [String] { [] }
}

/// Boxes as text: MOTChallenge's for `.txt`, COCO's results for `.json`, else `.csv` or `.jsonl`.
///
/// A file appears whole at the end. To standard output, `-`, JSON lines go as they are found.
struct BoxFile: PredictionFile {
  private let path: String
  private let names: [String]
  private var text: BoxText
  private var whole: String
  private var isPrinted: Bool { path == "-" }

  /// - Throws: `DatasetError` for a name that tells no format.
  init(_ path: String, names: [String]) throws(DatasetError) {
    let formats: [String: BoxFormat] = [
      "txt": .mot, "json": .coco, "csv": .csv, "jsonl": .jsonLines,
    ]
    let ending = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
    guard let format = path == "-" ? .jsonLines : formats[ending] else {
      throw DatasetError(
        .unwritable,
        "boxes are written as .txt (MOTChallenge), .json (COCO), .csv or .jsonl, not to \(path)")
    }
    (self.path, self.names) = (path, names)
    // COCO numbers its own classes with gaps.
    text = BoxText(
      format, categoryIDs: names == ClassList.coco.names ? ClassList.categoryIDsOfCOCO : nil)
    whole = text.begin
    if path != "-" { try Self.wrapping { () throws(OutputError) in try PendingFile.check(path) } }
  }

  mutating func add(_ prediction: [Detection], of frame: Frame, _ trace: FrameTrace) throws {
    let lines = text.text(
      of: prediction.map { found in
        BoxRecord(
          frame: frame.index, time: frame.time, identity: found.identity, category: found.category,
          label: names.indices.contains(found.category) ? names[found.category] : nil,
          score: found.score, box: found.box, age: found.age, isKey: trace.role == .key,
          mask: found.mask, points: found.points)
      })
    guard isPrinted else { return whole += lines }
    try Self.wrapping { () throws(OutputError) in
      try PendingFile.write(Array(lines.utf8), to: "/dev/stdout")
    }
  }

  func finish() throws {
    guard !isPrinted else { return }
    try Self.wrapping { () throws(OutputError) in
      try PendingFile.write(Array((whole + text.end).utf8), to: path)
    }
  }

  private static func wrapping(
    _ body: () throws(OutputError) -> Void
  ) throws(DatasetError) {
    do throws(OutputError) { try body() } catch {
      let code: DatasetError.Code =
        error.isReaderGone ? .readerLeft : error.isRefused ? .unwritable : .writeFailed
      throw DatasetError(code, "\(error)")
    }
  }
}

/// Depth maps as 16-bit PNG in a folder, in millimetres; 0 where nothing is known, 65535 for what
/// is as far or farther.
struct DepthFiles: PredictionFile {
  let remarks: [String]
  private let folder: String

  /// Depths that are `relative` are in no unit, which is remarked on.
  ///
  /// - Throws: `DatasetError` for what is a file's name, as boxes are written into.
  init(_ folder: String, relative isRelative: Bool = false) throws(DatasetError) {
    let odd = "the network's depths are relative: \(folder) gets thousandths of their own unit, "
    remarks = isRelative ? [odd + "which are not millimetres"] : []
    let ending = folder.split(separator: "/").last?.split(separator: ".").dropFirst().last ?? ""
    guard folder != "-", !["json", "jsonl", "csv", "txt", "png"].contains(ending.lowercased())
    else {
      throw DatasetError(
        .unwritable, "depth maps are written as 16-bit PNG into a folder, not to \(folder)")
    }
    self.folder = folder
    do throws(OutputError) { try makeFolder(folder) } catch {
      throw DatasetError(.unwritable, "\(error)")
    }
  }

  func add(_ prediction: DepthMap, of frame: Frame, _: FrameTrace) throws {
    let map = prediction.resized(to: frame.pixels.size)
    let samples = map.metres.map { UInt16(min(max(($0 * 1000).rounded(), 0), 65535)) }
    let name = frame.name ?? String(format: "%06d", frame.index)
    try Image16(width: map.width, height: map.height, channels: 1, samples: samples)
      .writePNG(to: "\(folder)/\(name).png")
  }

  func finish() {}
}
