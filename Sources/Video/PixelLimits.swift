// SPDX-License-Identifier: Apache-2.0

/// How large a picture or a file may be before anything is allocated for it.
public struct PixelLimits: Sendable, Hashable {
  /// Width × height at most.
  public var pixels: Int
  /// Bytes of a still picture's file at most.
  public var stillBytes: Int

  /// The default admits 8192 × 4320 pixels and files of 512 MiB.
  public init(pixels: Int = 8192 * 4320, stillBytes: Int = 512 << 20) {
    (self.pixels, self.stillBytes) = (pixels, stillBytes)
  }

  /// 8192 × 4320 pixels, and files of 512 MiB.
  public static let standard = Self()
}
