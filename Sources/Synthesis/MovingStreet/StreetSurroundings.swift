// SPDX-License-Identifier: Apache-2.0

/// The light of a street, the same at every moment: sun, sky, haze and exposure.
struct StreetLight: Sendable {
  /// Towards the sun.
  let sun: SIMD3<Float>
  let sunlight: Colour, skylight: Colour, bounce: Colour
  let zenith: Colour, horizon: Colour
  let cloudiness: Float
  /// Metres at which half of what is seen is haze.
  let haze: Float
  let exposure: Float

  init(seed: UInt64) {
    var random = StreetRandom(seed: seed, 102)
    let azimuth = random.between(-Double.pi, Double.pi)
    let height = random.between(0.32, 0.95)
    let level = (1 - height * height).squareRoot()
    sun = SIMD3<Float>(Vector(cosine(azimuth) * level, sine(azimuth) * level, height))
    cloudiness = Float(random.unit() < 0.3 ? random.between(0.75, 1) : random.between(0.05, 0.6))
    let clear = 1 - smoothStep(0.6, 0.95, cloudiness)
    let warm = Float(1 - height) * 0.35
    sunlight = Colour(0.86 - warm, 0.96 - warm * 0.5, 1.04) * (0.2 + 2.1 * clear)
    skylight =
      mix(Colour(0.66, 0.64, 0.62), Colour(0.60, 0.46, 0.36), clear) * (1.05 - 0.42 * clear)
    bounce = Colour(0.16, 0.17, 0.18) * (0.5 + clear)
    zenith = mix(Colour(1.0, 0.96, 0.92), Colour(1.15, 0.68, 0.4), clear)
    horizon = mix(Colour(1.3, 1.28, 1.25), Colour(1.5, 1.36, 1.2), clear)
    haze = Float(random.between(450, 1300))
    exposure = Float(random.between(0.7, 1.0)) * (1.2 - 0.2 * clear)
  }
}

/// What painters need to know of a frame's neighbourhood: where the road runs, how high the houses
/// are.
///
/// Ground coordinates are metres from (`origin`, 0), x along the road, y to the left.
struct StreetSurroundings: Sendable {
  let light: StreetLight
  let origin: Double
  /// The number of blocks of eight metres before the origin.
  let blocksBefore: Int32
  let halfWidth: Float, pavementWidth: Float
  /// Where the camera is, in ground coordinates.
  let eye: SIMD3<Float>
  let dashPhase: Float
  let seed: UInt32
  /// Where zebras lie, from and to.
  var crossings: [(Float, Float)] = []

  /// Half a metre from one entry to the next, from `start` on.
  static let start = -48, count = 1400
  private let middles: [Float]
  /// The heights of what keeps the sun off, on the left and on the right.
  private var heights: ([Float], [Float])
  /// From the middle of the road to the fronts of the houses.
  private let frontage: Float

  init(light: StreetLight, route: StreetRoute, camera: StreetCamera, seed: UInt64) {
    self.light = light
    let origin = (camera.position.x / 256).rounded(.down) * 256
    self.origin = origin
    blocksBefore = Int32(truncatingIfNeeded: Int(origin / 8))
    (halfWidth, pavementWidth) = (Float(route.halfWidth), Float(route.pavementWidth))
    eye = SIMD3<Float>(camera.position - Vector(origin, 0, 0))
    dashPhase = Float(origin - (origin / 6).rounded(.down) * 6)
    self.seed = UInt32(truncatingIfNeeded: StreetRandom.mixed(seed))
    middles = (0..<Self.count).map {
      Float(route.middle(origin + Double($0 + Self.start) / 2))
    }
    heights = (.init(repeating: 0, count: Self.count), .init(repeating: 0, count: Self.count))
    frontage = Float(route.halfWidth + route.pavementWidth + 0.3)
  }

  /// Notes a house that throws a shadow.
  mutating func raise(_ side: Double, from: Double, to: Double, height: Double) {
    let first = max(0, Int((from - origin) * 2) - Self.start)
    let last = min(Self.count - 1, Int((to - origin) * 2) - Self.start)
    guard first <= last else { return }
    for entry in first...last {
      if side > 0 { heights.0[entry] = Float(height) } else { heights.1[entry] = Float(height) }
    }
  }

  @inline(__always)
  private func entry(_ x: Float) -> (Int, Float) {
    let place = min(max(2 * x - Float(Self.start), 0), Float(Self.count - 2))
    let whole = Int(place)
    return (whole, place - Float(whole))
  }

  /// How far left of the middle of the road a place is.
  @inline(__always)
  func lateral(_ x: Float, _ y: Float) -> Float {
    let (index, share) = entry(x)
    return y - middles[index] - (middles[index + 1] - middles[index]) * share
  }

  /// How much sun reaches a place between the houses, 0 … 1.
  @inline(__always)
  func sunshine(_ place: SIMD3<Float>) -> Float {
    let sun = light.sun
    guard abs(sun.y) > 0.05 else { return 1 }
    let side: Float = sun.y > 0 ? 1 : -1
    let away = frontage - side * lateral(place.x, place.y)
    guard away > 0 else { return 1 }
    let reach = away / abs(sun.y)
    let (index, share) = entry(place.x + sun.x * reach)
    let list = sun.y > 0 ? heights.0 : heights.1
    let roof = list[index] + (list[index + 1] - list[index]) * share
    return smoothStep(-0.15, 0.1 + 0.02 * reach, place.z + sun.z * reach - roof)
  }
}
