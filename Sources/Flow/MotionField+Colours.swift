// SPDX-License-Identifier: Apache-2.0
internal import Glibc
public import Video

extension MotionField {
  /// The field as colours: hue for direction, saturation for length (Baker et al., IJCV 2011).
  ///
  /// Blue, green, red. Still cells are white, unknown ones black, and cells that move further than
  /// `longest` are darkened; nil takes the longest known motion.
  public func coloured(longest: Float? = nil) -> Image {
    let wheel = ColourWheel()
    return withReader { field in
      let cells = 0..<(width * height)
      let found = cells.lazy.filter { field[$0].isKnown }.map { field[$0].length }.max() ?? 0
      let unit = longest ?? found
      return Image(width: width, height: height, channels: 3) { bytes in
        for cell in cells {
          let value = field[cell]
          let colour =
            value.isKnown && value.length.isFinite
            ? wheel.colour(dx: value.dx / max(unit, .ulpOfOne), dy: value.dy / max(unit, .ulpOfOne))
            : (blue: 0, green: 0, red: 0)
          (bytes[3 * cell], bytes[3 * cell + 1]) = (colour.blue, colour.green)
          bytes[3 * cell + 2] = colour.red
        }
      }
    }
  }
}

/// The 55 hues of Baker et al., from red over yellow, green, cyan, blue and magenta back to red.
private struct ColourWheel {
  private let hues: [SIMD3<Float>]  // red, green, blue from 0 to 1

  init() {
    let corners: [(steps: Int, SIMD3<Float>)] = [
      (15, [1, 0, 0]), (6, [1, 1, 0]), (4, [0, 1, 0]), (11, [0, 1, 1]), (13, [0, 0, 1]),
      (6, [1, 0, 1]),
    ]
    hues = corners.indices.flatMap { index in
      let (steps, from) = corners[index]
      let to = corners[(index + 1) % corners.count].1
      return (0..<steps).map { from + (to - from) * (Float($0) / Float(steps)) }
    }
  }

  /// The colour of a motion whose length is 1 at full saturation.
  func colour(dx: Float, dy: Float) -> (blue: UInt8, green: UInt8, red: UInt8) {
    let length = (dx * dx + dy * dy).squareRoot()
    let turn = (atan2(-dy, -dx) / .pi + 1) / 2 * Float(hues.count - 1)
    let first = min(Int(turn), hues.count - 1)
    let (one, next) = (hues[first], hues[(first + 1) % hues.count])
    let hue = one + (next - one) * (turn - Float(first))
    let shown = length <= 1 ? 1 - length * (1 - hue) : hue * 0.75
    let bytes = (shown * 255).clamped(lowerBound: .zero, upperBound: SIMD3(repeating: 255))
    return (UInt8(bytes.z), UInt8(bytes.y), UInt8(bytes.x))
  }
}
