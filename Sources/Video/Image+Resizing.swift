// SPDX-License-Identifier: Apache-2.0
internal import CKernels

extension Image {
  /// The image at another size: area-averaged when no side grows, bilinear otherwise.
  ///
  /// Means of areas are rounded to the nearest, halves up. Pixel centres lie at half coordinates,
  /// so the picture's outline stays where it was. At its own size the image is returned as it is.
  ///
  /// - Precondition: the sizes are positive and bounded by the caller.
  public func resized(width: Int, height: Int) throws(OpenCVError) -> Image {
    if (width, height) == (self.width, self.height) { return self }
    guard width <= self.width, height <= self.height else {
      return try bilinear(width: width, height: height)
    }
    return averaged(width: width, height: height)
  }

  /// Each sample the mean of the area that it covers; no side is longer than the image's.
  private func averaged(width: Int, height: Int) -> Image {
    let rows = spans(from: self.height, to: height), columns = spans(from: self.width, to: width)
    let (across, channels) = (Int32(self.width), Int32(self.channels))
    return Image(width: width, height: height, channels: self.channels) { out in
      withUnsafeBytes { bytes in
        withUnsafeTemporaryAllocation(
          of: Float.self, capacity: ck_shrink_memory(across, Int32(width), channels)
        ) { memory in
          ck_shrink(
            bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), across, channels, rows,
            columns, Int32(width), memory.baseAddress,
            out.baseAddress?.assumingMemoryBound(to: UInt8.self), 0, Int32(height))
        }
      }
    }
  }
}

/// What each cell of an axis of `to` cells covers of one of `from`.
private func spans(from: Int, to: Int) -> [ck_coverage] {
  [ck_coverage](unsafeUninitializedCapacity: to) { spans, count in
    ck_find_coverage(Int32(from), Int32(to), spans.baseAddress)
    count = to
  }
}
