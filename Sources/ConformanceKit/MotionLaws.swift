// SPDX-License-Identifier: Apache-2.0
public import Flow
package import Video

/// The names of the laws of flow estimation that `estimator` breaks; empty when it keeps them all.
///
/// It is shown made-up pictures of which the motion is known exactly, with the motion vectors that
/// a codec would have found. `ZeroFlow` breaks the law of the moved picture and no other.
public func brokenLaws(of estimator: some FlowEstimator) throws -> [String] {
  var broken: [String] = []
  func law(_ name: String, holds: Bool) { if !holds { broken.append(name) } }

  let reference = movedPicture(index: 0, by: (0, 0))
  let equal = try estimator.motion(from: movedPicture(index: 1, by: (0, 0)), to: reference)
  law("equal frames give zero", holds: equal.strays(from: (0, 0)) < 0.05)

  for (dx, dy) in [(Float(3), Float(-2)), (-2.5, 1.5)] {
    let moved = try estimator.motion(from: movedPicture(index: 1, by: (dx, dy)), to: reference)
    law(
      "a picture moved by (\(dx), \(dy)) gives that motion",
      holds: moved.strays(from: (dx, dy)) < 0.5)
  }

  let odd = (width: 97, height: 65)
  let current = movedPicture(index: 1, by: (1, 1), size: odd)
  let once = try estimator.motion(from: current, to: movedPicture(index: 0, by: (0, 0), size: odd))
  let again = try estimator.motion(from: current, to: movedPicture(index: 0, by: (0, 0), size: odd))
  law("a field has its frames' size", holds: (once.width, once.height) == odd)
  law("the same frames give the same field", holds: once == again)

  law(
    "frames of unequal size are refused", holds: !answers(estimator, from: current, to: reference))
  return broken
}

private func answers(
  _ estimator: some FlowEstimator, from current: Frame, to reference: Frame
) -> Bool {
  (try? estimator.motion(from: current, to: reference)) != nil
}

/// A smooth picture without repetition, seen from `offset` further on: what is at p in it is at
/// p + offset in the picture with offset (0, 0).
package func movedPicture(
  index: Int, by offset: (dx: Float, dy: Float), size: (width: Int, height: Int) = (128, 96)
) -> Frame {
  let image = Image(width: size.width, height: size.height, channels: 3) { bytes in
    for y in 0..<size.height {
      for x in 0..<size.width {
        let value = texture(Float(x) + offset.dx, Float(y) + offset.dy)
        for channel in 0..<3 { bytes[(y * size.width + x) * 3 + channel] = value }
      }
    }
  }
  return Frame(
    index: index, time: Double(index) / 25, pixels: image, pictureType: .predicted,
    motionVectors: vectors(of: offset, size: size))
}

/// Bilinear between random grey values on a grid of 5 pixels, so that it is defined between pixels
/// too.
private func texture(_ x: Float, _ y: Float) -> UInt8 {
  let (u, v) = (x / 5, y / 5)
  let (left, top) = (u.rounded(.down), v.rounded(.down))
  func node(_ column: Int, _ row: Int) -> Float {
    var hash = UInt64(bitPattern: Int64(Int(left) + column) &* 0x9E37_79B9 &+ 0x51ED)
    hash =
      (hash ^ UInt64(bitPattern: Int64(Int(top) + row) &* 0x85EB_CA6B)) &* 0xD6E8_FEB8_6659_FD93
    hash = (hash ^ (hash >> 32)) &* 0xD6E8_FEB8_6659_FD93
    return Float((hash >> 40) & 0xFF)
  }
  func smooth(_ part: Float) -> Float { part * part * (3 - 2 * part) }
  let (across, down) = (smooth(u - left), smooth(v - top))
  let upper = node(0, 0) + across * (node(1, 0) - node(0, 0))
  let lower = node(0, 1) + across * (node(1, 1) - node(0, 1))
  return UInt8(upper + down * (lower - upper))
}

/// What a codec finds in 16×16 blocks, in quarter pixels.
private func vectors(
  of offset: (dx: Float, dy: Float), size: (width: Int, height: Int)
) -> [MotionVector] {
  stride(from: 8, to: size.height + 8, by: 16).flatMap { y in
    stride(from: 8, to: size.width + 8, by: 16).map { x in
      MotionVector(
        source: -1, width: 16, height: 16, sourceX: Int16(Float(x) + offset.dx),
        sourceY: Int16(Float(y) + offset.dy), x: Int16(x), y: Int16(y),
        motionX: Int32(offset.dx * 4), motionY: Int32(offset.dy * 4), scale: 4)
    }
  }
}

extension MotionField {
  /// How far the inner half of the field is from one motion: the median distance; infinite where
  /// less than half of it is known.
  fileprivate func strays(from motion: (dx: Float, dy: Float)) -> Float {
    var distances: [Float] = []
    for y in (height / 4)..<(3 * height / 4) {
      for x in (width / 4)..<(3 * width / 4) {
        let (dx, dy) = (self[x: x, y: y].dx - motion.dx, self[x: x, y: y].dy - motion.dy)
        distances.append(isKnown(x: x, y: y) ? (dx * dx + dy * dy).squareRoot() : .infinity)
      }
    }
    return distances.sorted()[distances.count / 2]
  }
}
