// SPDX-License-Identifier: Apache-2.0

/// The street of a seed: blocks drawn from their number along the road, so that it never ends.
struct StreetWorld: Sendable {
  let seed: UInt64
  let route: StreetRoute
  let light: StreetLight
  let traffic: StreetTraffic

  /// Metres from one block to the next, and how far one sees.
  static let block = 48.0, sight = 300.0
  /// What lines a block on one side.
  enum Zone { case shops, terrace, park, villas }

  init(seed: UInt64) {
    self.seed = seed
    route = StreetRoute(seed: seed)
    light = StreetLight(seed: seed)
    traffic = StreetTraffic(seed: seed, route: route)
  }

  /// All that `camera` may see at `time`.
  func scene(at time: Double, width: Int, height: Int) -> StreetScene {
    let camera = route.camera(at: time, width: width, height: height)
    let x = camera.position.x
    var surroundings = StreetSurroundings(light: light, route: route, camera: camera, seed: seed)
    let first = Int(((x - 14) / Self.block).rounded(.down))
    let blocks = first...Int(((x + Self.sight) / Self.block).rounded(.down))
    let houses = blocks.flatMap { row(of: $0, side: 1) + row(of: $0, side: -1) }
    for house in houses {
      surroundings.raise(house.side, from: house.from, to: house.to, height: house.height + 1)
    }
    let crossings = blocks.compactMap { crossing(of: $0) }
    surroundings.crossings = crossings.map {
      (Float($0 - 1.4 - surroundings.origin), Float($0 + 1.4 - surroundings.origin))
    }
    var scene = StreetScene(camera: camera, surroundings: surroundings, time: time)
    addGround(to: &scene, from: x - 16)
    for house in houses { house.build(into: &scene, route: route) }
    for block in blocks {
      for side in [1.0, -1.0] { furnish(block, side, into: &scene) }
    }
    for crossing in crossings { addCrossing(at: crossing, to: &scene) }
    for actor in traffic.actors(at: time, in: (x - 3)...(x + 220)) {
      actor.build(into: &scene, route: route)
    }
    scene.finish()
    return scene
  }

  func zone(of block: Int, side: Double) -> Zone {
    var random = StreetRandom(seed: seed, 110, block >> 1, Int(side))
    let draw = random.unit()
    return draw < 0.32 ? .shops : draw < 0.56 ? .terrace : draw < 0.83 ? .park : .villas
  }

  /// Where the middle of a block's zebra is; most have none.
  func crossing(of block: Int) -> Double? {
    var random = StreetRandom(seed: seed, 111, block)
    return random.chance(0.3) ? (Double(block) + 0.5) * Self.block : nil
  }

  // MARK: Houses

  private func row(of block: Int, side: Double) -> [StreetHouse] {
    let zone = zone(of: block, side: side)
    if zone == .park { return [] }
    var random = StreetRandom(seed: seed, 112, block, Int(side))
    let setback = zone == .shops ? 0 : zone == .terrace ? 2.2 : 5.5
    var houses: [StreetHouse] = []
    var (x, style) = (0.0, random.next())
    while x < Self.block - 0.1 {
      var width = zone == .villas ? random.between(8, 12) : random.between(5.2, 11)
      if Self.block - x - width < 5 { width = Self.block - x }
      if !random.chance(zone == .terrace ? 0.6 : 0.1) { style = random.next() }
      let gap = zone == .villas ? min(4.5, width * 0.3) : 0
      let start = Double(block) * Self.block + x
      houses.append(
        StreetHouse(
          side: side, from: start + gap / 2, to: start + width - gap / 2, setback: setback,
          storeys: zone == .shops ? 2 + random.below(3) : 2 + random.below(2),
          storey: random.between(2.8, 3.5), isShop: zone == .shops && random.chance(0.85),
          style: style))
      x += width
    }
    return houses
  }

  // MARK: Ground

  /// Road, kerbs, pavements and what lies behind them, in lengths of eight metres.
  private func addGround(to scene: inout StreetScene, from x: Double) {
    let road = scene.add(StreetMaterial(paint: .road, label: .road, colour: .zero))
    let slabs = scene.add(
      StreetMaterial(paint: .pavement, label: .pavement, colour: Colour(0.25, 0.27, 0.28)))
    let kerb = scene.add(
      StreetMaterial(paint: .kerb, label: .pavement, colour: Colour(0.32, 0.34, 0.35)))
    let grass = scene.add(StreetMaterial(paint: .grass, label: .tree, colour: .zero))
    let start = Vector(x, route.middle(x) - 200, 0)
    let lay = StreetScene.Lay(origin: start, u: Vector(1, 0, 0), v: Vector(0, 1, 0))
    scene.addPolygon(
      [
        start, start + Vector(900, 0, 0), start + Vector(900, 400, 0), start + Vector(0, 400, 0),
      ], lay: lay, material: road)
    let first = Int((x / 8).rounded(.down))
    for length in first..<(first + 42) {
      let (a, b) = (Double(length) * 8, Double(length + 1) * 8)
      for side in [1.0, -1.0] {
        let (half, back) = (side * route.halfWidth, side * (route.halfWidth + route.pavementWidth))
        let foot = route.point(a, half), along = route.point(b, half) - foot
        scene.addSheet(foot, along, Vector(0, 0, 0.12), material: kerb)
        let top = foot + Vector(0, 0, 0.12)
        scene.addStrip(top, along, Vector(0, side * 0.14, 0), material: kerb)
        scene.addStrip(
          top + Vector(0, side * 0.14, 0), along, Vector(0, back - half - side * 0.14, 0),
          material: slabs)
        let behind = route.point(a, back, 0.1)
        let isPaved = zone(of: Int((a / Self.block).rounded(.down)), side: side) == .shops
        scene.addStrip(
          behind, along, Vector(0, side * 160, 0), material: isPaved ? slabs : grass)
      }
    }
  }
}

extension StreetScene {
  /// A level strip of ground.
  mutating func addStrip(_ corner: Vector, _ along: Vector, _ across: Vector, material: Int32) {
    addPolygon(
      [corner, corner + along, corner + along + across, corner + across],
      lay: Lay(origin: corner, u: Vector(1, 0, 0), v: Vector(0, 1, 0)), material: material)
  }
}
