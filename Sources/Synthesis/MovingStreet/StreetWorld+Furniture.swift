// SPDX-License-Identifier: Apache-2.0

extension StreetWorld {
  /// Trees, lamps, signs, fences, bins and parked cars of a block.
  func furnish(_ block: Int, _ side: Double, into scene: inout StreetScene) {
    var random = StreetRandom(seed: seed, 120, block, Int(side))
    let start = Double(block) * Self.block
    let zone = zone(of: block, side: side)
    addFence(to: &scene, zone, start, side, &random)
    addTrees(to: &scene, zone, start, side, &random)
    addLamp(to: &scene, start + (side > 0 ? 9 : 31), side)
    for _ in 0..<3 where random.chance(0.75) {
      addSign(to: &scene, start + random.between(0, Self.block), side, &random)
    }
    addSmallThings(to: &scene, start, side, &random)
    guard route.halfWidth > 4.0, side < 0 || route.halfWidth > 4.6 else { return }
    guard random.chance(0.65) else { return }
    var (x, count) = (start + random.between(2, 8), 0)
    while x < start + Self.block - 3 {
      let car = StreetCar(style: random.next())
      if car.kind != .bus, random.chance(0.7) {
        StreetActor(
          look: .car(car),
          path: .standing(
            x: x, lateral: side * (route.halfWidth - 1), height: 0,
            isReversed: side < 0 && random.chance(0.8)),
          identity: StreetActor.identity(.parked(side: side), slot: block, index: count)
        ).build(into: &scene, route: route)
      }
      (x, count) = (x + random.between(5.4, 7.2), count + 1)
    }
  }

  private func back(_ extra: Double, _ side: Double) -> Double {
    side * (route.halfWidth + route.pavementWidth + extra)
  }

  /// What divides the pavement from gardens and parks.
  private func addFence(
    to scene: inout StreetScene, _ zone: Zone, _ start: Double, _ side: Double,
    _ random: inout StreetRandom
  ) {
    guard zone != .shops else { return }
    let kind = random.unit()
    var wall = StreetMaterial(
      paint: .wall, label: .fence,
      colour: random.pick([Colour(0.13, 0.18, 0.32), Colour(0.25, 0.32, 0.36)]),
      seed: UInt32(truncatingIfNeeded: random.next()))
    wall.more.w = random.chance(0.6) ? 0 : 2
    var rails = StreetMaterial(
      paint: .railings, label: .fence, colour: Colour(0.02, 0.022, 0.02), isCutOut: true)
    var boards = StreetMaterial(
      paint: .panels, label: .fence,
      colour: random.pick([Colour(0.1, 0.17, 0.25), Colour(0.12, 0.2, 0.17)]),
      seed: wall.seed)
    boards.numbers.x = 0.16
    let height = zone == .park ? 1.5 : 0.8
    rails.numbers = SIMD4(Float(height), 0.13, 0.026, 0)
    let (stone, iron, wood) = (scene.add(wall), scene.add(rails), scene.add(boards))
    for length in 0..<6 {
      let (a, b) = (
        route.point(start + Double(length) * 8, back(0.15, side), 0.1),
        route.point(start + Double(length + 1) * 8, back(0.15, side), 0.1)
      )
      if zone == .villas && length % 3 == 1 { continue }
      let low = Vector(0, 0, kind < 0.6 ? 0.45 : 1.0)
      if kind < 0.78 {
        scene.addSheet(a, b - a, low, material: stone)
        scene.addStrip(a + low, b - a, Vector(0, side * 0.3, 0), material: stone)
      }
      if kind < 0.6 {
        scene.addSheet(
          a + low + Vector(0, side * 0.15, 0), b - a, Vector(0, 0, height), material: iron)
      } else if kind >= 0.78 {
        scene.addSheet(a, b - a, Vector(0, 0, 1.7), material: wood)
      }
      if zone != .terrace && random.chance(0.45) {
        StreetHedge(
          from: a + Vector(0, side * 1, 0), to: b + Vector(0, side * 1, 0),
          height: random.between(1.2, 1.9)
        ).build(into: &scene, style: random.next())
      }
    }
  }

  private func addTrees(
    to scene: inout StreetScene, _ zone: Zone, _ start: Double, _ side: Double,
    _ random: inout StreetRandom
  ) {
    let count = zone == .park ? 11 : zone == .villas ? 4 : 2
    for index in 0..<count {
      guard random.chance(zone == .park || zone == .villas ? 0.95 : 0.45) else { continue }
      let x = start + (Double(index) + random.between(0.2, 0.8)) * Self.block / Double(count)
      let inPavement = zone == .shops || zone == .terrace
      let lateral =
        inPavement
        ? side * (route.halfWidth + 0.75)
        : back(random.between(1.6, zone == .park ? 11 : 4.5), side)
      StreetTree(
        foot: route.point(x, lateral, 0.1),
        height: inPavement ? random.between(5, 7.5) : random.between(7, 13), style: random.next()
      ).build(into: &scene)
    }
  }

