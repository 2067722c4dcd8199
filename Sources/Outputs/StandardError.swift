// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What is said on standard error, which may be closed, full or a pipe that nobody reads: then it
/// is lost, and the work goes on.
package enum StandardError {
  package static func say(_ text: String) {
    var text = text
    _ = text.withUTF8 { writeAll(UnsafeRawBufferPointer($0), to: STDERR_FILENO) }
  }
}
