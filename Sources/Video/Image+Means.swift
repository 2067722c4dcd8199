// SPDX-License-Identifier: Apache-2.0
internal import CKernels
package import Tensors

extension Image {
  /// The mean of each block of `cell` × `cell` pixels, 1 × 3 × height / cell × width / cell: blue,
  /// green and red from 0 to 255, as `tensor()` has them.
  ///
  /// Nil where blocks do not fill the image, where it has other channels, or a side of a block is
  /// above 16.
  package func cellMeans(_ cell: Int) throws(TensorError) -> Tensor? {
    guard channels == 3, (1...16).contains(cell), width % cell == 0, height % cell == 0 else {
      return nil
    }
    let (rows, columns) = (height / cell, width / cell)
    let means = withUnsafeBytes { bytes in
      [Float](unsafeUninitializedCapacity: 3 * rows * columns) { means, count in
        ck_cell_means(
          bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(cell), Int32(rows),
          Int32(columns), means.baseAddress, 0, Int32(rows))
        count = 3 * rows * columns
      }
    }
    return try Tensor(means, shape: [1, 3, rows, columns])
  }
}
