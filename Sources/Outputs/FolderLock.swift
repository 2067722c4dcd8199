// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A folder that one process at a time works in.
///
/// The lock is the folder's own and leaves no file; the system takes it from a process that ends,
/// however it ends.
package final class FolderLock: Sendable {
  private let descriptor: Int32

  /// - Returns: Nil where another process, or another one of these, holds the folder.
  /// - Throws: `OutputError` where the folder cannot be opened.
  package init?(_ folder: String) throws(OutputError) {
    descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw OutputError(folder) }
    // A file system without locks cannot keep anybody out, and says something else.
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      close(descriptor)
      return nil
    }
  }

  deinit { close(descriptor) }
}
