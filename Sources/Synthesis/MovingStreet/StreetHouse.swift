// SPDX-License-Identifier: Apache-2.0

/// A house of a row: where it stands and what its style is drawn from.
struct StreetHouse: Sendable {
  let side: Double
  let from: Double, to: Double
  /// From the back of the pavement to the front.
  let setback: Double
  let storeys: Int
  let storey: Double
  let isShop: Bool
  let style: UInt64

  var height: Double { Double(storeys) * storey + 0.35 }

  private static let bricks = [
    Colour(0.10, 0.14, 0.30), Colour(0.13, 0.19, 0.33), Colour(0.20, 0.32, 0.42),
    Colour(0.24, 0.35, 0.42), Colour(0.07, 0.10, 0.22), Colour(0.17, 0.24, 0.33),
  ]
  private static let plasters = [
    Colour(0.55, 0.62, 0.65), Colour(0.42, 0.58, 0.66), Colour(0.38, 0.48, 0.55),
    Colour(0.62, 0.62, 0.60), Colour(0.50, 0.45, 0.38), Colour(0.36, 0.42, 0.60),
  ]
  private static let stones = [Colour(0.34, 0.42, 0.46), Colour(0.27, 0.33, 0.36)]
  private static let claddings = [Colour(0.36, 0.36, 0.36), Colour(0.30, 0.24, 0.18)]

  private var material: StreetMaterial {
    var random = StreetRandom(seed: style)
    let wall = [0, 0, 0, 1, 1, 2, 3][random.below(7)]
    let colour = random.pick([Self.bricks, Self.plasters, Self.stones, Self.claddings][wall])
    var material = StreetMaterial(
      paint: .facade, label: .building, colour: colour * Float(random.between(0.75, 1.15)),
      accent: Colour(0.52, 0.56, 0.58) * Float(random.between(0.65, 1.1)),
      seed: UInt32(truncatingIfNeeded: style >> 7))
    let bay = wall == 3 ? random.between(1.6, 2.4) : random.between(2.1, 3.3)
    material.numbers = SIMD4(Float(storey), Float(bay), Float(height), Float(to - from))
    let share = wall == 3 ? random.between(0.75, 0.92) : random.between(0.36, 0.56)
    material.more = SIMD4(
      isShop ? 1 : 0, Float(share), Float(random.between(0.46, 0.62)), Float(wall))
    return material
  }

  func build(into scene: inout StreetScene, route: StreetRoute) {
    let lateral = side * (route.halfWidth + route.pavementWidth + setback)
    let (a, b) = (route.point(from, lateral), route.point(to, lateral))
    let along = b - a
    let out = normalised(Vector(-along.y, along.x, 0)) * side
    var random = StreetRandom(seed: style, 5)
    let up = Vector(0, 0, height)
    var front = material
    front.numbers.w = Float((along * along).sum().squareRoot())
    let facade = scene.add(front)
    scene.addSheet(a, along, up, material: facade)
    front.paint = .wall
    let wall = scene.add(front)
    front.colour = front.accent
    let trim = scene.add(front.plain)
    let depth = random.between(8, 11)
    addRoof(to: &scene, a, along, out * depth, wall: wall, trim: trim, &random)
    let half = normalised(along) * 0.5 * dot(along, along).squareRoot()
    scene.addBox(
      a + half + up - out * 0.12 - Vector(0, 0, 0.14), half, out * 0.16, Vector(0, 0, 0.14),
      material: trim)
    if isShop { addShopFront(to: &scene, a, along, out, &random) }
    if !isShop && random.chance(0.45) && setback > 1.2 {
      addBay(to: &scene, a, along, out, wall: wall, trim: trim, &random)
    }
  }

