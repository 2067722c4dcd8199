// SPDX-License-Identifier: Apache-2.0

/// A car, van or bus; its axes: x ahead, y left, z up, the middle on the road.
struct StreetCar: Sendable {
  enum Kind: Sendable { case hatchback, saloon, van, bus }

  let kind: Kind
  let style: UInt64

  init(style: UInt64) {
    var random = StreetRandom(seed: style, 31)
    let draw = random.unit()
    kind = draw < 0.5 ? .hatchback : draw < 0.82 ? .saloon : draw < 0.95 ? .van : .bus
    self.style = style
  }

  /// Half the length and half the width, in metres.
  var halfSize: (Double, Double) {
    switch kind {
    case .hatchback: (1.95, 0.86)
    case .saloon: (2.25, 0.89)
    case .van: (2.45, 0.97)
    case .bus: (5.2, 1.22)
    }
  }

  private var axle: Double { halfSize.0 * (kind == .bus ? 0.58 : 0.63) }
  /// The radius of a wheel.
  private var wheel: Double { kind == .bus ? 0.46 : kind == .van ? 0.35 : 0.315 }

  /// A cross-section: place along, share of the half width at belt and roof, and three heights.
  private typealias Section = (
    x: Double, wide: Double, roof: Double, low: Double, belt: Double, top: Double
  )

  private var sections: [Section] {
    switch kind {
    case .hatchback:
      [
        (-1, 0.84, 0.76, 0.36, 0.62, 0.66), (-0.97, 0.93, 0.8, 0.27, 0.86, 0.9),
        (-0.86, 0.98, 0.74, 0.24, 0.93, 1.36), (-0.6, 1, 0.74, 0.22, 0.93, 1.46),
        (0, 1, 0.76, 0.22, 0.92, 1.48), (0.16, 1, 0.74, 0.22, 0.92, 1.42),
        (0.5, 0.99, 0.9, 0.22, 0.92, 0.97), (0.82, 0.95, 0.82, 0.23, 0.8, 0.85),
        (0.96, 0.87, 0.7, 0.27, 0.64, 0.68), (1, 0.78, 0.66, 0.36, 0.54, 0.57),
      ]
    case .saloon:
      [
        (-1, 0.84, 0.74, 0.38, 0.66, 0.7), (-0.97, 0.92, 0.8, 0.28, 0.88, 0.93),
        (-0.66, 0.98, 0.86, 0.23, 0.93, 0.99), (-0.4, 1, 0.72, 0.22, 0.93, 1.36),
        (-0.1, 1, 0.74, 0.22, 0.92, 1.43), (0.1, 1, 0.73, 0.22, 0.92, 1.39),
        (0.42, 0.99, 0.9, 0.22, 0.91, 0.96), (0.8, 0.95, 0.82, 0.23, 0.8, 0.84),
        (0.96, 0.87, 0.7, 0.27, 0.64, 0.68), (1, 0.78, 0.66, 0.36, 0.54, 0.57),
      ]
    case .van:
      [
        (-1, 0.97, 0.9, 0.34, 1.05, 1.96), (-0.96, 1, 0.93, 0.28, 1.05, 2.04),
        (0.2, 1, 0.93, 0.26, 1.05, 2.06), (0.45, 1, 0.88, 0.26, 1.05, 1.92),
        (0.74, 0.98, 0.88, 0.26, 1.03, 1.12), (0.95, 0.93, 0.8, 0.28, 0.84, 0.9),
        (1, 0.84, 0.74, 0.36, 0.7, 0.74),
      ]
    case .bus:
      [
        (-1, 0.97, 0.93, 0.4, 1.3, 3.0), (-0.98, 1, 0.96, 0.34, 1.3, 3.08),
        (0.93, 1, 0.96, 0.32, 1.3, 3.08), (0.99, 0.97, 0.92, 0.34, 1.15, 2.95),
        (1, 0.94, 0.9, 0.4, 1.1, 2.8),
      ]
    }
  }

