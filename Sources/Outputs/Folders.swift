// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Makes a folder and those above it; one that is there will do.
///
/// Gives those that it made, the outermost first.
@discardableResult
package func makeFolder(_ path: String) throws(OutputError) -> [String] {
  var status = stat()
  if stat(path, &status) == 0 {
    guard status.st_mode & S_IFMT == S_IFDIR else { throw OutputError(path, ENOTDIR) }
    return []
  }
  var made: [String] = []
  var trimmed = path[...]
  while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
  if let slash = trimmed.lastIndex(of: "/"), slash > trimmed.startIndex {
    do throws(OutputError) { made = try makeFolder(String(trimmed[..<slash])) } catch {
      throw OutputError(path, error.number)
    }
  }
  guard !Faults.fails(at: .create) else { throw OutputError(path) }
  if mkdir(String(trimmed), 0o777) == 0 { return made + [String(trimmed)] }
  guard errno == EEXIST else { throw OutputError(path) }
  return made
}

/// Takes away those of the folders that are empty, the last one first.
package func removeEmptyFolders(_ paths: [String]) {
  for path in paths.reversed() { rmdir(path) }
}
