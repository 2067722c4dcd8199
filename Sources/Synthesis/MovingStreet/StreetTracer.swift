// SPDX-License-Identifier: Apache-2.0

/// Draws surfaces into a band, one after the other, keeping what is nearest.
struct StreetTracer {
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
    let ray = StreetRay(surface.rows, camera, row)
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
    let ray = StreetRay(surface.rows, camera, row)
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
      let ray = StreetRay(shadow.rows, camera, row)
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
private struct StreetRay {
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
