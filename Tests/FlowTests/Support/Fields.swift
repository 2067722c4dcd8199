// SPDX-License-Identifier: Apache-2.0
import Flow
import TestSupport
import Video

/// A field whose motion is `motion` at each cell; nil says unknown.
func field(
  width: Int, height: Int, _ motion: (_ x: Int, _ y: Int) -> (Float, Float)?
) -> MotionField {
  var (displacements, known) = ([Float](), [UInt8]())
  for y in 0..<height {
    for x in 0..<width {
      let value = motion(x, y)
      displacements += [value?.0 ?? 0, value?.1 ?? 0]
      known.append(value == nil ? 0 : 1)
    }
  }
  return MotionField(
    width: width, height: height, displacements: displacements,
    known: known.contains(0) ? known : nil)
}

/// The same motion everywhere.
func uniform(_ dx: Float, _ dy: Float, width: Int = 12, height: Int = 9) -> MotionField {
  field(width: width, height: height) { _, _ in (dx, dy) }
}

/// A field of random values with holes.
func random(width: Int, height: Int, seed: UInt64, holes: Bool = true) -> MotionField {
  var generator = Draws(seed: seed)
  return field(width: width, height: height) { _, _ in
    if holes && Int.random(in: 0..<5, using: &generator) == 0 { return nil }
    return (
      Float.random(in: -4...4, using: &generator), Float.random(in: -4...4, using: &generator)
    )
  }
}

/// A flat frame with the side data that matters to `CodecMotion`.
func frame(
  _ index: Int, _ type: PictureType, vectors: [MotionVector]? = nil, width: Int = 48,
  height: Int = 32, followsBreak: Bool = false
) -> Frame {
  Frame(
    index: index, time: 0, pixels: Image(width: width, height: height, channels: 3, repeating: 128),
    pictureType: type, motionVectors: vectors, followsBreak: followsBreak)
}

/// One motion vector, displacement in whole pixels.
func vector(
  _ width: UInt8, _ height: UInt8, x: Int, y: Int, dx: Float, dy: Float, source: Int32 = -1
) -> MotionVector {
  MotionVector(
    source: source, width: width, height: height, sourceX: Int16(Float(x) + dx),
    sourceY: Int16(Float(y) + dy), x: Int16(x), y: Int16(y), motionX: Int32(dx * 4),
    motionY: Int32(dy * 4), scale: 4)
}

/// Vectors that say (dx, dy) in every 16×16 block of a 48×32 frame.
func everywhere(_ dx: Float, _ dy: Float, source: Int32 = -1) -> [MotionVector] {
  stride(from: 8, to: 32, by: 16).flatMap { y in
    stride(from: 8, to: 48, by: 16).map {
      vector(16, 16, x: $0, y: y, dx: dx, dy: dy, source: source)
    }
  }
}
