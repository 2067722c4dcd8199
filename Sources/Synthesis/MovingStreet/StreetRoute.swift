// SPDX-License-Identifier: Apache-2.0

/// The line of the road and how the camera drives along it: closed forms, so any moment is at hand.
///
/// The road runs along x; its middle is at y = `middle(x)`. Traffic keeps to the left.
struct StreetRoute: Sendable {
  private let bends: [Wave]
  private let pace: [Wave]
  private let pitch: [Wave], roll: [Wave], sway: [Wave], yaw: [Wave]
  /// Metres a second, over a long time.
  let speed: Double
  /// Half of the carriageway, kerb to kerb.
  let halfWidth: Double
  /// From the middle of the road to the middle of a driving lane.
  let lane: Double
  let pavementWidth: Double

  /// One sine of a sum of them.
  private struct Wave: Sendable {
    let strength: Double, rate: Double, phase: Double
    func callAsFunction(_ at: Double) -> Double { strength * sine(rate * at + phase) }
    func slope(_ at: Double) -> Double { strength * rate * cosine(rate * at + phase) }
  }

  init(seed: UInt64) {
    var random = StreetRandom(seed: seed, 101)
    let wave = { (strength: Double, rate: Double) in
      Wave(strength: strength, rate: rate, phase: random.between(0, 6.28))
    }
    let (long, short) = (2 * Double.pi / 380, 2 * Double.pi / 131)
    bends = [wave(7, long), wave(0.8, short)]
    pace = [wave(9, 0.11), wave(2.6, 0.37)]
    pitch = [wave(0.0022, 3.1), wave(0.0014, 7.9), wave(0.0007, 23)]
    roll = [wave(0.004, 1.3), wave(0.0016, 6.7)]
    sway = [wave(0.14, 0.5)]
    yaw = [wave(0.006, 0.6), wave(0.0008, 9)]
    speed = random.between(3.2, 5.1)
    halfWidth = random.between(3.1, 5.0)
    lane = halfWidth > 4.4 ? 1.7 : 1.75
    pavementWidth = random.between(2.0, 3.5)
  }

  func middle(_ x: Double) -> Double { bends.reduce(0) { $0 + $1(x) } }
  func slope(_ x: Double) -> Double { bends.reduce(0) { $0 + $1.slope(x) } }

  /// The point `lateral` metres left of the middle of the road.
  func point(_ x: Double, _ lateral: Double, _ height: Double = 0) -> Vector {
    Vector(x, middle(x) + lateral, height)
  }

  /// A pose that stands on that point and faces along the road.
  func pose(_ x: Double, _ lateral: Double, _ height: Double = 0) -> Pose {
    .facing(slope: slope(x), at: point(x, lateral, height))
  }

  /// How far along the road the camera is, at `time` seconds.
  func progress(at time: Double) -> Double {
    speed * time + pace.reduce(0) { $0 + $1(time) }
  }

  /// When the camera passes `x`.
  func time(at x: Double) -> Double {
    var (low, high) = ((x - 20) / speed, (x + 20) / speed)
    for _ in 0..<30 {
      let middle = (low + high) / 2
      if progress(at: middle) < x { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  func camera(at time: Double, width: Int, height: Int) -> StreetCamera {
    let total = { (waves: [Wave]) in waves.reduce(0) { $0 + $1(time) } }
    let x = progress(at: time)
    let place = pose(x, lane + total(sway), 1.42 + 2 * total(pitch))
    let nod = Pose.swing(0.022 + total(pitch))
    return StreetCamera(
      body: place(.turn(total(yaw)))(.roll(total(roll)))(Pose(x: nod.inverse.x, z: nod.inverse.z)),
      width: width, height: height)
  }
}

/// A pinhole camera: x of a pixel to the right, y down, the centre of the first pixel at (0, 0).
struct StreetCamera: Sendable {
  let right: Vector, down: Vector, forward: Vector, position: Vector
  let focal: Double, centreX: Double, centreY: Double

  /// Looks along x of `body`.
  init(body: Pose, width: Int, height: Int) {
    (forward, right, down, position) = (body.x, -body.y, -body.z, body.origin)
    focal = 0.9 * Double(max(width, height * 4 / 3))
    (centreX, centreY) = (Double(width - 1) / 2, Double(height - 1) / 2)
  }

  /// A point of the street in the camera's axes: right, down, ahead.
  func view(_ point: Vector) -> Vector { turned(point - position) }
  func turned(_ d: Vector) -> Vector { Vector(dot(right, d), dot(down, d), dot(forward, d)) }

  /// The camera's own place and axes: from camera coordinates to the street.
  var pose: Pose { Pose(x: right, y: down, z: forward, origin: position) }
}
