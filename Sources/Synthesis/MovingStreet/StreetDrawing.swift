// SPDX-License-Identifier: Apache-2.0

internal import Dispatch

/// Draws a scene band by band, several bands at a time.
struct StreetDrawing {
  let scene: StreetScene
  let width: Int, height: Int, threads: Int
  /// Rows of pixels a band.
  static let bandHeight = 24

  init(_ scene: StreetScene, width: Int, height: Int, threads: Int) {
    (self.scene, self.width, self.height, self.threads) = (scene, width, height, threads)
  }

  /// Calls `body` with every band's rows of pixels; a thread makes what it needs once, with
  /// `prepare`.
  func forEachBand<Tools>(
    prepare: @escaping () -> Tools, _ body: @escaping (Range<Int>, Tools) -> Void
  ) {
    // Safe to share: bands are disjoint rows, and all are done when `concurrentPerform` returns.
    nonisolated(unsafe) let (prepare, body) = (prepare, body)
    let count = (height + Self.bandHeight - 1) / Self.bandHeight
    let shares = min(threads, count)
    DispatchQueue.concurrentPerform(iterations: shares) { share in
      let tools = prepare()
      for band in stride(from: share, to: count, by: shares) {
        let first = band * Self.bandHeight
        body(first..<min(height, first + Self.bandHeight), tools)
      }
    }
  }

  /// Sees the whole frame at once.
  func visibility() -> StreetVisibility {
    let whole = StreetVisibility(width: width, rows: 0..<(2 * height + 1))
    // Bands share their border row; each writes only its own rows.
    forEachBand(prepare: {}) { rows, _ in
      let end = rows.upperBound == height ? 2 * height + 1 : 2 * rows.upperBound
      whole.trace(scene, rows: 2 * rows.lowerBound..<end)
    }
    return whole
  }

  /// Writes the class of every pixel, and what `record` asks for.
  func label(into labels: UnsafeMutableRawBufferPointer?, record: StreetRecord? = nil) {
    forEachBand(prepare: { bandBuffer() }) { rows, band in
      band.move(to: 2 * rows.lowerBound)
      band.trace(
        scene, rows: 2 * rows.lowerBound..<2 * rows.upperBound + 1, centresOnly: true)
      if let labels { label(rows, band, into: labels) }
      record?.note(rows, band)
      record?.measure(rows, with: band)
    }
  }

  /// Writes the picture, blue, green, red, the classes, and what `record` asks for.
  func draw(
    into image: UnsafeMutableRawBufferPointer, labels: UnsafeMutableRawBufferPointer,
    noise: UInt32, record: StreetRecord? = nil
  ) {
    let shader = StreetShader(scene), film = StreetFilm(scene, width: width, height: height, noise)
    forEachBand(prepare: { (bandBuffer(), ColourRows(count: 3, columns: 2 * width + 1)) }) {
      rows, tools in
      let (band, colours) = tools
      band.move(to: 2 * rows.lowerBound)
      band.trace(scene, rows: 2 * rows.lowerBound..<2 * rows.upperBound + 1)
      band.shade(scene, rows: 2 * rows.lowerBound..<2 * rows.upperBound + 1)
      label(rows, band, into: labels)
      record?.note(rows, band)
      for y in rows {
        // The band's first row of samples belongs to the band above as well.
        for row in (y == rows.lowerBound ? 2 * y : 2 * y + 1)...2 * y + 2 {
          shader.paint(band, row: row, within: rows, into: colours[row])
        }
        film.expose(y, band, (colours[2 * y], colours[2 * y + 1], colours[2 * y + 2]), image)
      }
      // The last use of the band: it serves as room for objects on their own.
      record?.measure(rows, with: band)
    }
  }

  /// A buffer for the samples of one band.
  func bandBuffer() -> StreetVisibility {
    StreetVisibility(width: width, rows: 0..<(2 * Self.bandHeight + 1), isShaded: true)
  }

