// SPDX-License-Identifier: Apache-2.0

/// A tree: a trunk that forks, and a crown of overlapping shells with gaps, in leaf or bare.
struct StreetTree: Sendable {
  let foot: Vector
  let height: Double
  let style: UInt64

  private static let greens = [
    (Colour(0.03, 0.12, 0.07), Colour(0.06, 0.26, 0.19)),
    (Colour(0.04, 0.10, 0.06), Colour(0.07, 0.20, 0.12)),
    (Colour(0.03, 0.14, 0.13), Colour(0.06, 0.30, 0.30)),
    (Colour(0.02, 0.10, 0.17), Colour(0.05, 0.22, 0.38)),
  ]

  func build(into scene: inout StreetScene) {
    var random = StreetRandom(seed: style, 6)
    let isBare = random.chance(0.3)
    let bark = scene.add(
      StreetMaterial(paint: .bark, label: .tree, colour: Colour(0.09, 0.11, 0.13)))
    let thick = height * 0.022
    let fork = foot + Vector(random.between(-0.3, 0.3), random.between(-0.3, 0.3), height * 0.36)
    scene.addRod(foot, fork + (fork - foot) * 0.08, radius: thick, material: bark)
    addCrown(to: &scene, fork, thick, bark: bark, isBare: isBare, &random)
    let sun = Vector(scene.surroundings.light.sun)
    let drop = Vector(-sun.x, -sun.y, 0) * (height * 0.65 / sun.z)
    let wide = height * 0.36
    scene.addShadow(
      foot + drop, Vector(wide, 0, 0), Vector(0, wide, 0), strength: isBare ? 0.4 : 0.75, kind: 2)
    scene.addCastShadow(foot, height: height * 0.5, width: thick, strength: 0.7)
  }

  private func addCrown(
    to scene: inout StreetScene, _ fork: Vector, _ thick: Double, bark: Int32, isBare: Bool,
    _ random: inout StreetRandom
  ) {
    let (dark, bright) = random.pick(Self.greens)
    let spread = height * random.between(0.24, 0.32)
    let boughs = isBare ? 9 : 6
    for bough in 0..<boughs {
      let angle = Double(bough) * 2.4 + random.between(-0.4, 0.4)
      let level = random.between(0.15, 1)
      let out = spread * (1.1 - 0.55 * level)
      let tip =
        fork
        + Vector(cosine(angle) * out, sine(angle) * out, height * (0.1 + 0.42 * level))
      scene.addRod(fork, tip, radius: thick * random.between(0.28, 0.5), material: bark)
      if isBare { addTwigs(to: &scene, fork, tip, thick, bark: bark, &random) }
      for _ in 0..<2 {
        let radius = spread * random.between(0.42, 0.68)
        let shift = Vector(
          random.between(-0.3, 0.3), random.between(-0.3, 0.3), random.between(-0.2, 0.3))
        addShell(to: &scene, tip + shift * spread, radius, dark, bright, isBare: isBare, &random)
      }
    }
    if isBare { return }
    let core = fork + Vector(0, 0, height * 0.3)
    addShell(to: &scene, core, spread * 0.8, dark * 0.7, bright * 0.6, isBare: false, &random)
  }

  private func addTwigs(
    to scene: inout StreetScene, _ fork: Vector, _ tip: Vector, _ thick: Double, bark: Int32,
    _ random: inout StreetRandom
  ) {
    for _ in 0..<3 {
      let start = fork + (tip - fork) * random.between(0.45, 0.9)
      let end =
        start + (tip - fork) * random.between(0.2, 0.4)
        + Vector(random.between(-1, 1), random.between(-1, 1), random.between(0.1, 0.9))
        * (height * 0.09)
      scene.addRod(start, end, radius: thick * 0.14, material: bark)
    }
  }

  private func addShell(
    to scene: inout StreetScene, _ centre: Vector, _ radius: Double, _ dark: Colour,
    _ bright: Colour, isBare: Bool, _ random: inout StreetRandom
  ) {
    var material = StreetMaterial(
      paint: isBare ? .twigs : .foliage, label: .tree,
      colour: isBare ? Colour(0.11, 0.14, 0.17) : dark,
      accent: bright * Float(random.between(0.75, 1.2)),
      seed: UInt32(truncatingIfNeeded: random.next()), isCutOut: true)
    let tiles = isBare ? radius * 0.42 : radius * 0.3
    material.numbers = SIMD4(
      Float(tiles), isBare ? 0.52 : Float(random.between(0.5, 0.66)), Float(radius), 0)
    let turn = random.between(0, 6.28)
    let (c, s) = (cosine(turn) * radius, sine(turn) * radius)
    scene.addQuadric(
      .ellipsoid, centre, Vector(c, s, 0), Vector(-s, c, 0),
      Vector(0, 0, radius * random.between(0.75, 1)), material: scene.add(material))
  }
}

/// A clipped hedge, soft at the edges.
struct StreetHedge {
  let from: Vector, to: Vector
  let height: Double

  func build(into scene: inout StreetScene, style: UInt64) {
    var random = StreetRandom(seed: style, 9)
    let count = max(1, Int(dot(to - from, to - from).squareRoot() / 0.9))
    for index in 0...count {
      let foot = from + (to - from) * (Double(index) / Double(count))
      var material = StreetMaterial(
        paint: .foliage, label: .tree, colour: Colour(0.03, 0.10, 0.06),
        accent: Colour(0.05, 0.2, 0.13), seed: UInt32(truncatingIfNeeded: random.next()),
        isCutOut: true)
      material.numbers = SIMD4(0.35, 0.2, 0.8, 0)
      scene.addBall(
        foot + Vector(0, 0, height * 0.45), Vector(0.85, 0.5, height * random.between(0.52, 0.62)),
        material: scene.add(material))
    }
  }
}
