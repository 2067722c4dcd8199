// SPDX-License-Identifier: Apache-2.0

/// A 3×3 matrix by its rows: a rotation, or a homography of pictures.
struct StillMatrix: Sendable {
  var rows: (Vector, Vector, Vector)

  init(_ x: Vector, _ y: Vector, _ z: Vector) { rows = (x, y, z) }

  static let identity = StillMatrix(Vector(1, 0, 0), Vector(0, 1, 0), Vector(0, 0, 1))

  /// x and y times `scale`, then moved.
  static func scale(_ x: Double, _ y: Double, shift: (Double, Double)) -> StillMatrix {
    StillMatrix(Vector(x, 0, shift.0), Vector(0, y, shift.1), Vector(0, 0, 1))
  }

  /// A turn to the side, then up or down, then about the line of sight; radians.
  static func turn(yaw: Double, pitch: Double, roll: Double) -> StillMatrix {
    let (sy, cy) = (sine(yaw), cosine(yaw)), (sp, cp) = (sine(pitch), cosine(pitch))
    let (sr, cr) = (sine(roll), cosine(roll))
    let aside = StillMatrix(Vector(cy, 0, -sy), Vector(0, 1, 0), Vector(sy, 0, cy))
    let upward = StillMatrix(Vector(1, 0, 0), Vector(0, cp, -sp), Vector(0, sp, cp))
    let about = StillMatrix(Vector(cr, -sr, 0), Vector(sr, cr, 0), Vector(0, 0, 1))
    return about * upward * aside
  }

  static func * (lhs: StillMatrix, rhs: Vector) -> Vector {
    Vector(dot(lhs.rows.0, rhs), dot(lhs.rows.1, rhs), dot(lhs.rows.2, rhs))
  }

  static func * (lhs: StillMatrix, rhs: StillMatrix) -> StillMatrix {
    func row(_ row: Vector) -> Vector {
      rhs.rows.0 * row.x + rhs.rows.1 * row.y + rhs.rows.2 * row.z
    }
    return StillMatrix(row(lhs.rows.0), row(lhs.rows.1), row(lhs.rows.2))
  }

  /// The inverse; nil where there is none.
  var inverse: StillMatrix? {
    let (a, b, c) = rows
    let columns = (cross(b, c), cross(c, a), cross(a, b))
    let determinant = dot(a, columns.0)
    guard abs(determinant) > 1e-12 else { return nil }
    let scale = 1 / determinant
    return StillMatrix(
      Vector(columns.0.x, columns.1.x, columns.2.x) * scale,
      Vector(columns.0.y, columns.1.y, columns.2.y) * scale,
      Vector(columns.0.z, columns.1.z, columns.2.z) * scale)
  }
}
