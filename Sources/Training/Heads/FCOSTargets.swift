// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Video

/// Which cells of a grid are to find which objects of one picture (FCOS; Tian et al., ICCV 2019,
/// section 3.1, with centre sampling as in TPAMI 2020, section 3.1).
///
/// A cell finds the object in whose box its location lies, no further from the middle of the box
/// than `radius` strides along each axis. Where several boxes qualify, it finds the smallest.
/// Other cells are background. Cells whose location lies in a box that is ignored, and that find
/// nothing, do not count.
public struct FCOSTargets: Sendable, Hashable {
  /// The cells that find an object, row · columns + column, in ascending order.
  public let cells: [Int]
  /// The class that each finds.
  public let categories: [Int]
  /// The distances in pixels from each to the left, upper, right and lower side of its box.
  public let distances: [SIMD4<Float>]
  /// The cells that do not count, in ascending order.
  public let ignored: [Int]

  /// Assigns boxes to the cells of a grid, whose locations are `DetectionHead.location`.
  public init(_ boxes: [GroundTruthBox], rows: Int, columns: Int, stride: Int, radius: Double) {
    var owner = [Int?](repeating: nil, count: rows * columns)
    var isIgnored = [Bool](repeating: false, count: rows * columns)
    for (index, object) in boxes.enumerated() {
      for cell in 0..<rows * columns {
        let place = DetectionHead.location(
          column: cell % columns, row: cell / columns, stride: stride)
        guard object.box.contains(place) else { continue }
        if object.isIgnored {
          isIgnored[cell] = true
        } else if object.box.isCentral(place, within: radius * Double(stride)),
          owner[cell].map({ object.box.area < boxes[$0].box.area }) ?? true
        {
          owner[cell] = index
        }
      }
    }
    cells = owner.indices.filter { owner[$0] != nil }
    ignored = isIgnored.indices.filter { isIgnored[$0] && owner[$0] == nil }
    let objects = owner.compactMap { $0.map { boxes[$0] } }
    categories = objects.map(\.category)
    distances = zip(cells, objects).map { cell, object in
      object.box.sides(
        from: DetectionHead.location(column: cell % columns, row: cell / columns, stride: stride))
    }
  }

  /// How central each of `cells` is in its box: √(min(l, r) / max(l, r) · min(t, b) / max(t, b))
  /// (equation 3).
  public var centreness: [Float] {
    distances.map { sides in
      let across = min(sides.x, sides.z) / max(sides.x, sides.z)
      let down = min(sides.y, sides.w) / max(sides.y, sides.w)
      return (across * down).squareRoot()
    }
  }
}

extension BoundingBox {
  /// Whether a place is inside, not on an edge.
  fileprivate func contains(_ place: (x: Double, y: Double)) -> Bool {
    place.x > x && place.y > y && place.x < x + width && place.y < y + height
  }

  /// Whether a place is within `reach` pixels of the middle along both axes.
  fileprivate func isCentral(_ place: (x: Double, y: Double), within reach: Double) -> Bool {
    abs(place.x - x - width / 2) <= reach && abs(place.y - y - height / 2) <= reach
  }

  /// How far the left, upper, right and lower side are from a place.
  fileprivate func sides(from place: (x: Double, y: Double)) -> SIMD4<Float> {
    SIMD4(
      Float(place.x - x), Float(place.y - y), Float(x + width - place.x),
      Float(y + height - place.y))
  }
}
