// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The folder of read-only data that some tests use, if it is there.
let sharedData: String? = {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../../shared").standardized.path
  let folder = ProcessInfo.processInfo.environment["INBETWEEN_SHARED"] ?? root
  return FileManager.default.fileExists(atPath: folder + "/data") ? folder + "/data" : nil
}()

/// A folder of its own for one test, removed with the value.
final class Scratch {
  let path: String

  init() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("inbetween-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.path
  }

  func callAsFunction(_ name: String) -> String { path + "/" + name }

  /// Writes a file of these bytes and gives its path.
  func file(_ name: String, _ bytes: some Collection<UInt8>) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: self(name)))
    return self(name)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

func bytes(of path: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}
