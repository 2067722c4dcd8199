// SPDX-License-Identifier: Apache-2.0

/// What the rays through a band of samples meet first: a depth buffer with the surface's number.
///
/// Samples lie half a pixel apart: column i is at x = i/2 − 1/2, row j at y = j/2 − 1/2, so the odd
/// ones are pixel centres and every picture is framed by samples on its outer edge.
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
    trace(scene, scene.order, rows: rows, step: centresOnly ? 2 : 1)
  }

  /// Draws surfaces over what is there; `step` 2 sees the centres of pixels only.
  private func trace(_ scene: StreetScene, _ numbers: [Int32], rows: Range<Int>, step: Int) {
    scene.surfaces.withUnsafeBufferPointer { list in
      scene.materials.withUnsafeBufferPointer { materials in
        scene.corners.withUnsafeBufferPointer { corners in
          var tracer = StreetTracer(band: self, camera: scene.camera, corners: corners, rows: rows)
          tracer.step = step
          for number in numbers {
            tracer.add(list[Int(number)], number, materials[Int(list[Int(number)].material)])
          }
        }
      }
    }
  }

  /// How many pixels' centres between these columns see any of the surfaces, were they alone.
  ///
  /// What was traced in these rows is lost.
  func count(
    _ scene: StreetScene, of surfaces: [Int32], rows: Range<Int>, columns: ClosedRange<Int>
  ) -> Int {
    let odd = stride(from: rows.lowerBound | 1, to: rows.upperBound, by: 2)
    let span = 2 * columns.lowerBound + 1...2 * columns.upperBound + 1
    for row in odd {
      (depths + index(span.lowerBound, row)).update(repeating: Self.farthest, count: span.count)
      (self.surfaces + index(span.lowerBound, row)).update(repeating: 0, count: span.count)
    }
    trace(scene, surfaces, rows: rows, step: 2)
    return odd.reduce(0) { sum, row in
      let first = index(span.lowerBound, row)
      return stride(from: first, through: first + span.count - 1, by: 2).reduce(sum) {
        $0 + (self.surfaces[$1] == 0 ? 0 : 1)
      }
    }
  }

  /// Lays the soft shadows on what was traced.
  func shade(_ scene: StreetScene, rows: Range<Int>) {
    (shades + index(0, rows.lowerBound)).update(repeating: 0, count: rows.count * columns)
    scene.surfaces.withUnsafeBufferPointer { list in
      scene.materials.withUnsafeBufferPointer { materials in
        scene.corners.withUnsafeBufferPointer { corners in
          let tracer = StreetTracer(band: self, camera: scene.camera, corners: corners, rows: rows)
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
