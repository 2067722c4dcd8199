// SPDX-License-Identifier: Apache-2.0

/// Why an archive is not handed to LibTorch: what is wrong, and with which record.
struct ArchiveFault: Error, Hashable, CustomStringConvertible {
  /// The record concerned, as the archive spells it; nil for the archive itself.
  let record: String?
  let message: String

  init(_ record: String? = nil, _ message: String) {
    (self.record, self.message) = (record, message)
  }

  /// One sentence; a record's name is cut where it is long.
  var description: String {
    record.map { "record \(SafetensorsError.escaped($0)) \(message)" } ?? message
  }
}
