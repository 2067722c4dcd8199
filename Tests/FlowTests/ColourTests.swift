// SPDX-License-Identifier: Apache-2.0
import Flow
import Testing
import Video

struct ColourTests {
  @Test func stillIsWhiteAndUnknownIsBlack() {
    let image = field(width: 3, height: 1) { x, _ in [(0, 0), nil, (1, 0)][x] }.coloured()
    #expect(image.bytes[0..<6].elementsEqual([255, 255, 255, 0, 0, 0]))
  }

  /// By Baker et al.'s formula in NumPy, blue, green, red; a dy of zero counts as just above the
  /// axis.
  @Test(arguments: [
    (Float(1), Float(0), [UInt8(0), 0, 255]), (-1, 0, [254, 209, 0]), (0, 1, [0, 229, 255]),
    (0, -1, [255, 0, 88]), (0.5, 0, [127, 127, 255]),
  ])
  func directionIsHueAndLengthIsSaturation(dx: Float, dy: Float, wanted: [UInt8]) {
    let image = uniform(dx, dy, width: 1, height: 1).coloured(longest: 1)
    for (found, wanted) in zip(image.bytes, wanted) { #expect(abs(Int(found) - Int(wanted)) <= 1) }
  }

  @Test func whatExceedsTheLongestIsDarkened() {
    #expect(uniform(5, 0, width: 1, height: 1).coloured(longest: 1).bytes == [0, 0, 191])
  }
}
