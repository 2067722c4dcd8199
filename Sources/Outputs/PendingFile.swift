// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// A file under a temporary name beside its final one: it appears whole, or not at all.
///
/// A path that is a symbolic link is written through to its target, beside which the temporary file
/// lies. Pipes and devices are written into when the file is whole. A process that is killed leaves
/// its temporary file behind; the next one that writes into that folder removes it.
package struct PendingFile: ~Copyable {
  /// What was asked for.
  package let path: String
  /// The temporary file, which may be written by its name too.
  package let temporaryPath: String
  private let place: OutputPlace
  private let descriptor: Int32
  private var isDone = false
  /// Those that are being written.
  private static let open = Mutex<Set<String>>([])

  /// Creates the temporary file.
  ///
  /// - Throws: `OutputError` where the path cannot be written, as far as can be told by now.
  package init(for path: String) throws(OutputError) {
    let place = try OutputPlace(of: path)
    let beside = try Self.neighbour(of: place, path)
    StaleFiles.remove(beside: beside)
    // Of a stream it is not the path that would be at fault.
    let isStream = if case .file = place { false } else { true }
    let made = try Self.create(
      beside: beside, for: isStream ? "\(temporaryFolder), where temporary files go," : path)
    (self.path, self.place) = (path, place)
    (temporaryPath, descriptor) = made
  }

  /// What the temporary file is named after.
  private static func neighbour(
    of place: OutputPlace, _ path: String
  ) throws(OutputError) -> String {
    switch place {
    case .folder: throw OutputError(path, EISDIR)
    case .file(let target):
      guard access(target, W_OK) == 0 || errno == ENOENT else { throw OutputError(path) }
      return target
    case .stream(let target):
      guard access(target, W_OK) == 0 else { throw OutputError(path) }
    case .descriptor(let number): try check(number, path)
    }
    return "\(temporaryFolder)/stream"
  }

  /// A new file, locked for as long as it is written, so that nobody takes it for a stale one.
  private static func create(
    beside target: String, for path: String
  ) throws(OutputError) -> (String, Int32) {
    while true {
      let name = StaleFiles.name(beside: target)
      guard !Faults.fails(at: .create) else { throw OutputError(path) }
      let opened = Glibc.open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      guard opened >= 0 else { throw OutputError(path) }
      flock(opened, LOCK_EX)
      var status = stat()
      // Someone who cleans up may have removed it between the two.
      if fstat(opened, &status) == 0, status.st_nlink > 0 {
        Self.open.withLock { _ = $0.insert(name) }
        return (name, opened)
      }
      close(opened)
    }
  }

  /// Adds to what was written so far.
  package func append(_ bytes: UnsafeRawBufferPointer) throws(OutputError) {
    if Faults.fails(at: .write) {
      let number = errno
      _ = writeAll(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]), to: descriptor)
      throw OutputError(path, number)
    }
    guard writeAll(bytes, to: descriptor) else { throw OutputError(path) }
  }

  /// Puts the file, and then its name, on the disk; or its contents into the stream.
  ///
  /// What was there before stays under the name `former`, where one is given and links can be made.
  package consuming func commit(keepingFormerAs former: String? = nil) throws(OutputError) {
    switch place {
    case .file(let target): try replace(target, keepingFormerAs: former)
    case .stream(let target): try pour(into: target)
    case .descriptor(let number): try pour(into: number)
    case .folder: throw OutputError(path, EISDIR)
    }
  }

  private mutating func replace(
    _ target: String, keepingFormerAs former: String?
  ) throws(OutputError) {
    var status = stat()
    if stat(target, &status) == 0 { fchmod(descriptor, status.st_mode & 0o7777) }
    guard !Faults.fails(at: .synchronize), fsync(descriptor) == 0 || errno == EINVAL else {
      throw OutputError(path)
    }
    if let former { Self.keep(target, as: former) }
    guard !Faults.fails(at: .rename), rename(temporaryPath, target) == 0 else {
      throw OutputError(path)
    }
    isDone = true
    try synchronizeFolder(of: target)
  }

  /// Gives a file another name too; it has its own until a whole one takes its place.
  private static func keep(_ target: String, as former: String) {
    unlink(former + ".new")
    if link(target, former + ".new") == 0 { rename(former + ".new", former) }
  }

  /// Until the folder is on the disk, a loss of power may undo the renaming.
  private func synchronizeFolder(of target: String) throws(OutputError) {
    let folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? "."
    guard !Faults.fails(at: .folder) else { throw OutputError(path) }
    let opened = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // A folder may be written and not read: then there is nothing more that can be done.
    guard opened >= 0 else { return }
    defer { close(opened) }
    // Some file systems cannot synchronise folders and say EINVAL.
    guard fsync(opened) == 0 || errno == EINVAL else { throw OutputError(path) }
  }

  private func pour(into target: String) throws(OutputError) {
    let stream = Glibc.open(target, O_WRONLY | O_CLOEXEC | O_NOCTTY)
    guard stream >= 0 else { throw OutputError(path) }
    defer { close(stream) }
    try pour(into: stream)
  }

  private func pour(into stream: Int32) throws(OutputError) {
    guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw OutputError(path) }
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { piece.deallocate() }
    while true {
      let count = read(descriptor, piece.baseAddress, piece.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw OutputError(path) }
      guard count > 0 else { return }
      try Self.pour(UnsafeRawBufferPointer(rebasing: piece[..<count]), into: stream, path)
    }
  }

  deinit {
    if !isDone { unlink(temporaryPath) }
    close(descriptor)
    Self.open.withLock { _ = $0.remove(temporaryPath) }
  }
}

