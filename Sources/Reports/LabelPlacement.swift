// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// Names beside points: away from points, from other names and from the border.
package struct LabelPlacement {
  package struct Box {
    package var left: Double, top: Double, right: Double, bottom: Double

    package init(left: Double, top: Double, right: Double, bottom: Double) {
      (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
    }

    /// The area that two boxes share.
    package func overlap(_ other: Box) -> Double {
      let width = min(right, other.right) - max(left, other.left)
      let height = min(bottom, other.bottom) - max(top, other.top)
      return width > 0 && height > 0 ? width * height : 0
    }

    /// The place in the box that is nearest to a point.
    func nearest(_ point: (x: Double, y: Double)) -> (x: Double, y: Double) {
      (min(max(point.x, left), right), min(max(point.y, top), bottom))
    }
  }

  private let points: [(x: Double, y: Double)]
  private let names: [String]
  package private(set) var boxes: [Box] = []

  package init(
    points: [(x: Double, y: Double)], names: [String], obstacles: [(x: Double, y: Double)],
    lines: [Box] = [],
    inside: (left: Double, top: Double, right: Double, bottom: Double)
  ) {
    let room = Box(
      left: inside.left, top: inside.top, right: inside.right, bottom: inside.bottom)
    self.points = points
    self.names = names.map { SVGCanvas.fitted($0, to: 0.6 * (room.right - room.left)) }
    let dots = obstacles.map {
      Box(left: $0.x - 6, top: $0.y - 6, right: $0.x + 6, bottom: $0.y + 6)
    }
    var placed: [Int: Box] = [:]
    let order = points.indices.sorted {
      (points[$0].y, points[$0].x) < (points[$1].y, points[$1].x)
    }
    for index in order {
      let taken = dots + lines + placed.values
      let candidates = Self.candidates(points[index], self.names[index])
      placed[index] =
        candidates.min { one, two in
          Self.cost(one, points[index], obstacles, taken, room)
            < Self.cost(two, points[index], obstacles, taken, room)
        }?.box
    }
    boxes = points.indices.compactMap { placed[$0] }
  }

  private struct Candidate {
    let box: Box
    /// What the place itself costs: far is worse, and so is to the left.
    let price: Double
  }

  private static func candidates(_ point: (x: Double, y: Double), _ name: String) -> [Candidate] {
    let (width, height) = (SVGCanvas.width(name, size: 12) + 4, 15.0)
    return [9.0, 16, 26, 38, 52, 68, 86, 106].flatMap { distance in
      (0..<16).map { step in
        let angle = Double(step) * .pi / 8
        let (dx, dy) = (cos(angle), -sin(angle))
        let left = point.x + dx * distance - width / 2 + dx * width / 2
        let top = point.y + dy * distance - height / 2 + dy * height / 2
        return Candidate(
          box: Box(left: left, top: top, right: left + width, bottom: top + height),
          price: distance + (dx < 0 ? 6 : 0) + (abs(dy) > 0.9 ? 2 : 0))
      }
    }
  }

  private static func cost(
    _ candidate: Candidate, _ point: (x: Double, y: Double), _ others: [(x: Double, y: Double)],
    _ taken: [Box], _ room: Box
  ) -> Double {
    let box = candidate.box
    let area = (box.right - box.left) * (box.bottom - box.top)
    let hits = taken.reduce(0) { $0 + box.overlap($1) }
    let end = box.nearest(point)
    let crossed = others.count { other in
      (other.x != point.x || other.y != point.y) && distance(from: other, to: end, point) < 8
    }
    return 40 * hits + 40 * (area - box.overlap(room)) + 150 * Double(crossed) + candidate.price
  }

  /// From a point to the line between two others.
  private static func distance(
    from point: (x: Double, y: Double), to end: (x: Double, y: Double),
    _ start: (x: Double, y: Double)
  ) -> Double {
    let (dx, dy) = (end.x - start.x, end.y - start.y)
    let length = dx * dx + dy * dy
    let along =
      length > 0 ? ((point.x - start.x) * dx + (point.y - start.y) * dy) / length : 0
    let share = min(1, max(0, along))
    return hypot(start.x + share * dx - point.x, start.y + share * dy - point.y)
  }

  func draw(on canvas: inout SVGCanvas) {
    for (point, box) in zip(points, boxes) {
      let near = box.nearest(point)
      if hypot(near.x - point.x, near.y - point.y) > 14 {
        canvas.line(point.x, point.y, near.x, near.y, "#bbb")
      }
    }
    let halo = " stroke=\"#fff\" stroke-width=\"3\" stroke-linejoin=\"round\""
    for more in [halo, ""] {
      for (name, box) in zip(names, boxes) {
        canvas.text(
          (box.left + box.right) / 2, box.bottom - 4, name, anchor: "middle", more: more)
      }
    }
  }
}
