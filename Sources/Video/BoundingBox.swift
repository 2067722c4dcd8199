// SPDX-License-Identifier: Apache-2.0

/// A rectangle in a picture, its sides along the axes, in pixels.
///
/// Pixel (i, j) covers the square from (i, j) to (i + 1, j + 1); x goes to the right, y down, as in
/// COCO.
public struct BoundingBox: Sendable, Hashable, Codable {
  /// The left edge.
  public var x: Double
  /// The upper edge.
  public var y: Double
  /// Pixels from the left edge to the right one.
  public var width: Double
  /// Pixels from the upper edge to the lower one.
  public var height: Double

  /// A box from its upper left corner.
  public init(x: Double, y: Double, width: Double, height: Double) {
    (self.x, self.y, self.width, self.height) = (x, y, width, height)
  }

  /// Square pixels; 0 for a box without an inside.
  public var area: Double { max(0, width) * max(0, height) }

  /// Intersection over union, from 0 to 1; 0 where neither box has an inside.
  public func intersectionOverUnion(with other: BoundingBox) -> Double {
    let common = intersection(with: other)
    let union = area + other.area - common
    return union > 0 ? common / union : 0
  }

  /// Square pixels that both boxes cover.
  public func intersection(with other: BoundingBox) -> Double {
    let across = min(x + width, other.x + other.width) - max(x, other.x)
    let down = min(y + height, other.y + other.height) - max(y, other.y)
    return max(0, across) * max(0, down)
  }
}

/// An object that a network has found.
public struct Detection: Sendable, Hashable, Codable {
  /// Where the object is, in pixels of the frame.
  public var box: BoundingBox
  /// The position of its class in the list of classes.
  public var category: Int
  /// How sure the network is, from 0 to 1; less, the longer ago it saw the object.
  public var score: Double
  /// The same number for the same object in every frame of a stream; nil where nobody follows it.
  public var identity: Int?
  /// Frames since the network saw the object; 0 where it saw it on this frame.
  public var age: Int
  /// The pixels of the frame that it covers; nil where the network finds boxes alone.
  public var mask: ObjectMask?
  /// Its key points, in pixels of the frame, in the order of the network; none where it has none.
  public var points: [KeyPoint]

  /// A find; nothing is checked.
  public init(
    box: BoundingBox, category: Int, score: Double, identity: Int? = nil, age: Int = 0,
    mask: ObjectMask? = nil, points: [KeyPoint] = []
  ) {
    (self.box, self.category, self.score) = (box, category, score)
    (self.identity, self.age, self.mask, self.points) = (identity, age, mask, points)
  }
}

extension BoundingBox {
  /// The same place in a picture of another size.
  public func resized(from size: PixelSize, to other: PixelSize) -> BoundingBox {
    guard size != other else { return self }
    let across = Double(other.width) / Double(size.width)
    let down = Double(other.height) / Double(size.height)
    return BoundingBox(x: x * across, y: y * down, width: width * across, height: height * down)
  }
}

extension Detection {
  /// The same object in a picture of another size.
  public func resized(from size: PixelSize, to other: PixelSize) -> Detection {
    var detection = self
    detection.box = box.resized(from: size, to: other)
    detection.mask = mask?.resized(to: other)
    detection.points = points.map { $0.resized(from: size, to: other) }
    return detection
  }
}

/// An object that is there, as an annotation says.
public struct GroundTruthBox: Sendable, Hashable, Codable {
  /// Where the object is, in pixels of the frame.
  public var box: BoundingBox
  /// The position of its class in the list of classes.
  public var category: Int
  /// The same number for the same object in every frame of a clip; nil where nobody says.
  public var identity: Int?
  /// Whether finding it neither counts nor costs, as COCO's crowds and what can hardly be seen.
  public var isIgnored: Bool
  /// The pixels that it covers; nil where nobody drew them.
  public var mask: ObjectMask?
  /// Its key points, of a confidence of 0 where one is not marked; none where nobody marked any.
  public var points: [KeyPoint]
  /// How many square pixels of it are seen, as COCO's `area` tells; nil where nobody says.
  public var area: Double?

  /// An annotated object; `category` is not checked against any list.
  public init(
    box: BoundingBox, category: Int, identity: Int? = nil, isIgnored: Bool = false,
    mask: ObjectMask? = nil, points: [KeyPoint] = [], area: Double? = nil
  ) {
    (self.box, self.category) = (box, category)
    (self.identity, self.isIgnored) = (identity, isIgnored)
    (self.mask, self.points, self.area) = (mask, points, area)
  }
}
