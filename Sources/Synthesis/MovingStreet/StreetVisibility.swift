// SPDX-License-Identifier: Apache-2.0

/// What the rays through a band of samples meet first: a depth buffer with the surface's number.
///
/// Samples lie half a pixel apart: column i is at x = i/2 − 1/2, row j at y = j/2 − 1/2, so the odd ones
/// are pixel centres and every picture is framed by samples on its outer edge.
// Threads that trace the same buffer must be given rows of their own.
final class StreetVisibility {
  /// 1 / depth beyond which nothing is drawn: ten kilometres.
  private static let farthest: Float = 1e-4
  /// Samples a row: 2 × width + 1.
  let columns: Int
  private let count: Int
  private var firstRow: Int
  /// 1 / depth, `farthest` where there is only sky.
  let depths: UnsafeMutablePointer<Float>
  /// The surface's number, 0 for the sky.
  let surfaces: UnsafeMutablePointer<Int32>
  /// How much of the sun is kept off by what stands nearby, 0 … 1; as many as the rest, or none.
  let shades: UnsafeMutablePointer<Float>

  /// Room for these rows of samples, with shades or without.
  init(width: Int, rows: Range<Int>, isShaded: Bool = false) {
    columns = 2 * width + 1
    (count, firstRow) = (rows.count, rows.lowerBound)
    depths = .allocate(capacity: columns * count)
    surfaces = .allocate(capacity: columns * count)
    shades = .allocate(capacity: isShaded ? columns * count : 0)
  }

  deinit {
    depths.deallocate()
    surfaces.deallocate()
    shades.deallocate()
  }

  /// Makes the room serve the rows from this one on.
  func move(to row: Int) { firstRow = row }

  /// Sees the scene in these rows of samples; of all samples, or only of the centres of pixels.
  func trace(_ scene: StreetScene, rows: Range<Int>, centresOnly: Bool = false) {
    let start = index(0, rows.lowerBound), length = rows.count * columns
    precondition(start >= 0 && start + length <= columns * count, "\(rows) are not in the band")
    (depths + start).update(repeating: Self.farthest, count: length)
    (surfaces + start).update(repeating: 0, count: length)
    scene.surfaces.withUnsafeBufferPointer { list in
      scene.materials.withUnsafeBufferPointer { materials in
        scene.corners.withUnsafeBufferPointer { corners in
          var tracer = Tracer(band: self, camera: scene.camera, corners: corners, rows: rows)
          tracer.step = centresOnly ? 2 : 1
          for number in scene.order {
            tracer.add(list[Int(number)], number, materials[Int(list[Int(number)].material)])
          }
        }
      }
    }
  }

  /// Lays the soft shadows on what was traced.
  func shade(_ scene: StreetScene, rows: Range<Int>) {
    (shades + index(0, rows.lowerBound)).update(repeating: 0, count: rows.count * columns)
    scene.surfaces.withUnsafeBufferPointer { list in
      scene.materials.withUnsafeBufferPointer { materials in
        scene.corners.withUnsafeBufferPointer { corners in
          let tracer = Tracer(band: self, camera: scene.camera, corners: corners, rows: rows)
          for shadow in scene.shadows { tracer.shade(shadow, list, materials) }
        }
      }
    }
  }

  /// Whether one surface fills the pixel, whose samples beside the centre then need no colour.
  @inline(__always)
  func isUniform(_ x: Int, _ y: Int) -> Bool {
    let (a, b, c) = (index(2 * x, 2 * y), index(2 * x, 2 * y + 1), index(2 * x, 2 * y + 2))
    let own = surfaces[b + 1]
    var other = (surfaces[a] ^ own) | (surfaces[a + 1] ^ own) | (surfaces[a + 2] ^ own)
    other |= (surfaces[b] ^ own) | (surfaces[b + 2] ^ own)
    other |= (surfaces[c] ^ own) | (surfaces[c + 1] ^ own) | (surfaces[c + 2] ^ own)
    return other == 0
  }

  /// Whether the sample between two pixels takes part in either.
  @inline(__always)
  func isNeeded(_ i: Int, _ j: Int, within rows: Range<Int>) -> Bool {
    if (i ^ j) & 1 == 0 { return true }
    if j & 1 == 1 {
      let (left, right) = (i / 2 - 1, i / 2)
      return left >= 0 && !isUniform(left, j / 2)
        || 2 * right + 1 < columns && !isUniform(right, j / 2)
    }
    let (above, below) = (j / 2 - 1, j / 2)
    return above >= rows.lowerBound && !isUniform(i / 2, above)
      || below < rows.upperBound && !isUniform(i / 2, below)
  }