  private func addRoof(
    to scene: inout StreetScene, _ a: Vector, _ along: Vector, _ depth: Vector, wall: Int32,
    trim: Int32, _ random: inout StreetRandom
  ) {
    let (eaves, b) = (Vector(0, 0, height), a + along)
    let isFlat = storeys > 3 || random.chance(0.25)
    let rise = Vector(0, 0, isFlat ? 0.02 : random.between(1.8, 3.2))
    let slate = scene.add(
      StreetMaterial(
        paint: .roof, label: .building,
        colour: random.pick([
          Colour(0.14, 0.13, 0.13), Colour(0.09, 0.12, 0.24), Colour(0.12, 0.13, 0.16),
        ]), seed: UInt32(truncatingIfNeeded: style)))
    for end in [a, b] {
      let gable = [
        end, end + depth, end + depth + eaves, end + depth / 2 + eaves + rise, end + eaves,
      ]
      let lay = StreetScene.Lay(origin: end, u: normalised(depth), v: Vector(0, 0, 1))
      scene.addPolygon(gable, lay: lay, material: wall)
    }
    scene.addSheet(a + eaves, along, depth / 2 + rise, material: slate)
    scene.addSheet(a + depth + eaves, along, rise - depth / 2, material: slate)
    if isFlat { return }
    let out = normalised(depth), level = normalised(along)
    let ridge = a + along * (random.chance(0.5) ? 0.06 : 0.94) + depth / 2 + eaves + rise
    scene.addBox(
      ridge, level * 0.45, out * 0.35, Vector(0, 0, random.between(0.9, 1.5)), material: wall)
    if random.chance(0.35) {
      let foot = a + along / 2 + depth * 0.2 + eaves
      scene.addBox(foot + rise * 0.3, level * 0.8, out * 0.9, rise * 0.45, material: trim)
    }
  }

  /// An awning, and a sign that hangs over the pavement.
  private func addShopFront(
    to scene: inout StreetScene, _ a: Vector, _ along: Vector, _ out: Vector,
    _ random: inout StreetRandom
  ) {
    let up = Vector(0, 0, storey)
    if random.chance(0.4) {
      let cloth = scene.paint(
        .building, Float(random.between(0.05, 0.5)), Float(random.between(0.05, 0.4)),
        Float(random.between(0.1, 0.6)))
      let reach = -out * 1.1 - Vector(0, 0, 0.5)
      scene.addSheet(a + along * 0.06 + up * 0.88, along * 0.88, reach, material: cloth)
      scene.addSheet(
        a + along * 0.06 + up * 0.88 + reach, along * 0.88, Vector(0, 0, -0.22), material: cloth)
    }
    if random.chance(0.6) {
      var board = StreetMaterial(
        paint: .sign, label: .signSymbol,
        colour: Colour(
          Float(random.between(0.02, 0.5)), Float(random.between(0.02, 0.4)),
          Float(random.between(0.02, 0.5))), seed: UInt32(truncatingIfNeeded: random.next()))
      board.numbers.x = 2
      let sign = scene.add(board)
      let centre = a + along * random.between(0.15, 0.85) + up * 1.12 - out * 0.6
      scene.addDisplay(centre, out * 0.42, Vector(0, 0, 0.48), material: sign)
    }
  }

  /// A bay window two storeys high.
  private func addBay(
    to scene: inout StreetScene, _ a: Vector, _ along: Vector, _ out: Vector,
    wall: Int32, trim: Int32, _ random: inout StreetRandom
  ) {
    var front = material
    let wide = min(2.6, dot(along, along).squareRoot() * 0.42)
    let tall = storey * Double(min(storeys, 2)) - 0.2
    front.numbers = SIMD4(Float(storey), Float(wide), Float(tall + 0.5), Float(wide))
    front.more.y = 0.78
    front.seed &+= 77
    let face = scene.add(front)
    let level = normalised(along)
    let foot = a + along * (random.chance(0.5) ? 0.3 : 0.7)
    let corner = foot - level * (wide / 2) - out * 0.7
    scene.addSheet(corner, level * wide, Vector(0, 0, tall), material: face)
    for x in [0, wide] {
      scene.addSheet(corner + level * x, out * 0.7, Vector(0, 0, tall), material: wall)
    }
    scene.addSheet(
      corner + Vector(0, 0, tall), level * wide, out * 0.7 + Vector(0, 0, 0.3), material: trim)
  }
}

extension StreetMaterial {
  /// The same colour and class without a pattern.
  var plain: StreetMaterial {
    StreetMaterial(paint: .plain, label: label, colour: colour)
  }
}

extension StreetScene {
  /// A flat display centred on a point, its coordinates −1 … 1 along the half axes.
  mutating func addDisplay(
    _ centre: Vector, _ a: Vector, _ b: Vector, material: Int32, part: Int32 = 0
  ) {
    addPolygon(
      [centre - a - b, centre + a - b, centre + a + b, centre - a + b],
      lay: Lay(origin: centre, u: a / dot(a, a), v: b / dot(b, b)), material: material, part: part)
  }
}
