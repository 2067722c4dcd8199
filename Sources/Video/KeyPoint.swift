// SPDX-License-Identifier: Apache-2.0

/// A key point of a frame, in its pixels: a joint of a body, a corner of a face.
public struct KeyPoint: Sendable, Hashable, Codable {
  /// Pixels from the left edge; the middle of the first pixel is at 0.5.
  public var x: Double
  /// Pixels from the upper edge.
  public var y: Double
  /// From 0 to 1: how sure it is that the point is there and seen.
  public var confidence: Double

  /// A point; nothing is checked.
  public init(x: Double, y: Double, confidence: Double = 1) {
    (self.x, self.y, self.confidence) = (x, y, confidence)
  }
}

extension KeyPoint {
  /// The same place in a picture of another size.
  public func resized(from size: PixelSize, to other: PixelSize) -> KeyPoint {
    guard size != other else { return self }
    return KeyPoint(
      x: x * Double(other.width) / Double(size.width),
      y: y * Double(other.height) / Double(size.height), confidence: confidence)
  }
}