  /// Where the sample at column `i`, row `j` is in the buffers.
  @inline(__always)
  func index(_ i: Int, _ j: Int) -> Int { (j &- firstRow) &* columns &+ i }
}

/// Draws surfaces into a band, one after the other, keeping what is nearest.
private struct Tracer {
  let band: StreetVisibility
  let camera: StreetCamera
  let corners: UnsafeBufferPointer<SIMD2<Double>>
  let rows: Range<Int>
  /// From one sample to the next: 2 takes the odd ones only.
  var step = 1
  private let cutouts = StreetCutouts(textures: .shared)

  init(
    band: StreetVisibility, camera: StreetCamera, corners: UnsafeBufferPointer<SIMD2<Double>>,
    rows: Range<Int>
  ) {
    (self.band, self.camera, self.corners, self.rows) = (band, camera, corners, rows)
  }

  private var pixel: Float { Float(1 / camera.focal) }

  func add(_ surface: StreetSurface, _ number: Int32, _ material: StreetMaterial) {
    let first = max(rows.lowerBound, Int((2 * surface.top + 1).rounded(.up).bounded))
    let last = min(rows.upperBound - 1, Int((2 * surface.bottom + 1).rounded(.down).bounded))
    guard first <= last else { return }
    for row in stride(from: step == 2 ? first | 1 : first, through: last, by: step) {
      switch (surface.shape, material.isCutOut) {
      case (.polygon, false): drawPolygon(surface, number, row)
      case (.polygon, true): drawCutOut(surface, number, material, row)
      default: drawQuadric(surface, number, material, row)
      }
    }
  }

  /// The first and last column of samples of row `row` inside the polygon.
  @inline(__always)
  private func span(_ range: Range<Int32>, _ row: Int) -> (Int, Int) {
    let y = Double(row) * 0.5 - 0.5
    var (low, high) = (Double.infinity, -Double.infinity)
    var a = corners[Int(range.upperBound) - 1]
    for index in Int(range.lowerBound)..<Int(range.upperBound) {
      let b = corners[index]
      if (a.y <= y) != (b.y <= y) {
        let x = a.x + (b.x - a.x) * ((y - a.y) / (b.y - a.y))
        (low, high) = (min(low, x), max(high, x))
      }
      a = b
    }
    guard low <= high else { return (0, -1) }
    let (left, right) = (2 * max(low, -1) + 1, 2 * min(high, 1e6) + 1)
    return (max(0, Int(left.rounded(.up))), min(band.columns - 1, Int(right.rounded(.down))))
  }

  /// 1 / depth along a row is linear in the column: its value at column 0, and its step.
  @inline(__always)
  private func inverseDepth(_ plane: SIMD4<Float>, _ row: Int) -> (Float, Float) {
    let f = camera.focal
    let (across, down) = (Double(plane.x), Double(plane.y))
    let y = (Double(row) * 0.5 - 0.5 - camera.centreY) / f
    let x = (-0.5 - camera.centreX) / f
    let scale = -1 / Double(plane.w)
    return (
      Float((across * x + down * y + Double(plane.z)) * scale), Float(across * scale * 0.5 / f)
    )
  }

  private func drawPolygon(_ surface: StreetSurface, _ number: Int32, _ row: Int) {
    let (first, last) = span(surface.corners, row)
    guard first <= last else { return }
    let (base, step) = inverseDepth(surface.rows.2, row)
    let depths = band.depths + band.index(0, row), surfaces = band.surfaces + band.index(0, row)
    if self.step == 2 {
      for i in stride(from: first | 1, through: last, by: 2) {
        let depth = base + step * Float(Int32(truncatingIfNeeded: i))
        if depth > depths[i] { (depths[i], surfaces[i]) = (depth, number) }
      }
      return
    }
    for i in first...last {
      let depth = base + step * Float(Int32(truncatingIfNeeded: i))
      let isNearer = depth > depths[i]
      depths[i] = isNearer ? depth : depths[i]
      surfaces[i] = isNearer ? number : surfaces[i]
    }
  }

  private func drawCutOut(
    _ surface: StreetSurface, _ number: Int32, _ material: StreetMaterial, _ row: Int
  ) {
    let (first, last) = span(surface.corners, row)
    guard first <= last else { return }
    let (base, step) = inverseDepth(surface.rows.2, row)
    let depths = band.depths + band.index(0, row), surfaces = band.surfaces + band.index(0, row)
    let ray = Ray(surface.rows, camera, row)
    for i in stride(from: self.step == 2 ? first | 1 : first, through: last, by: self.step) {
      let depth = base + step * Float(i)
      guard depth > depths[i] else { continue }
      let (m, z) = (ray.direction(i), 1 / depth)
      let place = ray.origin + m * z
      guard isSolid(material, place, edge: 0, footprint: z * pixel) else { continue }
      (depths[i], surfaces[i]) = (depth, number)
    }
  }

