// SPDX-License-Identifier: Apache-2.0

/// How far away what is seen at each pixel is, in metres along the optical axis.
public struct DepthMap: Sendable, Hashable {
  /// Columns of pixels.
  public let width: Int
  /// Rows of pixels.
  public let height: Int
  /// Row by row; 0 where the depth is not known, as of the sky.
  public let metres: [Float]

  /// A map of `metres`, row by row, 0 where the depth is not known.
  ///
  /// - Precondition: there is one number a pixel; none is negative.
  public init(width: Int, height: Int, metres: [Float]) {
    precondition(
      width > 0 && height > 0 && metres.count == width * height,
      "\(metres.count) depths for \(width)×\(height) pixels")
    (self.width, self.height, self.metres) = (width, height, metres)
  }

  /// Columns and rows.
  public var size: PixelSize { PixelSize(width: width, height: height) }
}