extension PendingFile {
  /// Finds out whether a path can be written, and leaves it as it is.
  package static func check(_ path: String) throws(OutputError) {
    switch try OutputPlace(of: path) {
    case .file: _ = try PendingFile(for: path)
    case .folder: throw OutputError(path, EISDIR)
    case .stream(let target):
      guard access(target, W_OK) == 0 else { throw OutputError(path) }
    case .descriptor(let number): try check(number, path)
    }
  }

  private static func check(_ descriptor: Int32, _ path: String) throws(OutputError) {
    let flags = fcntl(descriptor, F_GETFL)
    guard flags >= 0 else { throw OutputError(path) }
    guard flags & O_ACCMODE != O_RDONLY else { throw OutputError(path, EBADF) }
  }

  /// Removes all that is not whole yet: for a process that is about to end.
  package static func removeAll() { open.withLock { $0.forEach { unlink($0) } } }

  /// Writes a whole file, or into a pipe or a device.
  package static func write(
    _ bytes: UnsafeRawBufferPointer, to path: String
  ) throws(OutputError) {
    switch try OutputPlace(of: path) {
    case .stream(let target): try pour(bytes, into: target, path)
    case .descriptor(let number): try pour(bytes, into: number, path)
    case .file, .folder:
      let file = try PendingFile(for: path)
      try file.append(bytes)
      try file.commit()
    }
  }

  /// Writes a whole file, or into a pipe or a device.
  package static func write(_ bytes: [UInt8], to path: String) throws(OutputError) {
    let result = bytes.withUnsafeBytes { bytes -> Result<Void, OutputError> in
      do throws(OutputError) { return .success(try write(bytes, to: path)) } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  private static func pour(
    _ bytes: UnsafeRawBufferPointer, into target: String, _ path: String
  ) throws(OutputError) {
    let stream = Glibc.open(target, O_WRONLY | O_CLOEXEC | O_NOCTTY)
    guard stream >= 0 else { throw OutputError(path) }
    defer { close(stream) }
    try pour(bytes, into: stream, path)
  }

  private static func pour(
    _ bytes: UnsafeRawBufferPointer, into stream: Int32, _ path: String
  ) throws(OutputError) {
    guard !Faults.fails(at: .write), writeAll(bytes, to: stream) else { throw OutputError(path) }
  }
}

/// Where files are made that have no place of their own.
package var temporaryFolder: String {
  getenv("TMPDIR").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
}

/// Writes all of it, whatever interrupts; where that fails, `errno` tells why.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
  var done = 0
  while done < bytes.count {
    let count = write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
    if count < 0 && errno == EINTR { continue }
    if count < 0 && errno == EAGAIN {
      var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      poll(&wait, 1, 1000)
      continue
    }
    guard count > 0 else {
      if count == 0 { errno = EIO }
      return false
    }
    done += count
  }
  return true
}
