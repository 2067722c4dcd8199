// SPDX-License-Identifier: Apache-2.0

/// Everything one frame's camera may see, in that camera's axes, and the light it stands in.
struct StreetScene: Sendable {
  let camera: StreetCamera
  let surroundings: StreetSurroundings
  let time: Double
  var surfaces: [StreetSurface] = []
  var materials: [StreetMaterial] = []
  var shadows: [StreetShadow] = []
  /// (x, y) on screen of every polygon's corners.
  var corners: [SIMD2<Double>] = []
  /// Where each moving part is; the first stands still.
  var poses: [Pose] = [.identity]
  var actors: [StreetActor] = []
  /// Which actor each part is of; −1 for what stands still.
  var owners: [Int32] = [-1]
  /// The surfaces' numbers, the nearest first, without the sky.
  private(set) var order: [Int32] = []

  private static let near = 0.12

  init(camera: StreetCamera, surroundings: StreetSurroundings, time: Double) {
    (self.camera, self.surroundings, self.time) = (camera, surroundings, time)
    surfaces.reserveCapacity(4096)
    // Surface 0 is the sky: what is seen where nothing is hit.
    materials.append(StreetMaterial(paint: .backdrop, label: .sky, colour: .zero))
    let nothing = (SIMD4<Float>(), SIMD4<Float>(), SIMD4<Float>())
    let level = (SIMD3<Float>(), SIMD3<Float>(), SIMD3<Float>())
    surfaces.append(
      StreetSurface(shape: .polygon, material: 0, part: -1, rows: nothing, normal: level))
  }

  /// Sorts what was added, so that what hides most is drawn first.
  mutating func finish() {
    order = (1..<Int32(surfaces.count)).sorted {
      let (a, b) = (surfaces[Int($0)].nearest, surfaces[Int($1)].nearest)
      return a == b ? $0 < $1 : a > b
    }
  }

  mutating func add(_ material: StreetMaterial) -> Int32 {
    materials.append(material)
    return Int32(materials.count - 1)
  }

  /// A row of the map from camera axes to a surface's own: along `dual`, counted from `origin`.
  private func row(_ dual: Vector, from origin: Vector) -> SIMD4<Float> {
    let turned = camera.turned(dual)
    let offset = dot(dual, camera.position - origin)
    return SIMD4(Float(turned.x), Float(turned.y), Float(turned.z), Float(offset))
  }

  // MARK: Polygons

  /// The lay of a polygon's coordinates in its part: u and v grow along these, from `origin`.
  struct Lay {
    var origin: Vector
    var u: Vector
    var v: Vector
    /// Normals at the corners' (u, v), for a body that should look round; nil for a flat look.
    var normals: (SIMD3<Float>, SIMD3<Float>, SIMD3<Float>)?
    var side: UInt8 = 0
  }

  /// Adds a convex polygon, corners in order either way round, given in the axes of its part.
  mutating func addPolygon(
    _ corners: [Vector], lay: Lay, material: Int32, part: Int32 = 0, closed: Bool = false
  ) {
    let pose = poses[Int(part)]
    let placed = corners.map { pose.point($0) }
    var normal = normalised(cross(placed[1] - placed[0], placed[corners.count - 1] - placed[0]))
    let offset = dot(normal, camera.position - placed[0])
    if abs(offset) < 1e-4 { return }
    if offset < 0 {
      if closed { return }
      normal = -normal
    }
    guard let outline = outline(of: placed) else { return }
    let origin = pose.point(lay.origin)
    var surface = StreetSurface(
      shape: .polygon, side: lay.side, material: material, part: part,
      rows: (
        row(pose.direction(lay.u), from: origin), row(pose.direction(lay.v), from: origin),
        row(normal, from: placed[0])
      ),
      normal: (SIMD3<Float>(normal), SIMD3(), SIMD3()))
    if let smooth = lay.normals {
      let turned = { (n: SIMD3<Float>) in SIMD3<Float>(pose.direction(Vector(n))) }
      surface.normal = (turned(smooth.0), turned(smooth.1), turned(smooth.2))
    }
    bound(&surface, by: outline)
    surfaces.append(surface)
  }

  private mutating func bound(
    _ surface: inout StreetSurface, by outline: (range: Range<Int32>, nearest: Double)
  ) {
    let own = corners[Int(outline.range.lowerBound)..<Int(outline.range.upperBound)]
    surface.corners = outline.range
    surface.nearest = Float(1 / outline.nearest)
    surface.left = Float(own.reduce(.infinity) { min($0, $1.x) })
    surface.right = Float(own.reduce(-.infinity) { max($0, $1.x) })
    surface.top = Float(own.reduce(.infinity) { min($0, $1.y) })
    surface.bottom = Float(own.reduce(-.infinity) { max($0, $1.y) })
  }

