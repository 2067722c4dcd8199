// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// Standard input, output and error, made safe for a program that writes files.
enum StandardStreams {
  /// Called once, before anything is opened.
  ///
  /// Where a caller closed one of the three, the next file to be opened would take its number, and
  /// what is printed would land in that file. A write to a closed pipe (`inbetween list | head`),
  /// or past the size that the system allows, is to fail instead of killing the process.
  static func prepare() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
      _ = open("/dev/null", O_RDWR)
    }
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Ends the process with what was printed sent off.
  ///
  /// Nothing that libraries do at the end of a process is waited for: with little memory, the
  /// threads of a matrix library may never have begun, and waiting for them would never end.
  static func leave(_ code: Int32) -> Never {
    fflush(nil)
    _exit(code)
  }

  /// Sends off what was printed.
  ///
  /// - Throws: `Failure` where it could not be written; a reader that has seen enough is none.
  static func flush() throws(Failure) {
    guard fflush(nil) != 0, errno != EPIPE else { return }
    throw Failure(
      .inputOutput, "standard output cannot be written: \(String(cString: strerror(errno)))")
  }
}
