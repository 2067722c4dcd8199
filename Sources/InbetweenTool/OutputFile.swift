// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Outputs

/// A file to be written at the end of a job: whether it can be is found out before the job begins.
struct OutputFile {
  private let path: String
  private let place: OutputPlace

  /// Whether what is written goes among what is printed.
  var isStandardOutput: Bool { place == .descriptor(STDOUT_FILENO) }

  /// - Parameter path: `-` and `/dev/stdout` stand for standard output; pipes and devices will do.
  /// - Throws: `Failure` where the file cannot be made.
  init(_ path: String) throws(Failure) {
    self.path = path == "-" ? "/dev/stdout" : path
    place = try Self.check(file: self.path)
  }

  /// Checks that a file can be made at `path`, or what is there be written into.
  @discardableResult
  static func check(file path: String) throws(Failure) -> OutputPlace {
    do throws(OutputError) {
      try PendingFile.check(path)
      return try OutputPlace(of: path)
    } catch { throw Failure(error.isRefused ? .cannotCreate : .inputOutput, sentence(for: error)) }
  }

  private static func sentence(for error: OutputError) -> String {
    let path = error.path
    if error.number == EISDIR { return "\(path) is a folder" }
    if let slash = path.lastIndex(of: "/"), !isFolder(String(path[...slash])) {
      return "\(path): there is no folder \(path[..<slash])"
    }
    return "\(error)"
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// Makes `folder` and those above it, and checks that files can be made in it; gives the folders
  /// that were not there.
  @discardableResult
  static func make(folder: String) throws(Failure) -> [String] {
    let made: [String]
    do throws(OutputError) { made = try makeFolder(folder) } catch {
      throw Failure(
        error.isRefused ? .cannotCreate : .inputOutput,
        "\(folder): the folder cannot be made: \(error.reason)")
    }
    do throws(Failure) { try check(file: "\(folder)/labels.png") } catch {
      removeEmptyFolders(made)
      throw error
    }
    return made
  }

  /// Writes a value as JSON.
  func write(json value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try write(encoder.encode(value) + Data("\n".utf8))
  }

  /// Writes all of it: to a temporary file first, so the path holds all of it or what it held.
  func write(_ data: Data) throws(Failure) {
    if isStandardOutput { try StandardStreams.flush() }
    do throws(OutputError) { try PendingFile.write([UInt8](data), to: path) } catch {
      let name = isStandardOutput ? "standard output" : error.path
      throw Failure(
        error.isReaderGone ? .readerLeft : .inputOutput, "\(name) \(error.message)")
    }
  }
}
