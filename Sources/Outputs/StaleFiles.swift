// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Temporary files by their names, and those that a killed process left behind.
enum StaleFiles {
  private static let mark = ".inbetween-", suffix = ".tmp"
  /// Folders that were looked through already: once a process is enough.
  private static let cleaned = Mutex<Set<String>>([])

  /// A new name beside `target`, which tells what the file is to be; no longer than names may be.
  static func name(beside target: String) -> String {
    let number = UInt64.random(in: 0...UInt64.max)
    let start = target.lastIndex(of: "/").map { target.index(after: $0) } ?? target.startIndex
    var name = target[start...]
    while name.utf8.count > 200 { name.removeLast() }
    return String(target[..<start] + name) + mark + String(number, radix: 36) + suffix
  }

  /// Removes what nobody writes any longer from the folder of `target`.
  static func remove(beside target: String) {
    let folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? "./"
    guard cleaned.withLock({ $0.insert(folder).inserted }), let stream = opendir(folder) else {
      return
    }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if isTemporary(name) { removeUnlessHeld(folder + name) }
    }
  }

  private static func isTemporary(_ name: String) -> Bool {
    guard name.hasSuffix(suffix) else { return false }
    let parts = name.dropLast(suffix.count).split(separator: "-", omittingEmptySubsequences: false)
    guard let number = parts.last, parts.count > 1 else { return false }
    return name.hasSuffix(mark + number + suffix) && UInt64(number, radix: 36) != nil
  }

  /// Whoever writes it holds a lock, which the system takes from the dead.
  private static func removeUnlessHeld(_ path: String) {
    let opened = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard opened >= 0 else { return }
    defer { close(opened) }
    var status = stat()
    guard fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      flock(opened, LOCK_EX | LOCK_NB) == 0
    else { return }
    unlink(path)
  }
}

/// A path for a file that is needed for a while only; `name` tells what it holds.
///
/// Where its process is killed, the next one that makes such a file removes it.
package func temporaryPath(for name: String) -> String {
  StaleFiles.name(beside: "\(temporaryFolder)/\(name)")
}

/// Removes a file, if it is there.
package func removeFile(_ path: String) { unlink(path) }
