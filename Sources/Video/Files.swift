// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What a path names.
enum FileKind {
  case missing, regular, folder, other

  init(of path: String) throws(VideoError) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG else {
        throw VideoError(.unreadable, at: path, systemSentence())
      }
      self = .missing
      return
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: self = .regular
    case S_IFDIR: self = .folder
    default: self = .other
    }
  }
}

/// The system's words for `errno`.
func systemSentence(_ number: Int32 = errno) -> String {
  String(cString: strerror(number))
}

/// What is wrong with a path at which nothing is found.
func missingSentence(_ path: String) -> String {
  path.contains("\u{FFFD}")
    ? "the name is not UTF-8; rename the file" : "there is no such file"
}

/// An open file, closed when nobody holds it any longer.
private struct Descriptor: ~Copyable {
  let number: Int32
  init?(opening path: String, _ flags: Int32, mode: mode_t = 0) {
    // Closing what is not open would overwrite `errno`, so a failure never becomes a descriptor.
    let opened = open(path, flags | O_CLOEXEC, mode)
    guard opened >= 0 else { return nil }
    number = opened
  }
  deinit { close(number) }
}

/// All bytes of a regular file of at most `limit` bytes.
package func readBytes(of path: String, limit: Int) throws(VideoError) -> [UInt8] {
  switch try FileKind(of: path) {
  case .missing: throw VideoError(.missingFile, at: path, missingSentence(path))
  case .folder: throw VideoError(.unreadable, at: path, "a folder, not a file")
  case .other: throw VideoError(.unreadable, at: path, "not a regular file")
  case .regular: break
  }
  guard let file = Descriptor(opening: path, O_RDONLY) else {
    throw VideoError(.unreadable, at: path, systemSentence())
  }
  var status = stat()
  guard fstat(file.number, &status) == 0 else {
    throw VideoError(.unreadable, at: path, systemSentence())
  }
  guard status.st_size > 0 else { throw VideoError(.emptyFile, at: path, "the file is empty") }
  guard status.st_size <= limit else {
    throw VideoError(
      .tooLarge, at: path, "\(status.st_size) bytes are more than the limit of \(limit)")
  }
  return try bytes(file.number, count: Int(status.st_size), path)
}

private func bytes(_ file: Int32, count: Int, _ path: String) throws(VideoError) -> [UInt8] {
  var failure: Int32 = 0
  let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
    while filled < count {
      let got = read(file, buffer.baseAddress.map { $0 + filled }, count - filled)
      if got < 0 && errno == EINTR { continue }
      if got < 0 { failure = errno }
      if got <= 0 { return }
      filled += got
    }
  }
  if failure != 0 { throw VideoError(.unreadable, at: path, systemSentence(failure)) }
  return bytes
}

/// The names in a folder, hidden ones left out, in no order.
///
/// What is not UTF-8 in a name is U+FFFD: no file is found by such a name, and `missingSentence`
/// says why.
package func names(in folder: String) throws(VideoError) -> [String] {
  guard let stream = opendir(folder) else {
    throw VideoError(.unreadable, at: folder, systemSentence())
  }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if !name.hasPrefix(".") { names.append(name) }
  }
  return names
}

/// The paths that match a shell pattern, in no particular order.
func paths(matching pattern: String) -> [String] {
  var found = glob_t()
  defer { globfree(&found) }
  guard glob(pattern, GLOB_NOSORT, nil, &found) == 0 else { return [] }
  return (0..<Int(found.gl_pathc)).compactMap { index in
    found.gl_pathv[index].map { String(cString: $0) }
  }
}

/// A file under a temporary name beside its final one: it appears whole, or not at all.
package struct PendingFile: ~Copyable {
  let path: String
  let temporaryPath: String
  private var isDone = false

  /// Creates the temporary file.
  package init(for path: String) throws(VideoError) {
    let number = UInt64.random(in: 0...UInt64.max)
    self.path = path
    temporaryPath = Self.stem(of: path) + ".inbetween-\(String(number, radix: 36)).tmp"
    let flags = O_WRONLY | O_CREAT | O_EXCL
    guard Descriptor(opening: temporaryPath, flags, mode: 0o666) != nil else {
      throw VideoError(writing: path)
    }
  }

  /// The path, its name cut so that the system will take a longer one.
  ///
  /// A process that is killed leaves the temporary file behind: its name tells what it was to be.
  private static func stem(of path: String) -> String {
    let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    var name = path[start...]
    while name.utf8.count > 200 { name.removeLast() }
    return String(path[..<start] + name)
  }

  /// Replaces what was written so far.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(VideoError) {
    guard let file = Descriptor(opening: temporaryPath, O_WRONLY | O_TRUNC) else {
      throw VideoError(writing: path)
    }
    var done = 0
    while done < bytes.count {
      let count = Glibc.write(file.number, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw VideoError(writing: path) }
      done += count
    }
  }

  /// Puts the file, and then its name, on the disk.
  package consuming func commit() throws(VideoError) {
    try synchronize(temporaryPath)
    guard rename(temporaryPath, path) == 0 else { throw VideoError(writing: path) }
    isDone = true
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    try synchronize(folder)
  }

  private func synchronize(_ name: String) throws(VideoError) {
    // Some file systems cannot synchronise folders and say EINVAL.
    guard let file = Descriptor(opening: name, O_RDONLY),
      fsync(file.number) == 0 || errno == EINVAL
    else { throw VideoError(writing: path) }
  }

  deinit { if !isDone { unlink(temporaryPath) } }
}

extension VideoError {
  /// The failure in `errno` after an attempt to write to `path`.
  fileprivate init(writing path: String) {
    let isFull = errno == ENOSPC || errno == EDQUOT
    self.init(isFull ? .diskFull : .unwritable, at: path, "cannot be written: \(systemSentence())")
  }
}

func checkNotEmpty(_ path: String) throws(VideoError) {
  var status = stat()
  if stat(path, &status) == 0 && status.st_size == 0 {
    throw VideoError(.emptyFile, at: path, "the file is empty")
  }
}
