// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import Synchronization

/// A file being written under a temporary name, which takes its place only when it is whole.
package struct SafetensorsOutput: ~Copyable {
  private let descriptor: Int32
  private let path: String

  /// Writes what `body` appends to a temporary file in the same folder, syncs it, and renames it to
  /// `path`; where anything fails, the temporary file is removed and `path` is as it was.
  package static func write(
    to path: String,
    _ body: (borrowing SafetensorsOutput) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    let temporary = "\(path).tmp-\(getpid())-\(made.add(1, ordering: .relaxed).newValue)"
    do throws(SafetensorsError) {
      try fill(temporary, for: path, body)
      guard rename(temporary, path) == 0 else { throw failure(path) }
    } catch {
      unlink(temporary)
      throw error
    }
    try syncFolder(of: path)
  }

  private static let made = Atomic<Int>(0)

  private static func fill(
    _ temporary: String, for path: String,
    _ body: (borrowing SafetensorsOutput) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw failure(path) }
    let output = SafetensorsOutput(descriptor: descriptor, path: path)
    try body(output)
    guard fsync(descriptor) == 0 else { throw failure(path) }
  }

  private init(descriptor: Int32, path: String) {
    (self.descriptor, self.path) = (descriptor, path)
  }

  deinit { close(descriptor) }

  package func append(_ bytes: UnsafeRawBufferPointer) throws(SafetensorsError) {
    var done = 0
    while done < bytes.count {
      let count = Foundation.write(
        descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Self.failure(path) }
      done += count
    }
  }

  /// Until the folder is synced, a loss of power may undo the renaming.
  private static func syncFolder(of path: String) throws(SafetensorsError) {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(path) }
    defer { close(descriptor) }
    // Some file systems cannot sync a folder, and say so by EINVAL.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw failure(path) }
  }

  private static func failure(_ path: String) -> SafetensorsError {
    SafetensorsError(.unwritable, "\(path) cannot be written: \(String(cString: strerror(errno)))")
  }
}
