// SPDX-License-Identifier: Apache-2.0

/// Somebody on foot: a body and eight limbs, each rigid, swinging as they walk.
struct StreetWalker: Sendable {
  let style: UInt64
  private static let stride = 1.45

  private var height: Double {
    var random = StreetRandom(seed: style, 41)
    return random.between(1.58, 1.86)
  }

  /// The body, then for either side: thigh, shin, upper arm, forearm.
  func poses(at ground: Pose, way: Double) -> [Pose] {
    let tall = height
    let phase = way * 2 * Double.pi / Self.stride
    let bounce = 0.018 * cosine(2 * phase)
    let body = ground(.shift(0, 0, tall * 0.53 + bounce))
    var poses = [body]
    for (side, own) in [(1.0, phase), (-1.0, phase + Double.pi)] {
      let swing = 0.47 * sine(own)
      let bend = 0.12 + 0.5 * max(0, cosine(own)) * max(0, cosine(own))
      let thigh = body(.shift(0, side * tall * 0.055, 0))(.swing(swing))
      let shin = thigh(.shift(0, 0, -tall * 0.25))(.swing(-bend))
      let shoulder = body(.shift(0, side * tall * 0.125, tall * 0.285))(.swing(-0.8 * swing))
      let forearm = shoulder(.shift(0, 0, -tall * 0.175))(.swing(0.35 + 0.2 * sine(own)))
      poses += [thigh, shin, shoulder, forearm]
    }
    return poses
  }

  func build(into scene: inout StreetScene, part: Int32) {
    var random = StreetRandom(seed: style, 42)
    let tall = height
    let look = StreetOutfit(label: .pedestrian, random: &random, scene: &scene)
    look.addTorso(to: &scene, base: .zero, top: Vector(0, 0, tall * 0.3), part: part)
    look.addHead(to: &scene, Vector(0.01, 0, tall * 0.41), part: part)
    if random.chance(0.4) {
      scene.addBall(
        Vector(-0.17, 0, tall * 0.2), Vector(0.1, 0.14, 0.2), material: look.bag, part: part)
    }
    for side in 0..<2 {
      let first = part + 1 + Int32(4 * side)
      let thigh = Vector(0, 0, -tall * 0.25), arm = Vector(0, 0, -tall * 0.175)
      scene.addLimb(.zero, thigh, radius: 0.088, material: look.trousers, part: first)
      scene.addLimb(.zero, thigh * 1.0, radius: 0.066, material: look.trousers, part: first + 1)
      scene.addBall(
        thigh + Vector(0.055, 0, -0.02), Vector(0.13, 0.05, 0.05), material: look.shoes,
        part: first + 1)
      scene.addLimb(.zero, arm, radius: 0.06, material: look.coat, part: first + 2)
      scene.addLimb(.zero, arm * 0.85, radius: 0.048, material: look.coat, part: first + 3)
      scene.addBall(
        arm, Vector(0.04, 0.035, 0.055), material: look.skin, part: first + 3)
    }
    let foot = scene.poses[Int(part)].origin
    let ground = Vector(foot.x, foot.y, abs(foot.z) > 0.97 ? 0.12 : 0)
    scene.addShadow(ground, Vector(0.38, 0, 0), Vector(0, 0.38, 0), strength: 0.6, kind: 0)
    scene.addCastShadow(ground, height: tall, width: 0.25, strength: 0.6)
  }
}

/// The clothes somebody wears.
struct StreetOutfit {
  let coat: Int32, trousers: Int32, shoes: Int32, skin: Int32, hair: Int32, bag: Int32

  private static let coats = [
    Colour(0.03, 0.03, 0.03), Colour(0.05, 0.04, 0.035), Colour(0.16, 0.06, 0.03),
    Colour(0.06, 0.06, 0.28), Colour(0.18, 0.19, 0.2), Colour(0.08, 0.12, 0.05),
    Colour(0.32, 0.34, 0.36), Colour(0.05, 0.1, 0.16), Colour(0.04, 0.2, 0.3),
    Colour(0.45, 0.45, 0.44),
  ]
  private static let legs = [
    Colour(0.03, 0.028, 0.025), Colour(0.12, 0.06, 0.035), Colour(0.08, 0.08, 0.08),
    Colour(0.12, 0.17, 0.2), Colour(0.18, 0.1, 0.06),
  ]

  init(label: StreetClass, random: inout StreetRandom, scene: inout StreetScene) {
    let cloth = { (colour: Colour) in
      StreetMaterial(paint: .cloth, label: label, colour: colour)
    }
    coat = scene.add(cloth(random.pick(Self.coats)))
    trousers = scene.add(cloth(random.pick(Self.legs)))
    bag = scene.add(cloth(random.pick(Self.coats)))
    shoes = scene.paint(label, 0.03, 0.03, 0.035)
    let tone = Float(random.between(0.3, 1))
    skin = scene.paint(label, 0.27 * tone, 0.36 * tone, 0.55 * tone)
    hair = scene.paint(label, 0.03, 0.04, Float(random.between(0.03, 0.12)))
  }

  func addTorso(to scene: inout StreetScene, base: Vector, top: Vector, part: Int32) {
    let axis = top - base
    let helper = normalised(Vector(axis.z, 0, -axis.x))
    scene.addQuadric(
      .ellipsoid, (base + top) / 2 + axis * 0.06, helper * 0.135, Vector(0, 0.215, 0), axis * 0.62,
      material: coat, part: part)
    scene.addBall(base, Vector(0.13, 0.165, 0.16), material: trousers, part: part)
  }

  func addHead(to scene: inout StreetScene, _ centre: Vector, part: Int32) {
    scene.addBall(centre, Vector(0.095, 0.078, 0.12), material: skin, part: part)
    scene.addBall(
      centre + Vector(-0.022, 0, 0.03), Vector(0.094, 0.086, 0.108), material: hair, part: part)
    scene.addLimb(
      centre - Vector(0, 0, 0.2), centre - Vector(0, 0, 0.08), radius: 0.055, material: skin,
      part: part)
  }
}
