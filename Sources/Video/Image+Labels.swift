// SPDX-License-Identifier: Apache-2.0

extension Image {
  /// The label map at another size, each pixel that of the nearest label.
  ///
  /// Pixel centres lie at half coordinates. At its own size the map is returned as it is.
  ///
  /// - Precondition: it has one channel, and the size is positive.
  public func scaledLabels(to size: PixelSize) -> Image {
    precondition(channels == 1, "a label map has one channel, not \(channels)")
    if size == self.size { return self }
    let (columns, rows) = (nearest(width, for: size.width), nearest(height, for: size.height))
    return Image(width: size.width, height: size.height, channels: 1) { bytes in
      withUnsafeBytes { labels in
        for y in rows.indices {
          for x in columns.indices {
            bytes[y * columns.count + x] = labels[rows[y] * width + columns[x]]
          }
        }
      }
    }
  }
}

/// For each of `count` positions, the one of `available` whose cell holds its centre.
func nearest(_ available: Int, for count: Int) -> [Int] {
  (0..<count).map { (2 * $0 + 1) * available / (2 * count) }
}
