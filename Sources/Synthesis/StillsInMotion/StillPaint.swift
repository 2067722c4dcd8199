// SPDX-License-Identifier: Apache-2.0

internal import Video

/// Gives each pixel of a frame its colour and its class.
struct StillPaint {
  let size: PixelSize
  let pixels: UnsafeMutableRawBufferPointer
  let shown: UnsafeMutablePointer<UInt8>
  let x: UnsafeMutablePointer<Float>, y: UnsafeMutablePointer<Float>
  let nearness: UnsafeMutablePointer<Float>

  /// Paints what the mesh shows; what lies beyond the still is its mirror image, and void.
  func paint(
    _ scene: StillScene, classes: [UInt8]?, void: UInt8, labels: UnsafeMutableRawBufferPointer?
  ) {
    guard let out = pixels.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
    let (right, bottom) = (Float(scene.width) - 0.5, Float(scene.height) - 0.5)
    let (count, width) = (size.width * size.height, scene.width)
    scene.plate.texels.withUnsafeBufferPointer { texels in
      guard let start = texels.baseAddress else { return }
      let texture = StillTexels(start, width: scene.width, height: scene.height)
      for pixel in 0..<count {
        let (x, y) = (x[pixel], y[pixel])
        let (u, v) = (Self.mirrored(x, right - 0.5), Self.mirrored(y, bottom - 0.5))
        StillTexels.store(texture.lanes(x: u, y: v), to: out + 3 &* pixel)
        let isInside = x >= -0.5 && y >= -0.5 && x < right && y < bottom && nearness[pixel] >= 0
        shown[pixel] = isInside ? 0 : StillFrame.nothing
      }
    }
    guard let classes, let labels else { return }
    classes.withUnsafeBufferPointer { classes in
      for pixel in 0..<count {
        let at = Int(y[pixel] + 0.5) &* width &+ Int(x[pixel] + 0.5)
        labels[pixel] = shown[pixel] == 0 ? classes[at] : void
      }
    }
  }

  /// A place beyond an edge, the last one being at `end`, as far on this side of it.
  @inline(__always)
  private static func mirrored(_ place: Float, _ end: Float) -> Float {
    let inner = abs(place)
    return inner > end ? 2 * end - inner : inner
  }

  /// Paints a cut-out over it; its pixels are those that are opaque at least by half.
  func paint(_ layer: SeenLayer, number: Int, labels: UnsafeMutableRawBufferPointer?) {
    let (columns, rows) = (clipped(layer.columns, size.width), clipped(layer.rows, size.height))
    guard let columns, let rows else { return }
    let texture = layer.cutout.texture
    let (right, bottom) = (Float(texture.width - 1), Float(texture.height - 1))
    let (toU, toV, toW) = layer.fromPixels.rows
    texture.texels.withUnsafeBufferPointer { texels in
      guard let start = texels.baseAddress else { return }
      let reader = StillTexels(start, width: texture.width, height: texture.height)
      for row in rows {
        let u0 = Float(toU.y * Double(row) + toU.z), v0 = Float(toV.y * Double(row) + toV.z)
        let (w0, uStep) = (Float(toW.y * Double(row) + toW.z), Float(toU.x))
        let (vStep, wStep) = (Float(toV.x), Float(toW.x))
        for column in columns {
          let along = Float(column)
          let scale = 1 / (w0 + wStep * along)
          let (u, v) = ((u0 + uStep * along) * scale, (v0 + vStep * along) * scale)
          guard u > 0, v > 0, u < right, v < bottom else { continue }
          put(
            reader.lanes(x: u, y: v), layer.cutout, number, row &* size.width &+ column, (u, v),
            labels)
        }
      }
    }
  }

  @inline(__always)
  private func put(
    _ colour: StillTexels.Lanes, _ cutout: StillCutout, _ number: Int, _ pixel: Int,
    _ place: (u: Float, v: Float), _ labels: UnsafeMutableRawBufferPointer?
  ) {
    let opacity = StillTexels.opacity(colour)
    guard opacity > 0, let out = pixels.assumingMemoryBound(to: UInt8.self).baseAddress else {
      return
    }
    StillTexels.blend(colour, over: out + 3 &* pixel)
    guard opacity >= 128 else { return }
    shown[pixel] = UInt8(truncatingIfNeeded: number &+ 1)
    (x[pixel], y[pixel]) = place
    labels?[pixel] =
      cutout.labels[Int(place.v + 0.5) &* cutout.texture.width &+ Int(place.u + 0.5)]
  }

  /// The whole numbers in a range that are at least 0 and below `count`.
  private func clipped(_ range: ClosedRange<Double>, _ count: Int) -> ClosedRange<Int>? {
    let low = max(range.lowerBound, 0), high = min(range.upperBound, Double(count - 1))
    guard low <= high else { return nil }
    let (first, last) = (Int(low.rounded(.up)), Int(high.rounded(.down)))
    return first <= last ? first...last : nil
  }
}
