// SPDX-License-Identifier: Apache-2.0

/// Tiling noise, drawn once a process, in ever coarser copies for surfaces far away.
// Safe to share: nothing writes to the samples once `init` has returned.
final class StreetTextures: @unchecked Sendable {
  /// Which noise.
  enum Map: Int { case fractal, grain, leaves, twigs }

  static let shared = StreetTextures()
  private static let side = 256, levels = 9

  private let samples: UnsafeMutablePointer<Float>
  private let starts: UnsafeMutablePointer<Int>
  private static let mapSize = (0..<levels).reduce(0) { $0 + (side >> $1) * (side >> $1) }

  private init() {
    samples = .allocate(capacity: 4 * Self.mapSize)
    starts = .allocate(capacity: Self.levels)
    var start = 0
    for level in 0..<Self.levels {
      starts[level] = start
      start += (Self.side >> level) * (Self.side >> level)
    }
    fill(.fractal, with: Self.fractal(octaves: 6, first: 4, seed: 1))
    fill(.grain, with: Self.fractal(octaves: 3, first: 64, seed: 2))
    fill(.leaves, with: Self.leaves())
    fill(.twigs, with: Self.twigs())
  }

  deinit {
    samples.deallocate()
    starts.deallocate()
  }

  /// The level of detail at which a sample covers `footprint` tiles.
  @inline(__always)
  static func level(_ footprint: Float) -> Int {
    let exponent = Int(truncatingIfNeeded: (footprint * Float(side)).bitPattern >> 23) &- 127
    return min(max(exponent, 0), levels - 1)
  }

  /// The noise, 0 … 1, at a place given in tiles.
  @inline(__always)
  func callAsFunction(_ map: Map, _ u: Float, _ v: Float, level: Int) -> Float {
    let side = Self.side >> level
    let (x, y) = (u * Float(side), v * Float(side))
    let (column, row) = (wholePart(x), wholePart(y))
    let (fx, fy) = (x - Float(column), y - Float(row))
    let mask = Int32(truncatingIfNeeded: side &- 1)
    let base = samples + (map.rawValue &* Self.mapSize &+ starts[level])
    let top = base + Int(row & mask) &* side
    let bottom = base + Int((row &+ 1) & mask) &* side
    let (left, right) = (Int(column & mask), Int((column &+ 1) & mask))
    let upper = top[left] + (top[right] - top[left]) * fx
    let lower = bottom[left] + (bottom[right] - bottom[left]) * fx
    return upper + (lower - upper) * fy
  }

  private func fill(_ map: Map, with picture: [Float]) {
    let base = samples + map.rawValue * Self.mapSize
    for (index, value) in picture.enumerated() { base[index] = value }
    for level in 1..<Self.levels {
      let (from, to) = (base + starts[level - 1], base + starts[level])
      let (wide, side) = (Self.side >> (level - 1), Self.side >> level)
      for y in 0..<side {
        for x in 0..<side {
          let at = 2 * y * wide + 2 * x
          to[y * side + x] = (from[at] + from[at + 1] + from[at + wide] + from[at + wide + 1]) / 4
        }
      }
    }
  }
}

// MARK: - Drawing the noise

extension StreetTextures {
  /// Value noise on lattices each twice as fine and half as strong, stretched to 0 … 1.
  private static func fractal(octaves: Int, first: Int, seed: UInt32) -> [Float] {
    var picture = [Float](repeating: 0, count: side * side)
    var (cells, strength) = (first, Float(1))
    for octave in 0..<octaves {
      addLattice(to: &picture, cells: cells, strength: strength, seed: seed &* 97 &+ UInt32(octave))
      (cells, strength) = (min(cells * 2, side), strength / 2)
    }
    return stretched(picture)
  }

  private static func addLattice(
    to picture: inout [Float], cells: Int, strength: Float, seed: UInt32
  ) {
    let mask = Int32(cells - 1)
    for y in 0..<side {
      for x in 0..<side {
        let (u, v) = (Float(x * cells) / Float(side), Float(y * cells) / Float(side))
        let (column, row) = (wholePart(u), wholePart(v))
        let fx = smoothStep(0, 1, u - Float(column)), fy = smoothStep(0, 1, v - Float(row))
        let value = { (i: Int32, j: Int32) in
          Float(hashed((column &+ i) & mask, (row &+ j) & mask, seed) & 0xFFFF) / 65535
        }
        let upper = value(0, 0) + (value(1, 0) - value(0, 0)) * fx
        let lower = value(0, 1) + (value(1, 1) - value(0, 1)) * fx
        picture[y * side + x] += strength * (upper + (lower - upper) * fy)
      }
    }
  }

  private static func stretched(_ picture: [Float]) -> [Float] {
    let (low, high) = (picture.min() ?? 0, picture.max() ?? 1)
    return picture.map { ($0 - low) / max(high - low, 1e-6) }
  }

  /// Leaf after leaf, the later over the earlier, each a small tilted ellipse of its own tone.
  private static func leaves() -> [Float] {
    var picture = [Float](repeating: 0.15, count: side * side)
    var random = StreetRandom(seed: 3)
    for _ in 0..<1500 {
      let (x, y) = (random.unit() * 256, random.unit() * 256)
      let (length, tone) = (random.between(3, 7), Float(random.between(0.2, 1)))
      let angle = random.between(0, Double.pi)
      let (c, s) = (cosine(angle), sine(angle))
      for j in -8...8 {
        for i in -8...8 {
          let along = (Double(i) * c + Double(j) * s) / length
          let across = (Double(j) * c - Double(i) * s) / (length * 0.55)
          guard along * along + across * across < 1 else { continue }
          picture[((Int(y) + j) & 255) * side + ((Int(x) + i) & 255)] = tone
        }
      }
    }
    return picture
  }

  /// A tangle of thin strokes that wander mostly upwards: the crown of a tree without leaves.
  private static func twigs() -> [Float] {
    var picture = [Float](repeating: 0, count: side * side)
    var random = StreetRandom(seed: 4)
    for _ in 0..<190 {
      var (x, y) = (random.unit() * 256, random.unit() * 256)
      var angle = random.between(-1.3, 1.3) + (random.chance(0.5) ? 0 : Double.pi / 2)
      let (length, width) = (Int(random.between(25, 90)), random.between(0.4, 1.5))
      for step in 0..<length {
        angle += random.between(-0.16, 0.16)
        (x, y) = (x + sine(angle), y + cosine(angle))
        let reach = width * (1 - 0.7 * Double(step) / Double(length))
        stroke(&picture, x: x, y: y, reach: reach)
      }
    }
    return picture
  }

  private static func stroke(_ picture: inout [Float], x: Double, y: Double, reach: Double) {
    for j in -2...2 {
      for i in -2...2 {
        let (column, row) = (Int(x.rounded()) + i, Int(y.rounded()) + j)
        let (dx, dy) = (Double(column) - x, Double(row) - y)
        let ink = Float(1 + reach - (dx * dx + dy * dy).squareRoot())
        let at = (row & 255) * side + (column & 255)
        picture[at] = max(picture[at], clamped(ink))
      }
    }
  }
}
