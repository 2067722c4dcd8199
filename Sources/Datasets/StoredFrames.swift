// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Video

/// Picture files in order, some of them with a file of labels: what data sets on disk come down to.
struct StoredFrames: Sendable {
  struct Item: Sendable {
    let name: String
    let picture: String
    let labels: LabelFile?
    var time = 0.0
    var followsBreak = false
  }

  let items: [Item]

  var files: [String] { items.flatMap { [$0.picture] + ($0.labels.map { [$0.path] } ?? []) } }

  var labelledCount: Int { items.count { $0.labels != nil } }

  func frame(at index: Int) throws -> Frame {
    let item = items[index]
    return Frame(
      index: index, time: item.time, pixels: try Image(contentsOf: item.picture),
      followsBreak: item.followsBreak, name: item.name)
  }

  func labels(at index: Int) throws -> Image? {
    try items[index].labels?.map()
  }
}

/// The names in a folder; nothing in a file is ever taken for a path.
struct DataFolder {
  let path: String

  init(_ path: String) { self.path = path.hasSuffix("/") ? String(path.dropLast()) : path }

  /// The folder of that name in this one.
  func callAsFunction(_ name: String) -> DataFolder { DataFolder("\(path)/\(name)") }

  var exists: Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// Whether there is something of that name in it.
  func holds(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }

  /// What is not hidden, in natural order: `img2` before `img10`.
  private var names: [String] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return all.filter { !$0.hasPrefix(".") }.sorted(by: precedesNaturally)
  }

  /// The names of the pictures.
  var pictures: [String] { names.filter { ImageFiles.isPicture($0) } }

  /// The names of the folders.
  var folders: [String] { names.filter { self($0).exists } }

  /// The paths of the pictures by their names without extension; of several, the PNG.
  var picturesByStem: [String: String] {
    let paths = pictures.map { (Self.stem(of: $0), "\(path)/\($0)") }
    return Dictionary(paths) { $1.lowercased().hasSuffix(".png") ? $1 : $0 }
  }

  /// A file's name without its extension.
  static func stem(of name: String) -> String {
    name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
  }

  /// The lines of a text file of at most `limit` bytes, without the spaces around them and empty
  /// ones.
  func lines(of name: String, limit: Int) throws(DatasetError) -> [Substring] {
    let bytes: [UInt8]
    do throws(VideoError) {
      bytes = try readBytes(of: "\(path)/\(name)", limit: limit)
    } catch {
      throw DatasetError(error.code == .missingFile ? .missing : .malformed, "\(error)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw DatasetError(.malformed, "\(path)/\(name) is no text")
    }
    return text.split(whereSeparator: \.isNewline).map { $0.trimmed }.filter { !$0.isEmpty }
  }
}

extension Substring {
  /// Without the spaces at either end.
  var trimmed: Substring {
    let start = drop { $0.isWhitespace }
    let end = start.lastIndex { !$0.isWhitespace }
    return end.map { start[...$0] } ?? start[..<start.startIndex]
  }
}