  private static let paints = [
    Colour(0.42, 0.42, 0.42), Colour(0.30, 0.30, 0.30), Colour(0.02, 0.02, 0.02),
    Colour(0.03, 0.03, 0.035), Colour(0.10, 0.09, 0.09), Colour(0.55, 0.56, 0.56),
    Colour(0.22, 0.06, 0.02), Colour(0.10, 0.03, 0.01), Colour(0.02, 0.02, 0.28),
    Colour(0.03, 0.03, 0.14), Colour(0.05, 0.11, 0.02), Colour(0.40, 0.28, 0.16),
    Colour(0.30, 0.38, 0.42),
  ]

  /// Where the body and the four wheels are, once the car has gone `way` metres.
  func poses(at body: Pose, way: Double) -> [Pose] {
    let spin = Pose.swing(way / wheel).inverse
    let (_, half) = halfSize
    return [body]
      + [(axle, half), (axle, -half), (-axle, half), (-axle, -half)].map {
        body(.shift($0.0, $0.1 - ($0.1 > 0 ? 0.1 : -0.1), wheel))(spin)
      }
  }

  func build(into scene: inout StreetScene, part: Int32) {
    var random = StreetRandom(seed: style, 32)
    let (length, wide) = halfSize
    var paint = StreetMaterial(
      paint: .bodywork, label: .car,
      colour: kind == .bus ? Colour(0.02, 0.02, 0.4) : random.pick(Self.paints))
    paint.numbers = SIMD4(Float(length), Float(wide), Float(axle), Float(sections[1].belt))
    paint.more.y = -1
    let body = scene.add(paint)
    paint.more.y = 1
    let front = scene.add(paint)
    let glass = scene.add(
      StreetMaterial(paint: .glass, label: .car, colour: Colour(0.018, 0.018, 0.016)))
    addShell(to: &scene, body: body, front: front, glass: glass, part: part)
    addWheels(to: &scene, part: part)
    let pose = scene.poses[Int(part)]
    addShadows(to: &scene, pose)
  }

  private func addShadows(to scene: inout StreetScene, _ pose: Pose) {
    let (length, wide) = halfSize
    let low = Vector(0, 0, -pose.origin.z)
    scene.addShadow(
      pose.origin + low, pose.x * (length * 1.1), pose.y * (wide * 1.3), strength: 0.9, kind: 1)
    let sun = Vector(scene.surroundings.light.sun)
    let drop = Vector(-sun.x, -sun.y, 0) * (0.8 / sun.z)
    scene.addShadow(
      pose.origin + drop + low, pose.x * (length * 1.15), pose.y * (wide * 1.35), strength: 0.6,
      kind: 1)
  }

  private func addWheels(to scene: inout StreetScene, part: Int32) {
    let rubber = scene.add(
      StreetMaterial(paint: .wheel, label: .car, colour: Colour(repeating: 0.02)))
    let dark = scene.paint(.car, 0.01, 0.01, 0.01)
    for index in 1...4 {
      scene.addQuadric(
        .ellipsoid, .zero, Vector(wheel, 0, 0), Vector(0, 0, wheel), Vector(0, 0.125, 0),
        material: rubber, part: part + Int32(index))
    }
    // The underside, so that no light shows through between the wheels.
    let (length, wide) = halfSize
    scene.addBox(
      Vector(0, 0, 0.3), Vector(length * 0.92, 0, 0), Vector(0, wide * 0.82, 0), Vector(0, 0, 0.13),
      material: dark, part: part)
  }

  // MARK: The shell

  /// The corners of one side of a cross-section, from the sill up to the middle of the roof.
  private func ring(_ section: Section, _ side: Double) -> [Vector] {
    let (length, half) = halfSize
    let (x, y) = (section.x * length, section.wide * half * side)
    let middle = (section.low + section.belt) * 0.52
    let crown = section.top - section.belt > 0.3 ? 0.05 : 0.03
    return [
      Vector(x, y * 0.93, section.low), Vector(x, y * 1.01, middle),
      Vector(x, y * 0.965, section.belt),
      Vector(x, section.roof * half * side, section.top - 0.03), Vector(x, 0, section.top + crown),
    ]
  }

