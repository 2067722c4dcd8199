// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// A file to be written at the end of a job: whether it can be is found out before the job begins.
struct OutputFile {
  private let path: String

  /// - Throws: `Failure` where the folder is missing or may not be written to.
  init(_ path: String) throws(Failure) {
    self.path = path
    let folder = (path as NSString).deletingLastPathComponent
    try Self.check(folder: folder.isEmpty ? "." : folder)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      throw Failure(.cannotCreate, "\(path) is a folder")
    }
  }

  /// Checks that files can be made in `folder`.
  static func check(folder: String) throws(Failure) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder),
      isFolder.boolValue
    else { throw Failure(.cannotCreate, "there is no folder \(folder)") }
    guard FileManager.default.isWritableFile(atPath: folder) else {
      throw Failure(.cannotCreate, "\(folder) may not be written to")
    }
  }

  /// Makes `folder` and those above it.
  static func make(folder: String) throws(Failure) {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw Failure(.cannotCreate, "\(folder) cannot be made: \(error.localizedDescription)")
    }
    try check(folder: folder)
  }

  /// Writes a value as JSON: to a temporary file first, so the path holds all of it or what it held.
  func write(json value: some Encodable) throws(Failure) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      try encoder.encode(value).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw Failure(.inputOutput, "\(path) cannot be written: \(error.localizedDescription)")
    }
  }
}
