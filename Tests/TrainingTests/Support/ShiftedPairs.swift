// SPDX-License-Identifier: Apache-2.0
import Datasets
import Flow
import Training
import Video

/// Pictures without repetition, moved by even numbers of pixels.
///
/// What is at p in the current one is at p + motion in the reference. Labels are blocks that move
/// along.
struct ShiftedPairs: MotionPairs {
  var size = PixelSize(width: 96, height: 80)
  var reach = 4

  func shift(_ index: Int) -> (dx: Int, dy: Int) {
    var random = RandomStream(seed: 77, index)
    return (2 * (random.below(reach + 1) - reach / 2), 2 * (random.below(reach + 1) - reach / 2))
  }

  func pair(_ index: Int) throws -> MotionPair {
    let (dx, dy) = shift(index)
    let motion = (0..<size.width * size.height).flatMap { _ in [Float(dx), Float(dy)] }
    return MotionPair(
      current: picture(index, dx, dy), reference: picture(index, 0, 0),
      motion: MotionField(width: size.width, height: size.height, displacements: motion),
      currentLabels: labels(dx, dy), referenceLabels: labels(0, 0))
  }

  private func picture(_ index: Int, _ dx: Int, _ dy: Int) -> Image {
    Image(width: size.width, height: size.height, channels: 3) { bytes in
      for y in 0..<size.height {
        for x in 0..<size.width {
          // Pairs of pixels alike, so that textures are not lost where a network halves the
          // picture.
          var random = RandomStream(seed: UInt64(index), (x + dx + 64) / 2, (y + dy + 64) / 2)
          let value = UInt8(truncatingIfNeeded: random.next())
          for channel in 0..<3 { bytes[3 * (y * size.width + x) + channel] = value }
        }
      }
    }
  }

  private func labels(_ dx: Int, _ dy: Int) -> Image {
    Image(width: size.width, height: size.height, channels: 1) { bytes in
      for y in 0..<size.height {
        for x in 0..<size.width {
          bytes[y * size.width + x] = UInt8(((x + dx + 64) / 12 + (y + dy + 64) / 12 * 3) % 11)
        }
      }
    }
  }
}
