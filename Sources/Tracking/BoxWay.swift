// SPDX-License-Identifier: Apache-2.0

internal import Video

/// The way of an object since the key frame: a scale for each axis, shear, and a shift.
struct BoxWay: Sendable {
  var scale = SIMD2(1.0, 1.0)
  /// How far x moves with each pixel of y, and y with each of x.
  var shear = SIMD2<Double>.zero
  var shift = SIMD2<Double>.zero

  /// Where it leads a place, given from the middle of the key frame's box, beyond that place.
  func displacement(of place: SIMD2<Double>) -> SIMD2<Double> {
    (scale - 1) * place + shear * SIMD2(place.y, place.x) + shift
  }

  /// The box around the ellipse that fills the key frame's box, after the way.
  ///
  /// Corners of a tight box are seldom filled, so that the box around its sheared corners would be
  /// too large.
  func box(of centre: SIMD2<Double>, size: SIMD2<Double>) -> BoundingBox {
    let (along, across) = (scale * size, shear * SIMD2(size.y, size.x))
    let sides = (along * along + across * across).squareRoot()
    return BoundingBox(centre: centre + shift, size: sides)
  }
}

/// What a step did to an object.
struct ObjectStep {
  /// Pixels that its middle moved.
  var velocity: SIMD2<Double>
  /// Pixels that the background moved behind its middle; nil where no background is seen.
  var background: SIMD2<Double>?
  /// How much of the flow spoke for the step, from 0 to 1.
  var support: Double
  /// How far points lie from the fit, in pixels: the root of their mean square.
  var spread: Double
  /// Grey levels by which the picture changed along the way; nil without pictures.
  var brightness: Double?
}

/// The motion of what is around a box, as a linear function of the place.
struct BackgroundMotion {
  private let middle: SIMD2<Double>
  private let slope: SIMD2<Double>
  /// At the middle of the box.
  let shift: SIMD2<Double>
  /// How far the ring's points lie from it, in pixels.
  let spread: Double

  private static let fewest = 12

  /// A robust fit to points of the ring; nil where there are too few.
  init?(of ring: [SIMD2<Double>], moving steps: [SIMD2<Double>], around box: BoundingBox) {
    guard ring.count >= Self.fewest else { return nil }
    let (middle, size) = (box.centre, box.size)
    let even = [Double](repeating: 1, count: ring.count)
    let axes = [0, 1].map { axis in
      (places: ring.map { $0[axis] - middle[axis] }, values: steps.map { $0[axis] })
    }
    var shift = SIMD2(
      weightedMedian(axes[0].values, even), weightedMedian(axes[1].values, even))
    var (slope, spread) = (SIMD2<Double>.zero, 0.0)
    for _ in 0..<4 {
      let squares = ring.indices.map { index in
        (steps[index] - (slope * (ring[index] - middle) + shift)).squaredLength
      }
      spread = max(0.5, Tracking.spread(ofSquares: squares, even))
      let weights = squares.map { square in
        let weight = 1 / (1 + square / (spread * spread))
        return weight * weight
      }
      let sum = weights.reduce(0, +)
      for axis in 0..<2 {
        let line = WeightedLine(
          axes[axis].places, axes[axis].values, weights,
          inertia: 0.02 * size[axis] * size[axis] * sum)
        (slope[axis], shift[axis]) = (line.slope, line.offset)
      }
    }
    (self.middle, self.slope, self.shift, self.spread) = (middle, slope, shift, spread)
  }

  /// How it moves at a place of the earlier frame.
  func step(at place: SIMD2<Double>) -> SIMD2<Double> { slope * (place - middle) + shift }
}
