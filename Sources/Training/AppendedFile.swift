// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Outputs
internal import Synchronization

/// A file that only grows, by pieces that are there as a whole or not at all.
///
/// Pieces may come from several threads.
final class AppendedFile: Sendable {
  let path: String
  private let descriptor: Int32
  /// How much of the file is whole.
  private let length: Mutex<Int>

  /// Opens a regular file, creating it if there is none.
  init(_ path: String, mustBeNew: Bool) throws(TrainingError) {
    // Without O_NONBLOCK, a pipe of that name would wait for a reader.
    let flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | (mustBeNew ? O_EXCL : 0)
    let opened = open(path, flags, 0o666)
    guard opened >= 0 else { throw Self.failure(path) }
    var status = stat()
    guard fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(opened)
      throw TrainingError(.unwritable, "\(path) cannot be written: it is no regular file")
    }
    // Two that append to one file would mix their lines.
    guard flock(opened, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      close(opened)
      throw TrainingError(.busy, "another training is writing \(path)")
    }
    (self.path, descriptor) = (path, opened)
    length = Mutex(Int(status.st_size))
  }

  deinit { close(descriptor) }

  /// Cuts the file off after `size` bytes.
  func truncate(to size: Int) throws(TrainingError) {
    try length.withLock { (length) throws(TrainingError) in
      guard ftruncate(descriptor, off_t(size)) == 0 else { throw Self.failure(path) }
      length = size
    }
  }

  /// Adds a piece; where that fails half-way, as on a full disk, takes it back.
  func append(_ bytes: [UInt8]) throws(TrainingError) {
    try length.withLock { (length) throws(TrainingError) in
      guard bytes.withUnsafeBytes({ writeAll($0, to: descriptor) }) else {
        let failure = Self.failure(path)
        _ = ftruncate(descriptor, off_t(length))
        throw failure
      }
      length += bytes.count
    }
  }

  /// Puts what was written on the disk.
  func synchronize() throws(TrainingError) {
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw Self.failure(path) }
  }

  private static func failure(_ path: String) -> TrainingError {
    TrainingError(OutputError(path))
  }
}
