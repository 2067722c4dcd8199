// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import Outputs

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

/// At most the first `count` bytes of a regular file.
func beginning(of path: String, count: Int) throws(VideoError) -> [UInt8] {
  guard case .regular = try FileKind(of: path), let file = Descriptor(opening: path, O_RDONLY)
  else { throw VideoError(.unreadable, at: path, "not a regular file") }
  return try bytes(file.number, count: count, path)
}

/// The first bytes of a file, fewer where it is shorter.
func firstBytes(of path: String, count: Int) throws(VideoError) -> [UInt8] {
  guard let file = Descriptor(opening: path, O_RDONLY) else {
    throw VideoError(.unreadable, at: path, systemSentence())
  }
  return try bytes(file.number, count: count, path)
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

/// What `body` gives; that a file cannot be written becomes this module's error.
func writing<Result: ~Copyable>(
  _ body: () throws(OutputError) -> Result
) throws(VideoError) -> Result {
  do throws(OutputError) { return try body() } catch { throw VideoError(error) }
}

extension VideoError {
  /// That a file could not be written.
  package init(_ error: OutputError) {
    let code: Code = error.isFull ? .diskFull : error.isRefused ? .unwritable : .writeFailed
    self.init(code, at: error.path, error.message)
  }
}

func checkNotEmpty(_ path: String) throws(VideoError) {
  var status = stat()
  if stat(path, &status) == 0 && status.st_size == 0 {
    throw VideoError(.emptyFile, at: path, "the file is empty")
  }
}
