// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The folder of real data; nil where it is not on this machine, so that what needs it is skipped.
let sharedData: URL? = {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  let named = ProcessInfo.processInfo.environment["INBETWEEN_SHARED"]
  let folder =
    named.map { URL(fileURLWithPath: $0) }
    ?? root.deletingLastPathComponent().appendingPathComponent("shared")
  let data = folder.appendingPathComponent("data")
  return FileManager.default.fileExists(atPath: data.path) ? data : nil
}()

/// A folder of its own, removed when `body` is done.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}
