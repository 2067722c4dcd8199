// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What a path that is to be written leads to, all symbolic links followed.
package enum OutputPlace: Sendable, Hashable {
  /// A regular file that is there or can be made, by a path without links: replaced as a whole.
  case file(String)
  case folder
  /// A device, a pipe or a socket: written into.
  case stream(String)
  /// A descriptor that this process was given, as `/dev/stdout` and `/dev/fd/3` name one.
  case descriptor(Int32)

  /// - Throws: `OutputError` where the path leads nowhere: no such folder, or links in a circle.
  package init(of path: String) throws(OutputError) {
    var place = path
    for _ in 0..<40 {
      let (folder, name) = Self.parted(place)
      guard let real = Self.real(folder) else { throw OutputError(path) }
      if let descriptor = Self.descriptor(name, in: real) {
        self = .descriptor(descriptor)
        return
      }
      place = real == "/" ? "/\(name)" : "\(real)/\(name)"
      guard let link = Self.link(place) else {
        self = try Self.kind(of: place, path)
        return
      }
      place = link.hasPrefix("/") ? link : "\(real)/\(link)"
    }
    throw OutputError(path, ELOOP)
  }

  /// The folder of a path and the name in it; a path that can only be a folder is one by itself.
  private static func parted(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let name = String(path[path.index(after: slash)...])
    guard !["", ".", ".."].contains(name) else { return (path, ".") }
    return (slash == path.startIndex ? "/" : String(path[..<slash]), name)
  }

  private static func real(_ folder: String) -> String? {
    guard let resolved = realpath(folder, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// `/proc/self/fd/1` leads on to a file that is open already, and must not be replaced.
  private static func descriptor(_ name: String, in folder: String) -> Int32? {
    let parts = folder.split(separator: "/")
    guard parts.count >= 3, parts[0] == "proc", parts.last == "fd", parts[1] == "\(getpid())"
    else { return nil }
    return Int32(name)
  }

  private static func link(_ path: String) -> String? {
    var text = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &text, text.count)
    guard count > 0 else { return nil }
    return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func kind(
    of place: String, _ path: String
  ) throws(OutputError) -> OutputPlace {
    var status = stat()
    guard lstat(place, &status) == 0 else {
      guard errno == ENOENT else { throw OutputError(path) }
      return .file(place)
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file(place)
    case S_IFDIR: return .folder
    default: return .stream(place)
    }
  }
}