  private func addShell(
    to scene: inout StreetScene, body: Int32, front: Int32, glass: Int32, part: Int32
  ) {
    let list = sections
    for side in [-1.0, 1.0] {
      let rings = list.map { ring($0, side) }
      let smooth = normals(rings, side)
      for index in 0..<(list.count - 1) {
        for strip in 0..<4 {
          let isGlass = isGlass(list[index], list[index + 1], strip)
          let material = isGlass ? glass : (index * 2 >= list.count ? front : body)
          let at = [(index, strip), (index + 1, strip), (index + 1, strip + 1), (index, strip + 1)]
          let points = at.map { rings[$0.0][$0.1] }, ups = at.map { smooth[$0.0][$0.1] }
          for corners in [[0, 1, 2], [0, 2, 3]] {
            addFace(
              to: &scene, corners.map { points[$0] }, corners.map { ups[$0] }, material: material,
              part: part)
          }
        }
      }
      for end in [0, list.count - 1] {
        let outline = rings[end] + [Vector(rings[end][4].x, 0, rings[end][0].z)]
        let lay = StreetScene.Lay(
          origin: .zero, u: Vector(0, 1, 0), v: Vector(0, 0, 1), side: 0)
        scene.addPolygon(outline, lay: lay, material: end == 0 ? body : front, part: part)
      }
    }
  }

  /// Windows lie between belt and roof; a steep rise of the roof line is a windscreen.
  private func isGlass(_ a: Section, _ b: Section, _ strip: Int) -> Bool {
    let tall = 0.28
    let (low, high) = (min(a.top - a.belt, b.top - b.belt), max(a.top - a.belt, b.top - b.belt))
    switch (kind, strip) {
    case (.bus, 2): return true
    case (.van, 2): return high > tall && a.x > 0.1
    case (_, 2): return high > tall
    case (.bus, 3): return false
    case (_, 3): return high > tall && low < tall
    default: return false
    }
  }

  /// Normals at the corners of all rings, each the mean of the faces around it.
  private func normals(_ rings: [[Vector]], _ side: Double) -> [[Vector]] {
    rings.indices.map { i in
      rings[i].indices.map { j in
        let ahead = rings[min(i + 1, rings.count - 1)][j] - rings[max(i - 1, 0)][j]
        let up = rings[i][min(j + 1, 4)] - rings[i][max(j - 1, 0)]
        let across = j == 4 ? Vector(0, -side, 0) : up
        let normal = cross(ahead, across) * -side * -1
        return normalised(side > 0 ? -normal : normal) * -1
      }
    }
  }

  /// A triangle whose normal runs evenly from corner to corner.
  private func addFace(
    to scene: inout StreetScene, _ p: [Vector], _ normals: [Vector], material: Int32, part: Int32
  ) {
    let flat = cross(p[1] - p[0], p[2] - p[0])
    guard dot(flat, flat) > 1e-10 else { return }
    let size = (abs(flat.x), abs(flat.y), abs(flat.z))
    let side: UInt8 = size.0 > max(size.1, size.2) ? 0 : (size.1 > size.2 ? 1 : 2)
    let u = side == 0 ? Vector(0, 1, 0) : Vector(1, 0, 0)
    let v = side == 2 ? Vector(0, 1, 0) : Vector(0, 0, 1)
    let (u0, v0) = (dot(p[0], u), dot(p[0], v))
    let (u1, v1) = (dot(p[1], u) - u0, dot(p[1], v) - v0)
    let (u2, v2) = (dot(p[2], u) - u0, dot(p[2], v) - v0)
    let scale = 1 / (u1 * v2 - u2 * v1)
    let (d1, d2) = (normals[1] - normals[0], normals[2] - normals[0])
    let alongU = (d1 * v2 - d2 * v1) * scale, alongV = (d2 * u1 - d1 * u2) * scale
    let base = normals[0] - alongU * u0 - alongV * v0
    let lay = StreetScene.Lay(
      origin: .zero, u: u, v: v,
      normals: (SIMD3<Float>(base), SIMD3<Float>(alongU), SIMD3<Float>(alongV)), side: side)
    scene.addPolygon(p, lay: lay, material: material, part: part)
  }
}
