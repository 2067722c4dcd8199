// SPDX-License-Identifier: Apache-2.0

/// The camera that took a still: where its horizon lies, and how wide it sees.
///
/// x to the right, y down, z ahead; lengths in heights of the camera above the ground.
struct StillCamera: Sendable {
  /// The distance at which a pixel is as wide as the unit, in pixels of the still.
  let focal: Double
  /// Where the line of sight, level and straight ahead, meets the picture.
  let centre: (x: Double, y: Double)

  /// From homogeneous pixels to directions.
  var rays: StillMatrix {
    .scale(1 / focal, 1 / focal, shift: (-centre.x / focal, -centre.y / focal))
  }

  /// From directions to homogeneous pixels.
  var pixels: StillMatrix {
    StillMatrix(Vector(focal, 0, centre.x), Vector(0, focal, centre.y), Vector(0, 0, 1))
  }

  /// One over the depth of the ground that is seen in a row.
  func nearnessOfGround(atRow y: Double) -> Double { (y - centre.y) / focal }
}

/// Where the camera is at one moment, compared with when it took the still.
struct StillPose: Sendable {
  var rotation = StillMatrix.identity
  var place = Vector()
}

/// A camera's way: it drives ahead and is shaken, and sways so slowly that it comes back in the
/// end.
///
/// Time is in frames at 15 Hz, and 0 is when the still was taken.
struct StillPath: Sendable {
  /// Sines added up, less what they are at time 0.
  private struct Sway: Sendable {
    var waves: [(size: Double, rate: Double, phase: Double)]

    func callAsFunction(_ time: Double) -> Double {
      waves.reduce(0) { $0 + $1.size * (sine($1.rate * time + $1.phase) - sine($1.phase)) }
    }
  }

  private let ahead: Sway, aside: Sway, down: Sway
  private let yaw: Sway, pitch: Sway, roll: Sway

  /// How far the camera drives before it turns back, in its own heights above the ground.
  private static let reach = 4.0

  init(_ random: inout StreetRandom) {
    let speed = random.chance(0.08) ? 0 : random.between(0.08, 0.42)
    ahead = Sway(waves: [(Self.reach, speed / Self.reach, 0)])
    let drift = speed * random.between(-0.12, 0.12)
    aside = Sway(waves: [(0.8, drift / 0.8, 0), Self.wave(&random, 0.01)])
    down = Sway(waves: [Self.wave(&random, 0.02)])
    let turning = random.between(-1, 1)
    yaw = Sway(waves: [(0.1, 0.08 * turning * abs(turning), 0), Self.wave(&random, 0.003)])
    pitch = Sway(waves: [Self.wave(&random, 0.005), Self.wave(&random, 0.004)])
    roll = Sway(waves: [Self.wave(&random, 0.006), Self.wave(&random, 0.003)])
  }

  /// A shake of up to `size` at half a hertz to three.
  private static func wave(
    _ random: inout StreetRandom, _ size: Double
  ) -> (size: Double, rate: Double, phase: Double) {
    (random.unit() * size, random.between(0.2, 1.25), random.between(0, 2 * .pi))
  }

  func pose(at time: Double) -> StillPose {
    StillPose(
      rotation: .turn(yaw: yaw(time), pitch: pitch(time), roll: roll(time)),
      place: Vector(aside(time), down(time), ahead(time)))
  }
}
