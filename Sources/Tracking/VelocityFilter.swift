// SPDX-License-Identifier: Apache-2.0

internal import Video

/// The Kalman filter of SORT (Bewley et al., ICIP 2016, section 3.2): a box that goes on at
/// constant velocity, with the noise of its authors' program.
///
/// The state is the centre, the area and its ratio of sides; centre and area have velocities. With
/// that noise the four do not touch each other, so that each is a filter of its own.
struct VelocityFilter: Sendable {
  private var x, y, area: Moving
  private var ratio: (value: Double, variance: Double)

  /// A box that is seen for the first time; nothing is known of its velocity.
  init(_ box: BoundingBox) {
    x = Moving(box.centre.x, noise: 1, jerk: 0.01)
    y = Moving(box.centre.y, noise: 1, jerk: 0.01)
    area = Moving(box.area, noise: 10, jerk: 0.0001)
    ratio = (box.width / box.height, 10)
  }

  /// Goes on to the next frame.
  mutating func predict() {
    // An area does not shrink below nothing.
    if area.value + area.velocity <= 0 { area.velocity = 0 }
    x.predict()
    y.predict()
    area.predict()
    ratio.variance += 1
  }

  /// Takes the box that was found on the present frame.
  mutating func update(_ box: BoundingBox) {
    x.update(box.centre.x)
    y.update(box.centre.y)
    area.update(box.area)
    let gain = ratio.variance / (ratio.variance + 10)
    ratio.value += gain * (box.width / box.height - ratio.value)
    ratio.variance *= 1 - gain
  }

  /// The box, as far as is known.
  var box: BoundingBox {
    let width = (max(area.value, 1e-6) * max(ratio.value, 1e-6)).squareRoot()
    return BoundingBox(
      centre: SIMD2(x.value, y.value), size: SIMD2(width, max(area.value, 1e-6) / width))
  }

  /// Pixels a frame.
  var velocity: SIMD2<Double> { SIMD2(x.velocity, y.velocity) }

  /// One number and its velocity.
  private struct Moving: Sendable {
    var value: Double
    var velocity = 0.0
    /// The covariance of both: of the value, of the two, of the velocity.
    private var variance = (10.0, 0.0, 10_000.0)
    private let noise: Double, jerk: Double

    init(_ value: Double, noise: Double, jerk: Double) {
      (self.value, self.noise, self.jerk) = (value, noise, jerk)
    }

    mutating func predict() {
      value += velocity
      let (p, c, v) = variance
      variance = (p + 2 * c + v + 1, c + v, v + jerk)
    }

    mutating func update(_ found: Double) {
      let (p, c, v) = variance
      let (gain, gainOfVelocity) = (p / (p + noise), c / (p + noise))
      let error = found - value
      value += gain * error
      velocity += gainOfVelocity * error
      variance = (p - gain * p, c - gain * c, v - gainOfVelocity * c)
    }
  }
}
