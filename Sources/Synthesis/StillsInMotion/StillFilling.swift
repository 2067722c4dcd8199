// SPDX-License-Identifier: Apache-2.0

internal import Video

/// Fills the holes that cut-outs leave from what is nearest above, below, left and right of them.
///
/// Colours are the mean of the four, each weighing one over its distance; a class is the nearest
/// one's.
struct StillFilling {
  private let width: Int, height: Int
  /// What is filled.
  private let holes: [Bool]
  /// What is not read: the holes, and the mixed pixels around them.
  private let unread: [Bool]

  init(holes marks: [UInt16], width: Int, height: Int) {
    (self.width, self.height) = (width, height)
    holes = marks.map { $0 != 0 }
    var unread = holes
    for pixel in holes.indices where holes[pixel] {
      let (x, y) = (pixel % width, pixel / width)
      for row in max(0, y - 1)...min(height - 1, y + 1) {
        for column in max(0, x - 1)...min(width - 1, x + 1) { unread[row * width + column] = true }
      }
    }
    self.unread = unread
  }

  /// Calls `body` for each pixel of a hole with the nearest pixel that is none, and how far it is,
  /// in each of the four directions in turn.
  private func forEachNeighbour(_ body: (_ hole: Int, _ source: Int, _ distance: Int) -> Void) {
    func walk(from start: Int, by step: Int, count: Int) {
      var (source, distance) = (-1, 0)
      for index in 0..<count {
        let pixel = start + index * step
        distance += 1
        if !unread[pixel] {
          (source, distance) = (pixel, 0)
        } else if holes[pixel] && source >= 0 {
          body(pixel, source, distance)
        }
      }
    }
    for y in 0..<height {
      walk(from: y * width, by: 1, count: width)
      walk(from: y * width + width - 1, by: -1, count: width)
    }
    for x in 0..<width {
      walk(from: x, by: width, count: height)
      walk(from: (height - 1) * width + x, by: -width, count: height)
    }
  }

  /// The picture with its holes filled.
  func filled(_ texture: StillTexture) -> StillTexture {
    var sums = [SIMD4<Float>](repeating: .zero, count: holes.count)
    texture.texels.withUnsafeBufferPointer { texels in
      forEachNeighbour { hole, source, distance in
        let texel = texels[source], weight = 1 / Float(distance)
        let colour = SIMD4<Float>(
          Float(texel & 0xFF), Float(texel >> 8 & 0xFF), Float(texel >> 16 & 0xFF), 1)
        sums[hole] += colour * weight
      }
    }
    var texels = texture.texels
    for hole in holes.indices where holes[hole] {
      let colour = sums[hole] / max(sums[hole].w, .leastNormalMagnitude)
      texels[hole] =
        UInt32(colour.x + 0.5) | UInt32(colour.y + 0.5) << 8 | UInt32(colour.z + 0.5) << 16
        | 0xFF00_0000
    }
    return StillTexture(width: width, height: height, texels: texels)
  }

  /// The labels with their holes filled.
  func filled(_ labels: [UInt8]) -> [UInt8] {
    var (filled, nearest) = (labels, [Int](repeating: .max, count: holes.count))
    forEachNeighbour { hole, source, distance in
      guard distance < nearest[hole] else { return }
      (nearest[hole], filled[hole]) = (distance, labels[source])
    }
    return filled
  }
}
