// SPDX-License-Identifier: Apache-2.0

import Testing
import Training
import Video

/// 4 × 3 pixels: pixel p of a picture has the colour (p, p + base, base).
private func picture(_ labels: [UInt8], base: UInt8) -> (image: Image, labels: Image) {
  (
    Image(
      width: 4, height: 3, channels: 3,
      bytes: (0..<12).flatMap { [UInt8($0), UInt8($0) + base, base] }),
    Image(width: 4, height: 3, channels: 1, bytes: labels)
  )
}

struct ClassMixTests {
  private let source = picture([0, 0, 1, 1, 2, 2, 3, 3, 9, 9, 0, 4], base: 100)
  private let target = picture([5, 5, 5, 5, 6, 6, 9, 6, 7, 7, 7, 7], base: 50)

  @Test func halfOfTheClassesArePastedWholeAndVoidNever() {
    var drawn: Set<[UInt8]> = []
    for seed in 0..<40 {
      var random = RandomStream(seed: UInt64(seed))
      let mixed = ClassMix(void: 9)(source, onto: target, from: &random)
      let (from, onto, labels) = (source.labels.bytes, target.labels.bytes, mixed.labels.bytes)
      let pasted = Set(labels).intersection(0...4)
      #expect(pasted.count == 3, "five classes are seen")
      for pixel in 0..<12 {
        let isPasted = pasted.contains(from[pixel])
        #expect(labels[pixel] == (isPasted ? from : onto)[pixel])
        let base: UInt8 = isPasted ? 100 : 50
        let colour = Array(mixed.image.bytes[3 * pixel..<3 * pixel + 3])
        #expect(colour == [UInt8(pixel), UInt8(pixel) + base, base])
      }
      drawn.insert(pasted.sorted())
    }
    #expect(drawn.count > 5, "not always the same ones of ten")
  }

  @Test func aPictureOfNothingButVoidChangesNothing() {
    var random = RandomStream(seed: 1)
    let empty = picture([UInt8](repeating: 9, count: 12), base: 7)
    let mixed = ClassMix(void: 9)(empty, onto: target, from: &random)
    #expect(mixed.image == target.image && mixed.labels == target.labels)
  }
}
