// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Synchronization
internal import Video

/// Picture files in order, some of them with a file of labels: what data sets on disk come down to.
///
/// Streams of pictures break where `ImageFiles` says so: `PictureNames` decides for both.
struct StoredFrames: Sendable {
  struct Item: Sendable {
    let name: String
    let picture: String
    let labels: LabelFile?
    /// Seconds; nil where the names of the pictures are to tell.
    var time: Double?
  }

  let items: [Item]
  private let order: PictureNames
  private let sizes = KnownSizes()

  init(items: [Item], frameRate: FrameRate = FrameRate(25)) {
    self.items = items
    order = PictureNames(items.map(\.picture), rate: frameRate)
  }

  var files: [String] { items.flatMap { [$0.picture] + ($0.labels.map { [$0.path] } ?? []) } }

  var labelledCount: Int { items.count { $0.labels != nil } }

  func frame(at index: Int) throws -> Frame {
    let item = items[index]
    let pixels = try Image(contentsOf: item.picture)
    sizes.note(pixels.size, of: index)
    let kind: StreamBreak? =
      order.breaks[index] ?? (changesSize(at: index, to: pixels.size) ? .size : nil)
    return Frame(
      index: index, time: item.time ?? order.times[index], pixels: pixels, streamBreak: kind,
      duration: item.time == nil ? order.duration(at: index) : nil, name: item.name)
  }

  /// Whether the picture before has another size; false where it cannot be read.
  private func changesSize(at index: Int, to size: PixelSize) -> Bool {
    guard index > 0 else { return false }
    let before = sizes.size(of: index - 1) { try? Image.size(ofFile: items[index - 1].picture) }
    return before.map { $0 != size } ?? false
  }

  func labels(at index: Int) throws -> Image? {
    try items[index].labels?.map()
  }
}

/// The sizes of pictures that were read.
private final class KnownSizes: Sendable {
  private let known = Mutex<[Int: PixelSize]>([:])

  func note(_ size: PixelSize, of index: Int) { known.withLock { $0[index] = size } }

  func size(of index: Int, or find: () -> PixelSize?) -> PixelSize? {
    if let size = known.withLock({ $0[index] }) { return size }
    guard let size = find() else { return nil }
    note(size, of: index)
    return size
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
    // A name that is not UTF-8 stays in the list: reading it says what is wrong.
    inOrderOfNames((try? Video.names(in: path)) ?? [])
  }

  /// The names of the pictures.
  var pictures: [String] { names.filter { ImageFiles.isPicture($0) } }

  /// The lists of pictures of the usual splits.
  var lists: [String] { ["train", "val", "test", "trainval"].map { "\($0).txt" }.filter(holds) }

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
    // Notepad and Excel put a byte order mark before a text.
    let mark = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    guard let text = String(validating: bytes.dropFirst(mark), as: UTF8.self) else {
      throw DatasetError(.malformed, "\(path)/\(name) is no UTF-8 text")
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
