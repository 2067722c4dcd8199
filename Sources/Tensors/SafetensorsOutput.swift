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
  ///
  /// What was there before stays under the name `former`, where one is given.
  package static func write(
    to path: String, keepingFormerAs former: String? = nil,
    _ body: (borrowing SafetensorsOutput) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    let output = try SafetensorsOutput(for: path)
    try body(output)
    try output.commit(keepingFormerAs: former)
  }

  package func append(_ bytes: UnsafeRawBufferPointer) throws(SafetensorsError) {
    do throws(OutputError) { try file.append(bytes) } catch { throw SafetensorsError(error) }
  }

  private consuming func commit(keepingFormerAs former: String?) throws(SafetensorsError) {
    do throws(OutputError) { try file.commit(keepingFormerAs: former) } catch {
      throw SafetensorsError(error)
    }
  }
}

extension SafetensorsError {
  /// That a file could not be written.
  package init(_ error: OutputError) {
    self.init(error.isRefused ? .unwritable : .writeFailed, "\(error)")
  }
}
