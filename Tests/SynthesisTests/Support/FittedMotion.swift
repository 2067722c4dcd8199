// SPDX-License-Identifier: Apache-2.0

/// A camera's rigid motion, fitted to points and where they are projected afterwards.
///
/// Gauss–Newton on the reprojection error over six parameters: the points' own coordinates set the
/// scale.
struct FittedMotion {
  typealias Point = SIMD3<Double>
  /// The rotation's rows, then the shift, in metres.
  private var rows: (Point, Point, Point) = (Point(1, 0, 0), Point(0, 1, 0), Point(0, 0, 1))
  private var shift = Point()

  /// `targets` are x / z and y / z in the second camera.
  init(_ points: [Point], to targets: [SIMD2<Double>]) {
    for _ in 0..<8 {
      var system = [[Double]](repeating: Array(repeating: 0, count: 7), count: 6)
      for (point, target) in zip(points, targets) {
        let p = self(point)
        guard p.z > 0.2 else { continue }
        let (x, y, w) = (p.x / p.z, p.y / p.z, 1 / p.z)
        add(&system, [-x * y, 1 + x * x, -y, w, 0, -x * w], target.x - x)
        add(&system, [-1 - y * y, x * y, x, 0, w, -y * w], target.y - y)
      }
      step(Self.solved(system))
    }
  }

  /// Where a point is, in the second camera's axes.
  func callAsFunction(_ p: Point) -> Point {
    Point((rows.0 * p).sum(), (rows.1 * p).sum(), (rows.2 * p).sum()) + shift
  }

  private func add(_ system: inout [[Double]], _ row: [Double], _ value: Double) {
    for i in 0..<6 {
      for j in 0..<6 { system[i][j] += row[i] * row[j] }
      system[i][6] += row[i] * value
    }
  }

  /// Turns by a small rotation vector, about its axis, and shifts.
  private mutating func step(_ s: [Double]) {
    let axis = Point(s[0], s[1], s[2])
    let angle = (axis * axis).sum().squareRoot()
    let turn = { (p: Point) -> Point in
      // Steps of a thousandth of the way, each orthogonal to second order.
      var q = p
      for _ in 0..<1000 {
        let d = Self.cross(axis / 1000, q)
        q += d + Self.cross(axis / 2000, d)
      }
      return q
    }
    let columns = (0..<3).map { i in
      angle == 0
        ? Point(rows.0[i], rows.1[i], rows.2[i]) : turn(Point(rows.0[i], rows.1[i], rows.2[i]))
    }
    rows = (
      Point(columns[0].x, columns[1].x, columns[2].x),
      Point(columns[0].y, columns[1].y, columns[2].y),
      Point(columns[0].z, columns[1].z, columns[2].z)
    )
    shift = turn(shift) + Point(s[3], s[4], s[5])
  }

  private static func cross(_ a: Point, _ b: Point) -> Point {
    Point(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
  }

  /// The solution of linear equations, each a row with its right-hand side last.
  static func solved(_ system: [[Double]]) -> [Double] {
    var rows = system
    let count = rows.count
    for pivot in 0..<count {
      let best = (pivot..<count).max { abs(rows[$0][pivot]) < abs(rows[$1][pivot]) } ?? pivot
      rows.swapAt(pivot, best)
      for row in 0..<count where row != pivot {
        let factor = rows[row][pivot] / rows[pivot][pivot]
        for column in pivot...count { rows[row][column] -= factor * rows[pivot][column] }
      }
    }
    return (0..<count).map { rows[$0][count] / rows[$0][$0] }
  }
}
