// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport

/// A little-endian int32 matrix from a `.npy` file of version 1.
struct NumpyArray {
  let rows: [[Int32]]

  init(contentsOf path: String) throws {
    let data = try bytes(of: path)
    let headerLength = Int(data[8]) | Int(data[9]) << 8
    let header = String(decoding: data[10..<(10 + headerLength)], as: UTF8.self)
    guard header.contains("'<i4'"), header.contains("'fortran_order': False") else {
      throw CocoaError(.fileReadCorruptFile)
    }
    let values = data[(10 + headerLength)...].withUnsafeBytes { raw in
      (0..<(raw.count / 4)).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self) }
    }
    rows = stride(from: 0, to: values.count, by: 10).map { Array(values[$0..<($0 + 10)]) }
  }
}
