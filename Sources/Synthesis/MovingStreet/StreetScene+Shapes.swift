// SPDX-License-Identifier: Apache-2.0

extension StreetScene {
  /// A closed box from its centre and half axes; u runs level, v along the third axis.
  mutating func addBox(
    _ centre: Vector, _ a: Vector, _ b: Vector, _ c: Vector, material: Int32, part: Int32 = 0
  ) {
    for sign in [-1.0, 1.0] {
      let (u, v, w) = (a * sign, b * sign, c * sign)
      addSheet(centre + u - b - c, b * 2, c * 2, material: material, part: part, closed: true)
      addSheet(centre + v - a - c, a * 2, c * 2, material: material, part: part, closed: true)
      addSheet(centre + w - a - b, a * 2, b * 2, material: material, part: part, closed: true)
    }
  }

  /// A round rod between two points.
  mutating func addRod(
    _ from: Vector, _ to: Vector, radius: Double, material: Int32, part: Int32 = 0
  ) {
    let (half, a, b) = frame(from, to)
    addQuadric(
      .cylinder, (from + to) / 2, a * radius, b * radius, half, material: material, part: part)
  }

  /// An ellipsoid drawn out between two points, a little past both.
  mutating func addLimb(
    _ from: Vector, _ to: Vector, radius: Double, material: Int32, part: Int32 = 0
  ) {
    let (half, a, b) = frame(from, to)
    let length = dot(half, half).squareRoot()
    addQuadric(
      .ellipsoid, (from + to) / 2, a * radius, b * radius,
      half * ((length + radius * 0.8) / length),
      material: material, part: part)
  }

  private func frame(_ from: Vector, _ to: Vector) -> (Vector, Vector, Vector) {
    let half = (to - from) / 2
    let helper =
      abs(half.z) > 0.7 * dot(half, half).squareRoot() ? Vector(1, 0, 0) : Vector(0, 0, 1)
    let a = normalised(cross(half, helper))
    return (half, a, normalised(cross(half, a)))
  }

  mutating func addBall(
    _ centre: Vector, _ radii: Vector, material: Int32, part: Int32 = 0
  ) {
    addQuadric(
      .ellipsoid, centre, Vector(radii.x, 0, 0), Vector(0, radii.y, 0), Vector(0, 0, radii.z),
      material: material, part: part)
  }

  /// A plain material in one step.
  mutating func paint(_ label: StreetClass, _ blue: Float, _ green: Float, _ red: Float) -> Int32 {
    add(StreetMaterial(paint: .plain, label: label, colour: Colour(blue, green, red)))
  }

  /// The shadow of something slim and upright, as long as the sun is low.
  mutating func addCastShadow(_ foot: Vector, height: Double, width: Double, strength: Float) {
    let sun = Vector(surroundings.light.sun)
    let reach = Vector(-sun.x, -sun.y, 0) * (height / sun.z)
    let across = normalised(Vector(-reach.y, reach.x, 0)) * width
    let ground = Vector(foot.x, foot.y, foot.z)
    addShadow(ground + reach / 2, reach / 2, across, strength: strength, kind: 1)
  }
}
