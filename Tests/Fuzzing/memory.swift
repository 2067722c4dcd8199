// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A file without a name, for what reads nothing but files.
private let file: CInt = tmpfile().map { fileno($0) } ?? -1

/// Calls `body` with the path of a file that holds the fuzzer's bytes.
func withFile(_ data: UnsafePointer<UInt8>?, _ count: Int, _ body: (String) -> Void) {
  precondition(file >= 0 && ftruncate(file, 0) == 0 && pwrite(file, data, count, 0) == count)
  body("/proc/self/fd/\(file)")
}
