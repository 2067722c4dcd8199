// SPDX-License-Identifier: Apache-2.0

extension DepthMap {
  /// The depths at another size, in metres, each that of the nearest pixel.
  ///
  /// Pixel centres lie at half coordinates. Nothing is mixed, so that an unknown depth stays
  /// unknown and no depth lies between an object and what is behind it. At its own size the map is
  /// returned as it is.
  ///
  /// - Precondition: the size is positive.
  public func resized(to size: PixelSize) -> DepthMap {
    precondition(size.width > 0 && size.height > 0, "no depth map of \(size)")
    if size == self.size { return self }
    let (columns, rows) = (nearest(width, for: size.width), nearest(height, for: size.height))
    let resized = metres.withUnsafeBufferPointer { metres in
      [Float](unsafeUninitializedCapacity: columns.count * rows.count) { out, count in
        count = columns.count * rows.count
        for y in rows.indices {
          for x in columns.indices {
            out[y * columns.count + x] = metres[rows[y] * width + columns[x]]
          }
        }
      }
    }
    return DepthMap(width: size.width, height: size.height, metres: resized)
  }
}
