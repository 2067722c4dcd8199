// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Makes a folder and those above it; one that is there will do.
package func makeFolder(_ path: String) throws(OutputError) {
  var status = stat()
  if stat(path, &status) == 0 {
    guard status.st_mode & S_IFMT == S_IFDIR else { throw OutputError(path, ENOTDIR) }
    return
  }
  var trimmed = path[...]
  while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
  if let slash = trimmed.lastIndex(of: "/"), slash > trimmed.startIndex {
    do throws(OutputError) { try makeFolder(String(trimmed[..<slash])) } catch {
      throw OutputError(path, error.number)
    }
  }
  guard !Faults.fails(at: .create), mkdir(String(trimmed), 0o777) == 0 || errno == EEXIST else {
    throw OutputError(path)
  }
}