  private func drawQuadric(
    _ surface: StreetSurface, _ number: Int32, _ material: StreetMaterial, _ row: Int
  ) {
    let first = max(0, Int((2 * surface.left + 1).rounded(.up).bounded))
    let last = min(band.columns - 1, Int((2 * surface.right + 1).rounded(.down).bounded))
    guard first <= last else { return }
    let depths = band.depths + band.index(0, row), surfaces = band.surfaces + band.index(0, row)
    let ray = Ray(surface.rows, camera, row)
    let isOpen = surface.shape == .cylinder
    let start = step == 2 ? first | 1 : first
    for i in stride(from: start, through: last, by: step) where surface.nearest > depths[i] {
      let m = ray.direction(i)
      let (flat, foot) = isOpen ? (m.flat, ray.origin.flat) : (m, ray.origin)
      let length = dot(flat, flat)
      let middle = -dot(flat, foot) / length
      let off = foot + flat * middle
      let edge = dot(off, off)
      guard edge < 1 else { continue }
      let half = ((1 - edge) / length).squareRoot()
      var z = middle - half
      if !(z > 0 && 1 > z * depths[i]
        && isSolid(material, ray.origin + m * z, edge: edge, footprint: z * pixel, isOpen))
      {
        z = middle + half
        guard material.isCutOut, 1 > z * depths[i],
          isSolid(material, ray.origin + m * z, edge: edge, footprint: z * pixel)
        else { continue }
      }
      (depths[i], surfaces[i]) = (1 / z, number)
    }
  }

  @inline(__always)
  private func isSolid(
    _ material: StreetMaterial, _ place: SIMD3<Float>, edge: Float, footprint: Float,
    _ isOpen: Bool = false
  ) -> Bool {
    if isOpen && abs(place.z) > 1 { return false }
    return !material.isCutOut
      || cutouts.isSolid(material, place, edge: edge, footprint: footprint)
  }

  /// Darkens the samples of level ground that a shadow falls on.
  func shade(
    _ shadow: StreetShadow, _ list: UnsafeBufferPointer<StreetSurface>,
    _ materials: UnsafeBufferPointer<StreetMaterial>
  ) {
    let first = max(rows.lowerBound, Int((2 * shadow.top + 1).rounded(.up).bounded))
    let last = min(rows.upperBound - 1, Int((2 * shadow.bottom + 1).rounded(.down).bounded))
    guard first <= last else { return }
    for row in first...last {
      let (left, right) = span(shadow.corners, row)
      guard left <= right else { continue }
      let ray = Ray(shadow.rows, camera, row)
      for i in left...right {
        let at = band.index(i, row)
        let paint = materials[Int(list[Int(band.surfaces[at])].material)].paint
        guard paint == .road || paint == .pavement || paint == .grass else { continue }
        let place = ray.origin + ray.direction(i) * (1 / band.depths[at])
        let shade = shadow.strength * cutouts.shadow(shadow.kind, place.x, place.y)
        band.shades[at] = 1 - (1 - band.shades[at]) * (1 - shade)
      }
    }
  }
}

/// The rays through a row of samples, in a surface's own coordinates.
private struct Ray {
  let origin: SIMD3<Float>
  private let start: SIMD3<Float>
  private let step: SIMD3<Float>

  init(_ rows: (SIMD4<Float>, SIMD4<Float>, SIMD4<Float>), _ camera: StreetCamera, _ row: Int) {
    let f = camera.focal
    let x = Float((-0.5 - camera.centreX) / f)
    let y = Float((Double(row) * 0.5 - 0.5 - camera.centreY) / f)
    origin = SIMD3(rows.0.w, rows.1.w, rows.2.w)
    let across = SIMD3(rows.0.x, rows.1.x, rows.2.x), down = SIMD3(rows.0.y, rows.1.y, rows.2.y)
    let ahead = SIMD3(rows.0.z, rows.1.z, rows.2.z)
    start = ahead + across * x + down * y
    step = across * Float(0.5 / f)
  }

  /// How the coordinates change for a metre of depth, at column `i`.
  @inline(__always)
  func direction(_ i: Int) -> SIMD3<Float> { start + step * Float(i) }
}

extension SIMD3<Float> {
  /// The first two coordinates alone.
  @inline(__always)
  fileprivate var flat: Self { Self(x, y, 0) }
}

extension Float {
  /// Small enough to be an integer.
  fileprivate var bounded: Float { Swift.min(Swift.max(self, -1e6), 1e6) }
}
