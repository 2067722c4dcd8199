// SPDX-License-Identifier: Apache-2.0

import Flow
import TestSupport
import Testing
import Training
import Video

private let size = PixelSize(width: 40, height: 30)

private func picture() -> Image {
  let count = size.width * size.height * 3
  let bytes = (0..<count).map { (index: Int) -> UInt8 in
    let row = index / 120
    return UInt8((index * 7 + row * 13) % 251)
  }
  return Image(width: size.width, height: size.height, channels: 3, bytes: bytes)
}

private func labels() -> Image {
  let bytes = (0..<size.width * size.height).map { (index: Int) -> UInt8 in UInt8(index % 7) }
  return Image(width: size.width, height: size.height, channels: 1, bytes: bytes)
}

/// Draws until a view is mirrored, or is not, as wanted.
private func view(
  _ augmentation: Augmentation, mirrored: Bool
) -> Augmentation.View {
  var random = RandomStream(seed: 1)
  while true {
    let view = augmentation.draw(for: size, from: &random)
    let row = view.labels(labels(), void: 255)
    let isMirrored = row[x: 1, y: 0] == (row[x: 0, y: 0] + 6) % 7
    if isMirrored == mirrored { return view }
  }
}

@Test func aPlainViewOfTheWholeIsThePictureItself() {
  let view = view(Augmentation(crop: size), mirrored: false)
  #expect(view.image(picture()) == picture())
  #expect(view.labels(labels(), void: 255) == labels())
}

@Test func aMirroredViewTurnsPictureLabelsAndMotionRound() {
  let view = view(Augmentation(crop: size), mirrored: true)
  let (image, truth) = (view.image(picture()), view.labels(labels(), void: 255))
  for y in 0..<size.height {
    for x in 0..<size.width {
      let there = size.width - 1 - x
      #expect(image[x: x, y: y, channel: 1] == picture()[x: there, y: y, channel: 1])
      #expect(truth[x: x, y: y] == labels()[x: there, y: y])
    }
  }
  let motion = view.motion(uniform(dx: 3, dy: -2))
  #expect(motion.displacements[0] == -3 && motion.displacements[1] == -2)
}

@Test func whatIsTwiceAsLargeMovesTwiceAsFar() {
  let view = view(Augmentation(crop: size, scale: 2...2, flips: false), mirrored: false)
  let motion = view.motion(uniform(dx: 1.5, dy: 0.25))
  #expect(abs(motion.displacements[0] - 3) < 1e-5 && abs(motion.displacements[1] - 0.5) < 1e-5)
}

/// Two frames of a moving pattern, seen in one tilted, scaled and mirrored view, still fit together
/// along the motion as it is seen in that view.
@Test(arguments: 0..<8 as Range<UInt64>)
func augmentedFramesFitAlongTheAugmentedMotion(seed: UInt64) throws {
  let (dx, dy) = (2.0, -1.0)
  let crop = PixelSize(width: 24, height: 20)
  var random = RandomStream(seed: seed)
  let view = Augmentation(crop: crop, scale: 0.9...1.4, rotation: 15).draw(for: size, from: &random)
  // What is at p in the current frame was at p + (dx, dy) in the reference.
  let current = view.image(smooth(dx, dy)), reference = view.image(smooth(0, 0))
  let motion = view.motion(uniform(dx: Float(dx), dy: Float(dy)))
  var (sum, count) = (0.0, 0)
  for y in 4..<crop.height - 4 {
    for x in 4..<crop.width - 4 {
      let cell = y * crop.width + x
      guard motion.known?[cell] == 1 else { continue }
      let (u, v) = (
        Double(x) + Double(motion.displacements[2 * cell]),
        Double(y) + Double(motion.displacements[2 * cell + 1])
      )
      guard u >= 0, v >= 0, u < Double(crop.width - 1), v < Double(crop.height - 1) else {
        continue
      }
      sum += abs(sample(reference, u, v) - Double(current[x: x, y: y]))
      count += 1
    }
  }
  #expect(count > 50)
  #expect(sum / Double(count) < 1.5)
}

private func uniform(dx: Float, dy: Float) -> MotionField {
  let count = 2 * size.width * size.height
  let cells = (0..<count).map { (index: Int) -> Float in index.isMultiple(of: 2) ? dx : dy }
  return MotionField(width: size.width, height: size.height, displacements: cells)
}

/// A smooth pattern, read (dx, dy) further on.
private func smooth(_ dx: Double, _ dy: Double) -> Image {
  let bytes = (0..<size.width * size.height * 3).map { (index: Int) -> UInt8 in
    let cell = index / 3
    let x = Double(cell % size.width) + dx, y = Double(cell / size.width) + dy
    let value: Double = 128 + 2.2 * (x - 20) + 1.7 * (y - 15)
    return UInt8(min(max(value, 0), 255))
  }
  return Image(width: size.width, height: size.height, channels: 3, bytes: bytes)
}

private func sample(_ image: Image, _ x: Double, _ y: Double) -> Double {
  let (column, row) = (Int(x), Int(y))
  let (right, below) = (x - Double(column), y - Double(row))
  func at(_ dx: Int, _ dy: Int) -> Double { Double(image[x: column + dx, y: row + dy]) }
  let top = at(0, 0) * (1 - right) + at(1, 0) * right
  return top * (1 - below) + (at(0, 1) * (1 - right) + at(1, 1) * right) * below
}
