// SPDX-License-Identifier: Apache-2.0

internal import Flow
internal import Video

/// One frame of a still in motion: its picture, its labels, and what each pixel shows.
///
/// Pixels are at whole coordinates. First the mesh is drawn, with a depth buffer, then the cut-outs
/// over it, the farthest first.
final class StillFrame {
  let size: PixelSize
  let image: Image
  let labels: Image?
  let surface: SeenSurface
  /// By their number in the clip; nil where one is not seen.
  let layers: [SeenLayer?]
  /// What each pixel shows: 0 the mesh, n + 1 layer n, 255 nothing that is known.
  let shown: UnsafeMutablePointer<UInt8>
  /// Where in the still, or in the layer's texture.
  let sourceX: UnsafeMutablePointer<Float>, sourceY: UnsafeMutablePointer<Float>
  /// One over the depth of the mesh; below 0 where there is none.
  let nearness: UnsafeMutablePointer<Float>

  static let nothing: UInt8 = 255
  /// As many layers can be told apart.
  static let mostLayers = 254

  init(
    _ scene: StillScene, surface: SeenSurface, layers: [SeenLayer?], size: PixelSize, void: UInt8
  ) {
    (self.size, self.surface, self.layers) = (size, surface, layers)
    let count = size.width * size.height
    (shown, nearness) = (.allocate(capacity: count), .allocate(capacity: count))
    (sourceX, sourceY) = (.allocate(capacity: count), .allocate(capacity: count))
    nearness.initialize(repeating: -1, count: count)
    sourceX.initialize(repeating: 0, count: count)
    sourceY.initialize(repeating: 0, count: count)
    StillRaster(size: size, x: sourceX, y: sourceY, nearness: nearness).draw(surface)
    let (shown, x, y, near) = (shown, sourceX, sourceY, nearness)
    var map: Image?
    image = Image(width: size.width, height: size.height, channels: 3) { pixels in
      let paint = StillPaint(size: size, pixels: pixels, shown: shown, x: x, y: y, nearness: near)
      let order = layers.indices.sorted { Self.isFarther(layers, $0, $1) }
      if let classes = scene.labels {
        map = Image(width: size.width, height: size.height, channels: 1) { labels in
          paint.paint(scene, classes: classes, void: void, labels: labels)
          for index in order {
            if let layer = layers[index] { paint.paint(layer, number: index, labels: labels) }
          }
        }
      } else {
        paint.paint(scene, classes: nil, void: void, labels: nil)
        for index in order {
          if let layer = layers[index] { paint.paint(layer, number: index, labels: nil) }
        }
      }
    }
    labels = map
  }

  private static func isFarther(_ layers: [SeenLayer?], _ one: Int, _ other: Int) -> Bool {
    let (a, b) = (layers[one]?.nearness ?? 0, layers[other]?.nearness ?? 0)
    return a != b ? a < b : one < other
  }

  deinit {
    shown.deallocate()
    sourceX.deallocate()
    sourceY.deallocate()
    nearness.deallocate()
  }
}

/// Draws a mesh: for each pixel, which place of the still is seen, and how near it is.
struct StillRaster {
  let size: PixelSize
  let x: UnsafeMutablePointer<Float>, y: UnsafeMutablePointer<Float>
  let nearness: UnsafeMutablePointer<Float>

  /// A corner on the screen, and its place in the still.
  private struct Corner {
    var x: Float, y: Float, nearness: Float
    var sourceX: Float, sourceY: Float
  }

  /// What runs evenly over a triangle: its value at (0, 0), and its growth to the right and down.
  private typealias Slope = (start: Float, right: Float, down: Float)

  func draw(_ seen: SeenSurface) {
    let (columns, rows) = (seen.surface.columns, seen.surface.rows)
    func corner(_ column: Int, _ row: Int) -> Corner? {
      let at = seen.corners[row * columns.count + column]
      guard at.w != 0 else { return nil }
      return Corner(
        x: at.x, y: at.y, nearness: at.z, sourceX: columns[column], sourceY: rows[row])
    }
    for row in 0..<(rows.count - 1) {
      for column in 0..<(columns.count - 1) {
        guard let first = corner(column, row), let last = corner(column + 1, row + 1) else {
          continue
        }
        if let right = corner(column + 1, row) { draw(first, right, last) }
        if let below = corner(column, row + 1) { draw(first, below, last) }
      }
    }
  }

  private func draw(_ a: Corner, _ b: Corner, _ c: Corner) {
    let (left, right) = (min(a.x, b.x, c.x), max(a.x, b.x, c.x))
    let (top, bottom) = (min(a.y, b.y, c.y), max(a.y, b.y, c.y))
    guard right >= 0, bottom >= 0, left <= Float(size.width - 1), top <= Float(size.height - 1)
    else { return }
    let area = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y)
    guard abs(area) > 1e-5 else { return }
    func slope(_ value: (Corner) -> Float) -> Slope {
      let (one, other) = (value(b) - value(a), value(c) - value(a))
      let right = (one * (c.y - a.y) - other * (b.y - a.y)) / area
      let down = (other * (b.x - a.x) - one * (c.x - a.x)) / area
      return (value(a), right, down)
    }
    let (u, v, near) = (slope { $0.sourceX }, slope { $0.sourceY }, slope { $0.nearness })
    let first = max(0, Int(top.rounded(.up))),
      last = min(size.height - 1, Int(bottom.rounded(.down)))
    guard first <= last else { return }
    for row in first...last {
      guard let columns = span(of: Float(row), a, b, c) else { continue }
      fill(row, columns, from: a, u, v, near)
    }
  }

  /// The pixels of a row that lie in a triangle; its edges belong to it.
  @inline(__always)
  private func span(of y: Float, _ a: Corner, _ b: Corner, _ c: Corner) -> ClosedRange<Int>? {
    var (low, high) = (Float.infinity, -Float.infinity)
    func cross(_ p: Corner, _ q: Corner) {
      guard min(p.y, q.y) <= y, max(p.y, q.y) >= y else { return }
      let rise = q.y - p.y
      let x = rise == 0 ? p.x : p.x + (q.x - p.x) * ((y - p.y) / rise)
      (low, high) = (min(low, x), max(high, x))
      if rise == 0 { (low, high) = (min(low, q.x), max(high, q.x)) }
    }
    cross(a, b)
    cross(b, c)
    cross(c, a)
    // No crack may open between neighbours that are rounded differently.
    let slack: Float = 2e-3
    let (first, last) = (max(0, low - slack), min(Float(size.width - 1), high + slack))
    guard first <= last else { return nil }
    let (from, to) = (Int(first.rounded(.up)), Int(last.rounded(.down)))
    return from <= to ? from...to : nil
  }

  @inline(__always)
  private func fill(
    _ row: Int, _ columns: ClosedRange<Int>, from a: Corner, _ u: Slope, _ v: Slope, _ near: Slope
  ) {
    let (down, start) = (Float(row) - a.y, row &* size.width)
    let (u0, v0) = (u.start + u.down * down, v.start + v.down * down)
    let near0 = near.start + near.down * down
    for column in columns {
      let right = Float(column) - a.x
      let depth = near0 + near.right * right
      let pixel = start &+ column
      guard depth > nearness[pixel] else { continue }
      nearness[pixel] = depth
      x[pixel] = u0 + u.right * right
      y[pixel] = v0 + v.right * right
    }
  }
}