  private func label(
    _ rows: Range<Int>, _ band: StreetVisibility, into labels: UnsafeMutableRawBufferPointer
  ) {
    for y in rows {
      for x in 0..<width {
        let surface = scene.surfaces[Int(band.surfaces[band.index(2 * x + 1, 2 * y + 1)])]
        labels[y * width + x] = scene.materials[Int(surface.material)].label.rawValue
      }
    }
  }
}

/// A few rows of colours, used in turn.
private final class ColourRows {
  private let count: Int, columns: Int
  private let colours: UnsafeMutablePointer<Colour>

  init(count: Int, columns: Int) {
    (self.count, self.columns) = (count, columns)
    colours = .allocate(capacity: count * columns)
  }

  deinit { colours.deallocate() }

  subscript(row: Int) -> UnsafeMutablePointer<Colour> { colours + row % count * columns }
}

/// The sensor: a tent over three by three samples, vignetting, exposure, tone curve and noise.
private struct StreetFilm {
  private let width: Int, height: Int
  private let noise: UInt32
  private let gain: Float
  private let curve: [Float]
  private static let curveSteps = 4096

  init(_ scene: StreetScene, width: Int, height: Int, _ noise: UInt32) {
    (self.width, self.height, self.noise) = (width, height, noise)
    let drift = 1 + 0.05 * sine(0.31 * scene.time) + 0.02 * sine(1.7 * scene.time)
    gain = scene.surroundings.light.exposure * Float(drift)
    curve = (0...Self.curveSteps).map { Self.tone(Float($0) * (4 / Float(Self.curveSteps))) }
  }

  /// Linear light, 1 being a white wall, to 0 … 255: a shoulder, then the gamma of sRGB.
  private static func tone(_ light: Float) -> Float {
    let t = 1.3 * light * (1 + light * 0.1) / (1 + light * 0.42) - 0.008
    let root = clamped(t).squareRoot()
    let fourth = root.squareRoot()
    let eighth = fourth.squareRoot()
    return 255 * clamped(0.585122381 * root + 0.783140355 * fourth - 0.368262736 * eighth)
  }

  /// Writes a row of pixels from its three rows of samples.
  func expose(
    _ y: Int, _ band: StreetVisibility,
    _ rows: (
      UnsafeMutablePointer<Colour>, UnsafeMutablePointer<Colour>, UnsafeMutablePointer<Colour>
    ), _ image: UnsafeMutableRawBufferPointer
  ) {
    let (above, at, below) = rows
    let high = (Float(y) + 0.5) / Float(height) - 0.5
    curve.withUnsafeBufferPointer { curve in
      for x in 0..<width {
        let i = 2 * x
        var sum = above[i] + above[i + 2] + below[i] + below[i + 2]
        if band.isUniform(x, y) {
          sum = sum * 2 + at[i + 1] * 8
        } else {
          sum += (above[i + 1] + at[i] + at[i + 2] + below[i + 1]) * 2
          sum += at[i + 1] * 4
        }
        let wide = (Float(x) + 0.5) / Float(width) - 0.5
        let vignette = 1 - 0.5 * (wide * wide + high * high)
        let light = sum * (gain * vignette * (1 / 16))
        let out = (y * width + x) * 3
        let hash = hashed(Int32(truncatingIfNeeded: x), Int32(truncatingIfNeeded: y), noise)
        for channel in 0..<3 {
          // What is no number is black.
          let value = light[channel] > 0 ? min(light[channel], 3.999) : 0
          let step = value * Float(Self.curveSteps / 4)
          let grain = StreetFilm.grain(hash &* (0x9E37_79B1 &+ UInt32(channel) &* 0x632B_E5AA))
          image[out + channel] = UInt8(min(max(curve[Int(step)] + grain + 0.5, 0), 255))
        }
      }
    }
  }

  /// Nearly normal, deviation about two levels.
  @inline(__always)
  private static func grain(_ hash: UInt32) -> Float {
    let h = hash ^ (hash >> 15)
    let sum = (h & 0xFF) &+ (h >> 8 & 0xFF) &+ (h >> 16 & 0xFF) &+ (h >> 24)
    return (Float(sum) - 510) * (1.9 / 148)
  }
}