  /// Where the corners appear, cut off in front of the camera; nil if nothing of it can be seen.
  private mutating func outline(of placed: [Vector]) -> (range: Range<Int32>, nearest: Double)? {
    let seen = placed.map { camera.view($0) }
    var kept: [Vector] = []
    for (index, b) in seen.enumerated() {
      let a = seen[index == 0 ? seen.count - 1 : index - 1]
      if (a.z < Self.near) != (b.z < Self.near) {
        let cut = a + (b - a) * ((Self.near - a.z) / (b.z - a.z))
        kept.append(Vector(cut.x, cut.y, Self.near))
      }
      if b.z >= Self.near { kept.append(b) }
    }
    let (wide, high) = (camera.centreX + 1, camera.centreY + 1)
    let f = camera.focal
    guard kept.count >= 3,
      kept.contains(where: { f * $0.x > -wide * $0.z }),
      kept.contains(where: { f * $0.x < wide * $0.z }),
      kept.contains(where: { f * $0.y > -high * $0.z }),
      kept.contains(where: { f * $0.y < high * $0.z })
    else { return nil }
    let first = Int32(corners.count)
    for p in kept {
      corners.append(SIMD2(camera.centreX + f * p.x / p.z, camera.centreY + f * p.y / p.z))
    }
    return (first..<Int32(corners.count), kept.reduce(.infinity) { min($0, $1.z) })
  }

  /// Adds a parallelogram from `corner` along two edges; u and v are metres along them.
  mutating func addSheet(
    _ corner: Vector, _ along: Vector, _ up: Vector, material: Int32, part: Int32 = 0,
    closed: Bool = false
  ) {
    addPolygon(
      [corner, corner + along, corner + along + up, corner + up],
      lay: Lay(origin: corner, u: normalised(along), v: normalised(up)), material: material,
      part: part, closed: closed)
  }

  // MARK: Quadrics

  /// Adds an ellipsoid (or, round its third axis, a cylinder) from its centre and half axes.
  mutating func addQuadric(
    _ shape: StreetSurface.Shape, _ centre: Vector, _ a: Vector, _ b: Vector, _ c: Vector,
    material: Int32, part: Int32 = 0
  ) {
    let pose = poses[Int(part)]
    let (middle, a, b, c) = (
      pose.point(centre), pose.direction(a), pose.direction(b), pose.direction(c)
    )
    let duals = (a / dot(a, a), b / dot(b, b), c / dot(c, c))
    var surface = StreetSurface(
      shape: shape, material: material, part: part,
      rows: (row(duals.0, from: middle), row(duals.1, from: middle), row(duals.2, from: middle)),
      normal: (
        SIMD3<Float>(duals.0), SIMD3<Float>(duals.1),
        shape == .cylinder ? SIMD3<Float>() : SIMD3<Float>(duals.2)
      ))
    guard bound(&surface, camera.view(middle), [a, b, c].map { camera.turned($0) }) else { return }
    surfaces.append(surface)
  }

  /// Bounds by the corners of the box around it; false if it cannot be seen.
  private func bound(
    _ surface: inout StreetSurface, _ centre: Vector, _ axes: [Vector]
  ) -> Bool {
    let reach = axes.reduce(0) { $0 + abs($1.z) }
    guard centre.z - reach > Self.near else { return false }
    var (low, high) = (SIMD2(repeating: Double.infinity), SIMD2(repeating: -Double.infinity))
    for corner in 0..<8 {
      let a = corner & 1 == 0 ? axes[0] : -axes[0]
      let b = corner & 2 == 0 ? axes[1] : -axes[1]
      let c = corner & 4 == 0 ? axes[2] : -axes[2]
      let p = centre + a + b + c
      let q = SIMD2(p.x / p.z, p.y / p.z) * camera.focal + SIMD2(camera.centreX, camera.centreY)
      (low, high) = (pointwiseMin(low, q), pointwiseMax(high, q))
    }
    (surface.left, surface.top) = (Float(low.x), Float(low.y))
    (surface.right, surface.bottom) = (Float(high.x), Float(high.y))
    surface.nearest = Float(1 / (centre.z - reach))
    return high.x > -1 && low.x < 2 * camera.centreX + 1 && high.y > -1
      && low.y < 2 * camera.centreY + 1
  }

  // MARK: Shadows

  /// Darkens the ground (of height `centre.z`) around `centre`, out to the half axes.
  mutating func addShadow(
    _ centre: Vector, _ a: Vector, _ b: Vector, strength: Float, kind: UInt8
  ) {
    guard
      let outline = outline(of: [centre - a - b, centre + a - b, centre + a + b, centre - a + b])
    else { return }
    let own = corners[Int(outline.range.lowerBound)..<Int(outline.range.upperBound)]
    // a and b need not be square to each other: the rows are the dual of the pair.
    let scale = a.x * b.y - a.y * b.x
    guard abs(scale) > 1e-9 else { return }
    shadows.append(
      StreetShadow(
        rows: (
          row(Vector(b.y, -b.x, 0) / scale, from: centre),
          row(Vector(-a.y, a.x, 0) / scale, from: centre), row(Vector(0, 0, 1), from: centre)
        ), corners: outline.range, top: Float(own.reduce(.infinity) { min($0, $1.y) }),
        bottom: Float(own.reduce(-.infinity) { max($0, $1.y) }), strength: strength, kind: kind))
  }
}
