// SPDX-License-Identifier: Apache-2.0

/// Somebody on a bicycle: body and frame, two wheels that turn, two legs that pedal.
struct StreetCyclist: Sendable {
  let style: UInt64

  private static let wheel = 0.34, axle = 0.52, crank = 0.17
  private static let hip = Vector(-0.2, 0, 0.98), bracket = Vector(-0.08, 0, 0.29)
  private static let thigh = 0.44, shin = 0.46

  /// Body with frame, front wheel, back wheel, then thigh and shin of either side.
  func poses(at ground: Pose, way: Double) -> [Pose] {
    let body = ground(.roll(0.03 * sine(way * 0.9)))
    let spin = Pose.swing(way / Self.wheel).inverse
    var poses = [
      body, body(.shift(Self.axle, 0, Self.wheel))(spin),
      body(.shift(-Self.axle, 0, Self.wheel))(spin),
    ]
    for (side, turn) in [(1.0, 0), (-1.0, Double.pi)] {
      let angle = way / 0.75 + turn
      let foot = Self.bracket + Vector(cosine(angle), 0, -sine(angle)) * Self.crank
      let (upper, lower) = Self.leg(to: foot - Self.hip)
      let offset = Vector(0, side * 0.1, 0)
      poses += [upper, lower].map { leg in
        body(Pose(x: leg.x, y: leg.y, z: leg.z, origin: leg.origin + Self.hip + offset))
      }
    }
    return poses
  }

  /// Thigh and shin from the hip to a foot: two sides of a triangle, the knee ahead.
  private static func leg(to foot: Vector) -> (Pose, Pose) {
    let reach = min(dot(foot, foot).squareRoot(), thigh + shin - 1e-3)
    let along = normalised(foot)
    let share = (thigh * thigh - shin * shin + reach * reach) / (2 * reach)
    let out = max(0, thigh * thigh - share * share).squareRoot()
    let ahead = Vector(-along.z, 0, along.x)
    let knee = along * share + ahead * out
    return (hanging(from: .zero, to: knee), hanging(from: knee, to: along * reach))
  }

  /// A pose whose −z axis runs from one point to the other.
  private static func hanging(from: Vector, to: Vector) -> Pose {
    let z = normalised(from - to)
    return Pose(x: Vector(z.z, 0, -z.x), z: z, origin: from)
  }

  func build(into scene: inout StreetScene, part: Int32) {
    var random = StreetRandom(seed: style, 52)
    let look = StreetOutfit(label: .bicyclist, random: &random, scene: &scene)
    addFrame(to: &scene, part: part, &random)
    let shoulder = Vector(0.16, 0, 1.42)
    look.addTorso(to: &scene, base: Self.hip, top: shoulder, part: part)
    look.addHead(to: &scene, shoulder + Vector(0.1, 0, 0.24), part: part)
    if random.chance(0.5) {
      let helmet = scene.paint(.bicyclist, 0.5, 0.5, Float(random.between(0.2, 0.6)))
      scene.addBall(
        shoulder + Vector(0.085, 0, 0.31), Vector(0.14, 0.1, 0.08), material: helmet, part: part)
    }
    for side in [-1.0, 1.0] {
      let (top, elbow) = (shoulder + Vector(0, side * 0.19, -0.02), Vector(0.34, side * 0.25, 1.16))
      scene.addLimb(top, elbow, radius: 0.055, material: look.coat, part: part)
      scene.addLimb(
        elbow, Vector(0.46, side * 0.24, 1.0), radius: 0.045, material: look.coat, part: part)
      let first = part + (side > 0 ? 3 : 5)
      scene.addLimb(
        .zero, Vector(0, 0, -Self.thigh), radius: 0.082, material: look.trousers, part: first)
      scene.addLimb(
        .zero, Vector(0, 0, -Self.shin), radius: 0.06, material: look.trousers, part: first + 1)
      scene.addBall(
        Vector(0.05, 0, -Self.shin), Vector(0.13, 0.045, 0.05), material: look.shoes,
        part: first + 1)
    }
    let pose = scene.poses[Int(part)]
    scene.addShadow(pose.origin, pose.x * 0.95, pose.y * 0.3, strength: 0.65, kind: 0)
    scene.addCastShadow(pose.origin, height: 1.6, width: 0.3, strength: 0.55)
  }

  private func addFrame(
    to scene: inout StreetScene, part: Int32, _ random: inout StreetRandom
  ) {
    let metal = scene.paint(
      .bicyclist, Float(random.between(0.02, 0.3)), Float(random.between(0.02, 0.2)),
      Float(random.between(0.02, 0.4)))
    let dark = scene.paint(.bicyclist, 0.02, 0.02, 0.02)
    let (back, front) = (Vector(-Self.axle, 0, Self.wheel), Vector(Self.axle, 0, Self.wheel))
    let (seat, head) = (Vector(-0.2, 0, 0.82), Vector(0.38, 0, 0.84))
    for (a, b) in [
      (back, seat), (back, Self.bracket), (Self.bracket, seat), (Self.bracket, head), (seat, head),
      (front, head + Vector(-0.04, 0, 0.14)),
    ] { scene.addRod(a, b, radius: 0.019, material: metal, part: part) }
    scene.addRod(
      Vector(0.4, -0.26, 1), Vector(0.4, 0.26, 1), radius: 0.016, material: dark, part: part)
    scene.addBall(seat + Vector(0, 0, 0.06), Vector(0.13, 0.07, 0.04), material: dark, part: part)
    let rim = scene.add(
      StreetMaterial(
        paint: .bicycleWheel, label: .bicyclist, colour: Colour(repeating: 0.03), isCutOut: true))
    for index in 1...2 {
      scene.addDisplay(
        .zero, Vector(Self.wheel, 0, 0), Vector(0, 0, Self.wheel), material: rim,
        part: part + Int32(index))
    }
  }
}
