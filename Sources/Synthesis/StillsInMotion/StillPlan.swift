// SPDX-License-Identifier: Apache-2.0

internal import Video

/// What chance has made of a clip: all that its frames depend on.
struct StillPlan {
  let count: Int, gap: Int, size: PixelSize, anchor: Int
  let scene: StillScene
  let surface: StillSurface, camera: StillCamera, path: StillPath
  let layers: [StillLayer]
  let window: StillMatrix

  init(
    _ store: StillStore, seed: UInt64, index: Int, count: Int, gap: Int, size: PixelSize?,
    scale: ClosedRange<Double>
  ) throws {
    var random = StreetRandom(seed: seed, 400, index)
    let still = Self.still(of: index, among: store.count, seed: seed)
    scene = try store.scene(at: still)
    (self.count, self.gap) = (count, gap)
    self.size = size ?? PixelSize(width: scene.width, height: scene.height)
    // Most clips begin with the still: driving into it shows less that nobody knows than driving
    // out.
    let early = random.unit()
    anchor = Int(early * early * early * Double(count - 1) + 0.5)
    path = StillPath(&random)
    window = Self.window(of: scene, size: self.size, scale: scale, &random)
    guard let depth = scene.depth else {
      (camera, surface) = Self.depthByChance(scene, &random)
      layers = []
      return
    }
    (camera, surface) = depth
    let movers = try Self.movers(into: scene, camera, except: still, from: store, &random)
    layers = scene.cutouts.map { StillLayer(standing: $0) } + movers
  }

  /// The still of a clip: each occurs once in a row of as many clips as there are stills.
  private static func still(of index: Int, among count: Int, seed: UInt64) -> Int {
    let (round, place) = index.quotientAndRemainder(dividingBy: count)
    var random = StreetRandom(seed: seed, 401, round)
    var factor = 1 + random.below(count)
    while greatestCommonDivisor(factor, count) != 1 { factor += 1 }
    return (place % count * (factor % count) + random.below(count)) % count
  }

  private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
    b == 0 ? a : greatestCommonDivisor(b, a % b)
  }

  /// From the still's pixels to those of a window somewhere in it; whole pixels where nothing is
  /// scaled.
  private static func window(
    of scene: StillScene, size: PixelSize, scale: ClosedRange<Double>, _ random: inout StreetRandom
  ) -> StillMatrix {
    let scale = random.between(scale.lowerBound, scale.upperBound)
    func corner(_ still: Int, _ window: Int) -> Double {
      let room = Double(still) * scale - Double(window)
      let place = random.unit() * room
      return (room < 0 ? room / 2 : place).rounded(.down)
    }
    let (left, top) = (corner(scene.width, size.width), corner(scene.height, size.height))
    return .scale(scale, scale, shift: (scale / 2 - 0.5 - left, scale / 2 - 0.5 - top))
  }

  /// A smooth depth, nearer towards the bottom more often than not.
  private static func depthByChance(
    _ scene: StillScene, _ random: inout StreetRandom
  ) -> (StillCamera, StillSurface) {
    let (width, height) = (Double(scene.width), Double(scene.height))
    let camera = StillCamera(
      focal: 0.9 * max(width, height * 4 / 3),
      centre: (width * random.between(0.35, 0.65), height * random.between(0.3, 0.6)))
    let waves = (0..<6).map { _ in
      (
        across: random.between(-7, 7) / width, down: random.between(-7, 7) / height,
        phase: random.between(0, 2 * .pi), size: random.between(0, 0.03)
      )
    }
    let (tilt, far) = (random.between(-0.05, 0.35), random.between(0.02, 0.12))
    let surface = StillSurface(width: scene.width, height: scene.height) { x, y in
      let waving = waves.reduce(0) { $0 + $1.size * sine($1.across * x + $1.down * y + $1.phase) }
      return max(0.01, far + tilt * max(0, y / height - 0.4) + waving)
    }
    return (camera, surface)
  }

  /// A few cut-outs of other stills, standing on the ground of this one and on their way.
  private static func movers(
    into scene: StillScene, _ camera: StillCamera, except still: Int, from store: StillStore,
    _ random: inout StreetRandom
  ) throws -> [StillLayer] {
    let wanted = random.below(4)
    var movers: [StillLayer] = []
    for _ in 0..<(2 * wanted) where movers.count < wanted && store.count > 1 {
      let other = (still + 1 + random.below(store.count - 1)) % store.count
      let guests = try store.scene(at: other)
      // A stream of its own, so that how much one draws does not change the others.
      var own = StreetRandom(seed: random.next())
      let candidates = guests.cutouts.filter(\.isMover)
      guard !candidates.isEmpty else { continue }
      let gain = min(max(scene.brightness / max(guests.brightness, 1), 0.6), 1.5)
      let guest = own.pick(candidates).brightened(by: gain)
      if let mover = mover(guest, in: scene, camera, &own) { movers.append(mover) }
    }
    return movers
  }

  /// A cut-out somewhere on the ground; nil where trying does not find any.
  private static func mover(
    _ guest: StillCutout, in scene: StillScene, _ camera: StillCamera,
    _ random: inout StreetRandom
  ) -> StillLayer? {
    var place: (x: Double, y: Double, scale: Double)?
    for _ in 0..<8 where place == nil {
      let (x, scale) = (random.between(0, Double(scene.width)), random.between(0.6, 1.6))
      let row = camera.centre.y + guest.nearness.middle * scale * camera.focal
      if scene.isGround(x: x, y: row) { place = (x, row, scale) }
    }
    guard let place else { return nil }
    let isCrossing = random.chance(0.4)
    let velocity = Vector(
      random.between(-1, 1) * (isCrossing ? 0.25 : 0.05), 0,
      random.between(-0.5, 0.6) * (isCrossing ? 0.2 : 1))
    return StillLayer(
      guest, foot: (place.x, place.y), nearness: guest.nearness.middle * place.scale,
      scale: place.scale, isMirrored: random.chance(0.5), velocity: velocity)
  }
}
