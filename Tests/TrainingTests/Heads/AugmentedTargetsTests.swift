// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import Training
import Video

private let size = PixelSize(width: 60, height: 44)

/// A picture of labels in which a box of whole pixels is 1.
private func painted(_ box: BoundingBox) -> Image {
  Image(width: size.width, height: size.height, channels: 1) { bytes in
    for y in 0..<size.height {
      for x in 0..<size.width {
        let isInside =
          Double(x) >= box.x && Double(x) < box.x + box.width && Double(y) >= box.y
          && Double(y) < box.y + box.height
        bytes[y * size.width + x] = isInside ? 1 : 0
      }
    }
  }
}

/// The smallest box around the pixels that are 1.
private func tight(_ labels: Image) -> BoundingBox? {
  let inside = labels.bytes.enumerated().filter { $0.element == 1 }.map(\.offset)
  let (xs, ys) = (inside.map { $0 % labels.width }, inside.map { $0 / labels.width })
  guard let left = xs.min(), let right = xs.max(), let top = ys.min(), let bottom = ys.max()
  else { return nil }
  return BoundingBox(
    x: Double(left), y: Double(top), width: Double(right - left + 1),
    height: Double(bottom - top + 1))
}

struct AugmentedTargetsTests {
  private let augmentation = Augmentation(
    crop: PixelSize(width: 40, height: 32), scale: 0.7...1.6, flips: true)

  // The labels of the same view tell where the box is, to the pixel.
  @Test(arguments: 0..<40) func aBoxIsWhereItsPixelsAre(seed: Int) {
    var draws = Draws(seed: UInt64(seed))
    let box = BoundingBox(
      x: Double(Int.random(in: 0..<30, using: &draws)),
      y: Double(Int.random(in: 0..<20, using: &draws)),
      width: Double(Int.random(in: 5...25, using: &draws)),
      height: Double(Int.random(in: 5...20, using: &draws)))
    var random = RandomStream(seed: UInt64(seed))
    let view = augmentation.draw(for: size, from: &random)
    let found = view.boxes([GroundTruthBox(box: box, category: 1, identity: 7)])
    let expected = tight(view.labels(painted(box), void: 255))
    guard let expected else {
      // What is seen of it is less than a pixel.
      return #expect(found.allSatisfy { min($0.box.width, $0.box.height) < 1.5 })
    }
    guard let one = found.first else { return #expect(expected.area <= 0, "\(expected)") }
    #expect(one.category == 1 && one.identity == 7)
    #expect(abs(one.box.x - expected.x) <= 1 && abs(one.box.y - expected.y) <= 1)
    #expect(abs(one.box.x + one.box.width - expected.x - expected.width) <= 1)
    #expect(abs(one.box.y + one.box.height - expected.y - expected.height) <= 1)
  }

  @Test func wholePicturesKeepTheirBoxesAndMirroredOnesMirrorThem() {
    let whole = Augmentation(crop: size)
    let box = BoundingBox(x: 3, y: 5, width: 10, height: 20)
    var seen: Set<BoundingBox> = []
    for seed in 0..<8 {
      var random = RandomStream(seed: UInt64(seed))
      let view = whole.draw(for: size, from: &random)
      let found = view.boxes([GroundTruthBox(box: box, category: 0)])
      seen.formUnion(found.map(\.box))
    }
    #expect(seen == [box, BoundingBox(x: 60 - 13, y: 5, width: 10, height: 20)])
  }

  @Test func whatIsMostlyCutOffIsIgnoredAndWhatIsOutsideIsGone() {
    let cropped = Augmentation(crop: PixelSize(width: 20, height: 20), flips: false)
    var random = RandomStream(seed: 3)
    let view = cropped.draw(for: size, from: &random)
    let whole = BoundingBox(x: 0, y: 0, width: 60, height: 44)
    // 20 × 20 pixels of 60 × 44 are seen: 0.1515.
    for (least, isIgnored) in [(0.15, false), (0.16, true)] {
      let found = view.boxes([GroundTruthBox(box: whole, category: 0)], leastVisible: least)
      #expect(found.map(\.isIgnored) == [isIgnored])
      #expect(found.map(\.box) == [BoundingBox(x: 0, y: 0, width: 20, height: 20)])
    }
    let outside = BoundingBox(x: 200, y: 0, width: 5, height: 5)
    #expect(view.boxes([GroundTruthBox(box: outside, category: 0)]).isEmpty)
  }

  @Test(arguments: 0..<10) func depthsAreThoseOfThePixelsSeenDividedByTheScale(seed: Int) {
    // Numbers of the pixels as labels tell which pixel is seen.
    let numbers = Image(width: 16, height: 12, channels: 1, bytes: (0..<192).map { UInt8($0) })
    let source = DepthMap(width: 16, height: 12, metres: (0..<192).map { Float($0 + 1) })
    let enlarged = Augmentation(crop: PixelSize(width: 20, height: 16), scale: 2...2)
    var random = RandomStream(seed: UInt64(seed))
    let view = enlarged.draw(for: numbers.size, from: &random)
    let (seen, depth) = (view.labels(numbers, void: 255), view.depth(source))
    #expect(depth.size == enlarged.crop)
    for (number, metres) in zip(seen.bytes, depth.metres) {
      #expect(number == 255 ? metres == 0 : abs(metres - Float(number + 1) / 2) < 1e-4)
    }
  }

  @Test func depthOutsideOfThePictureIsUnknown() {
    let wide = Augmentation(crop: PixelSize(width: 8, height: 8), flips: false)
    var random = RandomStream(seed: 1)
    let view = wide.draw(for: PixelSize(width: 4, height: 4), from: &random)
    let depth = view.depth(DepthMap(width: 4, height: 4, metres: .init(repeating: 3, count: 16)))
    for (index, metres) in depth.metres.enumerated() {
      let isInside = (2..<6).contains(index % 8) && (2..<6).contains(index / 8)
      #expect(metres == (isInside ? 3 : 0))
    }
  }
}
