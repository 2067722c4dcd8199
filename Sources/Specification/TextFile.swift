// SPDX-License-Identifier: Apache-2.0

extension String {
  /// The text of a file, without the byte order mark that Notepad and Excel put before it; nil
  /// where it is not UTF-8.
  package init?(textOf bytes: some Collection<UInt8>) {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    self.init(validating: bytes.dropFirst(bytes.starts(with: mark) ? 3 : 0), as: UTF8.self)
  }
}
