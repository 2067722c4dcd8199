// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Video

/// A file to be written at the end of a job: whether it can be is found out before the job begins.
struct OutputFile {
  private let path: String
  /// A pipe or a device, which is written into; a file is replaced as a whole.
  private let isStream: Bool

  /// Whether what is written goes among what is printed.
  var isStandardOutput: Bool { path == "/dev/stdout" }

  /// - Parameter path: `-` and `/dev/stdout` stand for standard output; pipes and devices will do.
  /// - Throws: `Failure` where the file cannot be made.
  init(_ path: String) throws(Failure) {
    self.path = path == "-" ? "/dev/stdout" : path
    let kind = Self.kind(of: self.path)
    isStream = self.path == "/dev/stdout" || (kind != nil && kind != S_IFREG)
    if isStream { try Self.refuseFolder(path, kind) } else { try Self.check(file: path) }
  }

  /// Checks that a file can be made at `path`, which has to be a regular one.
  static func check(file path: String) throws(Failure) {
    let kind = kind(of: path)
    try refuseFolder(path, kind)
    guard kind == nil || kind == S_IFREG else {
      throw Failure(.cannotCreate, "\(path) is no regular file")
    }
    if let slash = path.lastIndex(of: "/"), Self.kind(of: String(path[...slash])) != S_IFDIR {
      throw Failure(.cannotCreate, "\(path): there is no folder \(path[..<slash])")
    }
    do { _ = try PendingFile(for: path) } catch { throw Failure(.cannotCreate, "\(error)") }
  }

  /// Makes `folder` and those above it, and checks that files can be made in it.
  static func make(folder: String) throws(Failure) {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw Failure(.cannotCreate, "\(folder): the folder cannot be made")
    }
    try check(file: "\(folder)/labels")
  }

  /// Writes a value as JSON.
  func write(json value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try write(encoder.encode(value) + Data("\n".utf8))
  }

  /// Writes all of it: to a temporary file first, so the path holds all of it or what it held.
  func write(_ data: Data) throws {
    guard !isStream else { return try pour(data) }
    do {
      let file = try PendingFile(for: path)
      try [UInt8](data).withUnsafeBytes { try file.write($0) }
      try file.commit()
    } catch {
      throw Failure(.inputOutput, "\(error)")
    }
  }

  private func pour(_ data: Data) throws {
    try StandardStreams.flush()
    let handle = isStandardOutput ? .standardOutput : FileHandle(forWritingAtPath: path)
    guard let handle else { throw Failure(.inputOutput, "\(path) cannot be opened for writing") }
    try handle.write(contentsOf: data)
  }

  private static func refuseFolder(_ path: String, _ kind: mode_t?) throws(Failure) {
    if kind == S_IFDIR { throw Failure(.cannotCreate, "\(path) is a folder") }
  }

  private static func kind(of path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }
}
