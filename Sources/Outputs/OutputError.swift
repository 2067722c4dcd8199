// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// That a file could not be written, and the system's reason.
package struct OutputError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The path as it was given.
  package let path: String
  /// The system's number of the failure.
  package let number: Int32

  package init(_ path: String, _ number: Int32 = errno) {
    (self.path, self.number) = (path, number)
  }

  /// Whether there was no room: on the disk, in a quota, or in what one file may hold.
  package var isFull: Bool { [ENOSPC, EDQUOT, EFBIG].contains(number) }

  /// Whether it was standard output, and whoever read it is gone.
  package var isReaderGone: Bool { number == EPIPE && path == "/dev/stdout" }

  /// Whether the path cannot be written by this user at all, rather than writing went wrong.
  package var isRefused: Bool {
    ![ENOSPC, EDQUOT, EFBIG, EIO, EPIPE, ENOMEM, EMFILE, ENFILE].contains(number)
  }

  /// One sentence without the path.
  package var message: String { "cannot be written: \(reason)" }

  /// The system's words.
  package var reason: String { String(cString: strerror(number)) }

  package var description: String { "\(path) \(message)" }
}