  private func addLamp(to scene: inout StreetScene, _ x: Double, _ side: Double) {
    let metal = scene.paint(.pole, 0.09, 0.095, 0.085)
    let lamp = scene.paint(.pole, 0.5, 0.5, 0.48)
    let foot = route.point(x, side * (route.halfWidth + 0.45), 0.12)
    let top = foot + Vector(0, 0, 6.6)
    scene.addRod(foot, foot + Vector(0, 0, 1.3), radius: 0.105, material: metal)
    scene.addRod(foot, top, radius: 0.068, material: metal)
    let reach = Vector(0, -side * 1.5, 0.35)
    scene.addRod(top - Vector(0, 0, 0.03), top + reach, radius: 0.045, material: metal)
    scene.addBall(top + reach, Vector(0.13, 0.36, 0.08), material: lamp)
    scene.addCastShadow(
      Vector(foot.x, foot.y, 0), height: 6.6, width: 0.09, strength: 0.75)
  }

  private func addSign(
    to scene: inout StreetScene, _ x: Double, _ side: Double, _ random: inout StreetRandom
  ) {
    let metal = scene.paint(.pole, 0.2, 0.2, 0.2)
    let foot = route.point(x, side * (route.halfWidth + 0.4), 0.12)
    let height = random.between(2.1, 2.7)
    scene.addRod(foot, foot + Vector(0, 0, height + 0.3), radius: 0.04, material: metal)
    var face = StreetMaterial(
      paint: .sign, label: .signSymbol,
      colour: random.pick([
        Colour(0.45, 0.12, 0.02), Colour(0.1, 0.25, 0.02), Colour(0.5, 0.5, 0.5),
        Colour(0.03, 0.35, 0.5),
      ]), seed: UInt32(truncatingIfNeeded: random.next()), isCutOut: true)
    let shape = random.below(3)
    face.numbers.x = Float(shape)
    let sign = scene.add(face)
    let pose = route.pose(x, 0)
    let wide = shape == 2 ? random.between(0.3, 0.55) : 0.34
    let facing = side > 0 ? -0.07 : 0.07
    scene.addDisplay(
      foot + Vector(0, 0, height) + pose.x * facing, pose.y * wide,
      Vector(0, 0, shape == 2 ? random.between(0.25, 0.5) : 0.34), material: sign)
  }

  /// Bollards, bins and the grey boxes nobody looks at.
  private func addSmallThings(
    to scene: inout StreetScene, _ start: Double, _ side: Double, _ random: inout StreetRandom
  ) {
    let dark = scene.paint(.pole, 0.025, 0.025, 0.025)
    let box = scene.paint(.void, 0.06, 0.1, 0.06)
    if random.chance(0.35) {
      let x = start + random.between(4, 30)
      for index in 0..<6 {
        let foot = route.point(x + Double(index) * 1.9, side * (route.halfWidth + 0.35), 0.12)
        scene.addRod(foot, foot + Vector(0, 0, 0.95), radius: 0.07, material: dark)
        scene.addBall(foot + Vector(0, 0, 0.97), Vector(0.085, 0.085, 0.07), material: dark)
      }
    }
    for _ in 0..<4 where random.chance(0.6) {
      let pose = route.pose(start + random.between(3, 45), back(-0.35, side), 0.12)
      let tall = random.between(0.45, 0.75)
      scene.addBox(
        pose.origin + Vector(0, 0, tall), pose.x * random.between(0.25, 0.5), pose.y * 0.22,
        Vector(0, 0, tall), material: box)
    }
  }

  /// Traffic lights on either side of a zebra, and two people who cross in front of the camera.
  func addCrossing(at x: Double, to scene: inout StreetScene) {
    let metal = scene.paint(.pole, 0.05, 0.05, 0.05)
    for (side, shift) in [(1.0, -2.3), (-1.0, -2.3), (-1.0, 2.3)] {
      let foot = route.point(x + shift, side * (route.halfWidth + 0.4), 0.12)
      let top = foot + Vector(0, 0, 2.9)
      let pose = route.pose(x + shift, 0)
      scene.addRod(foot, top, radius: 0.06, material: metal)
      addSignal(to: &scene, top, pose, ahead: shift < 0 ? -1 : 1, at: x)
    }
    guard traffic.isClearAhead else { return }
    var random = StreetRandom(seed: seed, 121, Int(x))
    let (edge, start) = (route.halfWidth + 1, route.time(at: x - 34))
    for index in 0..<3 where random.chance(0.7) {
      let side = random.chance(0.5) ? 1.0 : -1.0
      StreetActor(
        look: .walker(StreetWalker(style: random.next())),
        path: .crossing(
          x: x - 0.9 + 0.9 * Double(index), from: side * edge, to: -side * edge,
          start: start + random.between(-3, 2)),
        identity: StreetActor.identity(
          .crossing, slot: Int((x / Self.block).rounded(.down)), index: index)
      ).build(into: &scene, route: route)
    }
  }

  private func addSignal(
    to scene: inout StreetScene, _ top: Vector, _ pose: Pose, ahead: Double, at x: Double
  ) {
    var random = StreetRandom(seed: seed, 122, Int(x))
    let clock = (scene.time + random.between(0, 22)) / 22
    let cycle = (clock - clock.rounded(.down)) * 22
    var face = StreetMaterial(paint: .signals, label: .signSymbol, colour: .zero)
    face.numbers.x = cycle < 13 ? 2 : cycle < 15 ? 1 : 0
    let lamps = scene.add(face)
    let black = scene.paint(.signSymbol, 0.02, 0.02, 0.02)
    let centre = top + Vector(0, 0, 0.1)
    scene.addBox(
      centre, pose.x * 0.12, pose.y * 0.17, Vector(0, 0, 0.5), material: black)
    scene.addDisplay(
      centre + pose.x * (ahead * 0.14), pose.y * 0.24, Vector(0, 0, 0.58), material: lamps)
  }
}
