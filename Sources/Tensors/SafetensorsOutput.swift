// SPDX-License-Identifier: Apache-2.0
package import Outputs

/// A file being written under a temporary name, which takes its place only when it is whole.
package struct SafetensorsOutput: ~Copyable {
  private let file: PendingFile

  private init(for path: String) throws(SafetensorsError) {
    do throws(OutputError) { file = try PendingFile(for: path) } catch {
      throw SafetensorsError(error)
    }
  }

  /// Writes what `body` appends to a temporary file in the same folder, syncs it, and renames it to
  /// `path`; where anything fails, the temporary file is removed and `path` is as it was.
  package static func write(
    to path: String,
    _ body: (borrowing SafetensorsOutput) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    let output = try SafetensorsOutput(for: path)
    try body(output)
    try output.commit()
  }

  package func append(_ bytes: UnsafeRawBufferPointer) throws(SafetensorsError) {
    do throws(OutputError) { try file.append(bytes) } catch { throw SafetensorsError(error) }
  }

  private consuming func commit() throws(SafetensorsError) {
    do throws(OutputError) { try file.commit() } catch { throw SafetensorsError(error) }
  }
}

extension SafetensorsError {
  /// That a file could not be written.
  package init(_ error: OutputError) {
    self.init(error.isRefused ? .unwritable : .writeFailed, "\(error)")
  }
}
