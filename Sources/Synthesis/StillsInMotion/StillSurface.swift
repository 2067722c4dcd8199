// SPDX-License-Identifier: Apache-2.0

/// All of a still that is not cut out, as a mesh of triangles with a depth at each corner.
struct StillSurface: Sendable {
  /// Places of the mesh's columns and rows in the still; the first and last lie beyond its edges,
  /// so that there is something to draw where nothing is known.
  let columns: [Float], rows: [Float]
  /// One over the depth of each corner, row by row.
  let nearness: [Float]
  /// Distance of the inner columns and rows, in pixels.
  let step: Int

  /// A mesh over a still of some size, with a depth for each place.
  init(width: Int, height: Int, nearness: (_ x: Double, _ y: Double) -> Double) {
    step = Self.step(width: width, height: height)
    let (columns, rows) = (Self.places(width, step), Self.places(height, step))
    self.nearness = rows.flatMap { y in columns.map { x in Float(nearness(Double(x), Double(y))) } }
    (self.columns, self.rows) = (columns, rows)
  }

  private init(_ surface: StillSurface, nearness: [Float]) {
    (columns, rows, step) = (surface.columns, surface.rows, surface.step)
    self.nearness = nearness
  }

  static func step(width: Int, height: Int) -> Int { max(8, max(width, height) / 80) }

  private static func places(_ size: Int, _ step: Int) -> [Float] {
    let (last, margin) = (max(size - 1, 1), Float(size) / 2)
    let inner = stride(from: 0, to: last, by: step).map { Float($0) }
    return [-margin] + inner + [Float(last), Float(last) + margin]
  }

  /// The same, further and further away from where `isFar` begins: all the way after four cells.
  func fading(where isFar: (_ x: Double, _ y: Double) -> Bool) -> StillSurface {
    var distances = rows.flatMap { y in
      columns.map { x in isFar(Double(x), Double(y)) ? Float(4) : 0 }
    }
    // Two sweeps give the distance to the nearest corner that is not far (Borgefors, 1986).
    let across = columns.count
    for corner in distances.indices.dropFirst() {
      let left = corner % across == 0 ? 4 : distances[corner - 1]
      let above = corner < across ? 4 : distances[corner - across]
      distances[corner] = min(distances[corner], left + 1, above + 1)
    }
    for corner in distances.indices.dropLast().reversed() {
      let right = corner % across == across - 1 ? 4 : distances[corner + 1]
      let below = corner + across < distances.count ? distances[corner + across] : 4
      distances[corner] = min(distances[corner], right + 1, below + 1)
    }
    let faded = zip(nearness, distances).map { $0 * (1 - min($1, 4) / 4) }
    return StillSurface(self, nearness: faded)
  }

  /// Where its corners are seen: x, y in pixels, one over the depth, and whether it lies before the
  /// camera.
  func seen(through view: StillMatrix, from pose: StillPose, of camera: StillCamera) -> SeenSurface
  {
    let project = view * camera.pixels
    let rays = camera.rays
    var corners: [SIMD4<Float>] = []
    corners.reserveCapacity(nearness.count)
    for (row, y) in rows.enumerated() {
      for (column, x) in columns.enumerated() {
        let near = Double(nearness[row * columns.count + column])
        let ray = rays * Vector(Double(x), Double(y), 1) - pose.place * near
        let turned = pose.rotation * ray
        let pixel = project * turned
        let isBefore = turned.z > 0.05
        corners.append(
          isBefore
            ? SIMD4(
              Float(pixel.x / pixel.z), Float(pixel.y / pixel.z), Float(near / turned.z), 1)
            : .zero)
      }
    }
    return SeenSurface(surface: self, corners: corners)
  }
}

/// A mesh as one camera sees it.
struct SeenSurface: Sendable {
  let surface: StillSurface
  /// x, y, one over the depth; 1, or 0 for what is not before the camera.
  let corners: [SIMD4<Float>]

  /// Where a place of the still is seen, as its corners are.
  @inline(__always)
  func place(ofX x: Float, y: Float, _ corners: UnsafePointer<SIMD4<Float>>) -> SIMD4<Float> {
    let (column, right) = cell(x, surface.columns), (row, down) = cell(y, surface.rows)
    let at = row &* surface.columns.count &+ column
    let (one, opposite) = (corners[at], corners[at &+ surface.columns.count &+ 1])
    // A cell is cut from its first corner to the opposite one.
    if right >= down {
      let corner = corners[at &+ 1]
      return one + (corner - one) * right + (opposite - corner) * down
    }
    let corner = corners[at &+ surface.columns.count]
    return one + (corner - one) * down + (opposite - corner) * right
  }

  /// The cell that a coordinate lies in, and how far into it, from 0 to 1.
  @inline(__always)
  private func cell(_ place: Float, _ places: [Float]) -> (Int, Float) {
    let inner = place < 0 ? 0 : min(Int(place) / surface.step &+ 1, places.count - 2)
    let index = place > places[places.count - 2] ? places.count - 2 : inner
    return (index, (place - places[index]) / (places[index + 1] - places[index]))
  }
}
