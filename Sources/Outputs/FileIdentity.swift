// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Which file a path leads to, whether or not it is there yet, and by whatever way it is reached.
package enum FileIdentity: Sendable, Hashable {
  case there(device: UInt64, inode: UInt64)
  case toBe(path: String)
  /// A pipe, a terminal, a device: it holds nothing that could be lost.
  case stream

  package init(_ path: String) {
    var status = stat()
    if stat(path, &status) == 0 {
      switch status.st_mode & S_IFMT {
      case S_IFREG, S_IFDIR:
        self = .there(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
      default: self = .stream
      }
    } else if case .file(let target)? = try? OutputPlace(of: path) {
      self = .toBe(path: target)
    } else {
      self = .toBe(path: path)
    }
  }
}
