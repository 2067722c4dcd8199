// SPDX-License-Identifier: Apache-2.0

/// Something that moves, or might: what it looks like and where it is at any moment.
struct StreetActor: Sendable {
  enum Look: Sendable {
    case car(StreetCar)
    case walker(StreetWalker)
    case cyclist(StreetCyclist)
  }

  /// Paths are closed forms of the time.
  enum Path: Sendable {
    /// On the spot, facing the way the road goes or back.
    case standing(x: Double, lateral: Double, height: Double, isReversed: Bool)
    /// At `start` at time 0, along the road at a speed that may be negative.
    case along(start: Double, lateral: Double, height: Double, speed: Double)
    /// Ahead of the camera by a gap that breathes.
    case leading(gap: Double, lateral: Double, phase: Double)
    /// Waits, then crosses the road at `x` from one lateral to the other.
    case crossing(x: Double, from: Double, to: Double, start: Double)
  }

  let look: Look
  let path: Path
  /// The same number for the same object at any time; see `identity(_:slot:index:)`.
  let identity: Int

  /// Where the actor stands and how far it has gone.
  private func place(at time: Double, _ route: StreetRoute) -> (pose: Pose, way: Double) {
    switch path {
    case .standing(let x, let lateral, let height, let isReversed):
      let pose = route.pose(x, lateral, height)
      return (isReversed ? pose(.turn(Double.pi)) : pose, 0)
    case .along(let start, let lateral, let height, let speed):
      let pose = route.pose(start + speed * time, lateral, height)
      return (speed < 0 ? pose(.turn(Double.pi)) : pose, abs(speed) * time + start)
    case .leading(let gap, let lateral, let phase):
      let x = route.progress(at: time) + gap * (1 + 0.4 * sine(0.13 * time + phase))
      return (route.pose(x, lateral), x)
    case .crossing(let x, let from, let to, let start):
      let whole = abs(to - from)
      let way = min(max((time - start) * 1.4, 0), whole)
      let lateral = from + (to - from) * (way / whole)
      let height = abs(lateral) > route.halfWidth ? 0.12 : 0.0
      let pose = route.pose(x, lateral, height)
      return (pose(.turn(to > from ? Double.pi / 2 : -Double.pi / 2)), way)
    }
  }

  func poses(at time: Double, _ route: StreetRoute) -> [Pose] {
    let (pose, way) = place(at: time, route)
    return switch look {
    case .car(let car): car.poses(at: pose, way: way)
    case .walker(let walker): walker.poses(at: pose, way: way)
    case .cyclist(let cyclist): cyclist.poses(at: pose, way: way)
    }
  }

  func build(into scene: inout StreetScene, route: StreetRoute) {
    let part = Int32(scene.poses.count)
    scene.poses += poses(at: scene.time, route)
    let parts = scene.poses.count - Int(part)
    scene.owners += repeatElement(Int32(scene.actors.count), count: parts)
    scene.actors.append(self)
    switch look {
    case .car(let car): car.build(into: &scene, part: part)
    case .walker(let walker): walker.build(into: &scene, part: part)
    case .cyclist(let cyclist): cyclist.build(into: &scene, part: part)
    }
  }
}

extension StreetActor {
  /// Who puts objects on the street; the numbers of traffic's streams lie below those of the rest.
  enum Source { case lead, stream(Int), parked(side: Double), crossing }

  /// A number that no other object of a street has: its source, the slot or block, and which one
  /// there.
  static func identity(_ source: Source, slot: Int = 0, index: Int = 0) -> Int {
    let number =
      switch source {
      case .lead: 0
      case .stream(let key): key
      case .parked(let side): side > 0 ? 8 : 9
      case .crossing: 10
      }
    // Slots behind the origin are odd, so that every number is positive.
    let place = slot < 0 ? -2 * slot - 1 : 2 * slot
    return place << 8 | index << 4 | number
  }
}

/// Who is about: streams of slots that move at one speed each, so that any moment can be listed.
struct StreetTraffic: Sendable {
  let seed: UInt64
  let route: StreetRoute
  private let oncoming: Double, crowd: Double, cyclists: Double
  private let lead: StreetActor?
  /// Nothing drives ahead of the camera, so people may cross there.
  var isClearAhead: Bool { lead == nil }

  init(seed: UInt64, route: StreetRoute) {
    (self.seed, self.route) = (seed, route)
    var random = StreetRandom(seed: seed, 103)
    oncoming = random.between(0.35, 0.8)
    crowd = random.between(0.3, 0.85)
    cyclists = random.between(0.35, 0.9)
    let style = random.next()
    let path = { (gap: Double, lateral: Double) in
      StreetActor.Path.leading(gap: gap, lateral: lateral, phase: Double(seed % 6))
    }
    let draw = random.unit()
    lead =
      draw < 0.5
      ? StreetActor(
        look: .car(StreetCar(style: style)), path: path(random.between(14, 30), route.lane),
        identity: StreetActor.identity(.lead))
      : draw < 0.75
        ? StreetActor(
          look: .cyclist(StreetCyclist(style: style)),
          path: path(random.between(9, 16), route.halfWidth - 0.9),
          identity: StreetActor.identity(.lead)) : nil
  }

  /// Everybody within sight at `time`, from `range` of the road.
  func actors(at time: Double, in range: ClosedRange<Double>) -> [StreetActor] {
    var list = lead.map { [$0] } ?? []
    let half = route.halfWidth, walk = route.pavementWidth
    list += stream(1, 34, speed: -8.5, time, range, oncoming) { random, path in
      (.car(StreetCar(style: random.next())), path(-route.lane, 0))
    }
    list += stream(2, 30, speed: 4.3, time, range, cyclists) { random, path in
      (.cyclist(StreetCyclist(style: random.next())), path(half - 0.65, 0))
    }
    list += stream(3, 42, speed: -4.6, time, range, cyclists) { random, path in
      (.cyclist(StreetCyclist(style: random.next())), path(-half + 0.55, 0))
    }
    for (key, side, speed) in [(4, 1.0, 1.25), (5, 1.0, -1.35), (6, -1.0, 1.3), (7, -1.0, -1.2)] {
      list += stream(key, 11, speed: speed, time, range, crowd) { random, path in
        let lateral = side * (half + random.between(0.8, walk - 0.35))
        return (.walker(StreetWalker(style: random.next())), path(lateral, 0.12))
      }
    }
    return list
  }

  /// The slots of one stream that are in `range` at `time`; each is taken with a probability.
  private func stream(
    _ key: Int, _ spacing: Double, speed: Double, _ time: Double, _ range: ClosedRange<Double>,
    _ probability: Double,
    _ make: (inout StreetRandom, (_ lateral: Double, _ height: Double) -> StreetActor.Path) -> (
      StreetActor.Look, StreetActor.Path
    )
  ) -> [StreetActor] {
    let first = Int(((range.lowerBound - speed * time) / spacing).rounded(.down))
    let last = Int(((range.upperBound - speed * time) / spacing).rounded(.up))
    return (first...last).compactMap { slot in
      var random = StreetRandom(seed: seed, 200 + key, slot)
      let start = (Double(slot) + random.between(-0.25, 0.25)) * spacing
      guard random.chance(probability), range.contains(start + speed * time) else { return nil }
      let (look, path) = make(&random) {
        .along(start: start, lateral: $0, height: $1, speed: speed)
      }
      let identity = StreetActor.identity(.stream(key), slot: slot)
      return StreetActor(look: look, path: path, identity: identity)
    }
  }
}
