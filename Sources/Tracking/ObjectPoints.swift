// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Video

/// Points of a key frame's box that are followed, and the way of the object as they tell it.
struct ObjectPoints: Sendable {
  /// The middle and the size of the key frame's box.
  let centre: SIMD2<Double>, size: SIMD2<Double>
  /// The object's way since the key frame.
  private(set) var way = BoxWay()
  /// From the middle of the box, at the key frame.
  let homes: [SIMD2<Double>]
  /// Where they are now.
  var places: [SIMD2<Double>]
  /// Log odds that a point lies on the object and not on the background: by its place in the box,
  /// and what its motion told.
  let priors: [Double]
  var evidence: [Double]
  /// Points around the box, for the background.
  private var ring: [SIMD2<Double>]

  /// The box as the points have it.
  var box: BoundingBox { way.box(of: centre, size: size) }

  /// The geometric mean of the box's sides.
  var length: Double { (size.x * size.y).squareRoot() }

  /// A grid of points; `remembering` are those of the same object's last box.
  init(in box: BoundingBox, side: Int, remembering last: ObjectPoints? = nil) {
    (centre, size) = (box.centre, box.size)
    let (centre, size) = (centre, size)
    let units = Self.grid(side)
    homes = units.map { $0 * size }
    places = homes.map { $0 + centre }
    priors = units.map { unit in
      let chance =
        Tuning.centrePrior * exp(-unit.squaredLength / (2 * Tuning.priorWidth * Tuning.priorWidth))
      return log(chance / (1 - chance))
    }
    if let last, last.evidence.count == units.count {
      evidence = last.evidence.map { Tuning.memory * min(max($0, -3), 3) }
    } else {
      evidence = [Double](repeating: 0, count: units.count)
    }
    ring = Self.grid(20).map { $0 * (1 + 2 * Tuning.ringWidth) }
      .filter { max(abs($0.x), abs($0.y)) > 0.53 }
      .map { $0 * size + centre }
  }

  /// Centres of side × side cells of a square from −0.5 to 0.5.
  private static func grid(_ side: Int) -> [SIMD2<Double>] {
    let ticks = (0..<side).map { (Double($0) + 0.5) / Double(side) - 0.5 }
    return ticks.flatMap { y in ticks.map { x in SIMD2(x, y) } }
  }

  /// Settings chosen on rendered streets and machine-labelled driving videos.
  enum Tuning {
    /// The chance that the middle of a box lies on its object, and how it falls, in box sizes.
    static let centrePrior = 0.9, priorWidth = 0.45
    /// How far the ring reaches out, in box sizes.
    static let ringWidth = 0.3
    /// How much of what motion told of the points goes on over a key frame.
    static let memory = 0.5
    /// How little a point that moves as the background does weighs when a mode is looked for.
    static let backgroundDoubt = 0.8
    /// The weight of the motion before, in shares of all points: for the mode, and for the shift.
    static let modeInertia = 0.05, shiftInertia = 0.02
    /// The scale's standard deviation that is expected of a step.
    static let scaleChange = 0.1, shearChange = 0.02
    /// The most that a step changes the scale by.
    static let mostScaling = 0.35
    /// Grey levels by which a point may change beside 2.5 times the median change.
    static let brightness = 4.0
    /// How many spreads a point may lie off the fit before it is put back.
    static let farthest = 3.0
  }
}

extension ObjectPoints {
  /// What a step says of each point.
  struct Votes {
    /// Displacements in the step, and how far each is to be trusted, from 0 to 1.
    var steps: [SIMD2<Double>], trust: [Double]
    /// The chance that a point lies on the object, as known before the step.
    var chances: [Double]
    /// Squared distances from the background's motion; huge where there is none.
    var fromBackground: [Double]
    /// Trust times chance, less where a point moves as the background does.
    var weights: [Double]
    /// Grey levels by which the picture changed along the steps; nil without pictures.
    var changes: [Double]?
  }

  /// Brings the points to the later frame.
  ///
  /// `relative` is the usual motion against the background, `velocity` the last step's.
  mutating func advance(
    along step: MotionStep, relative: SIMD2<Double>?, velocity: SIMD2<Double>
  ) -> ObjectStep {
    let background = background(along: step, guess: velocity)
    let votes = votes(
      along: step, guess: velocity, background: background, relative: relative)
    let mass = priors.reduce(0) { $0 + logistic($1) }
    let expected = background.flatMap { back in relative.map { back.shift + $0 } }
    guard votes.weights.reduce(0, +) > 0.02 * mass else {
      return goOn(by: expected ?? velocity, background: background)
    }
    let before = way.shift
    way.shift += mode(of: votes, expected: expected, mass: mass)
    let fit = refine(votes, from: before, expected: expected, mass: mass)
    learn(from: votes, fit: fit)
    return ObjectStep(
      velocity: way.shift - before, background: background?.shift,
      support: min(1, fit.weight / mass),
      spread: mean(fit.squares, votes.weights).squareRoot(),
      brightness: votes.changes.map { mean($0, votes.chances) })
  }

  /// Moves all points alike, where nothing else is known.
  private mutating func goOn(
    by velocity: SIMD2<Double>, background: BackgroundMotion?
  ) -> ObjectStep {
    way.shift += velocity
    for index in places.indices { places[index] = home(index) }
    return ObjectStep(
      velocity: velocity, background: background?.shift, support: 0, spread: 0,
      brightness: nil)
  }

  /// Where the fit leads a point.
  private func home(_ index: Int) -> SIMD2<Double> {
    centre + homes[index] + way.displacement(of: homes[index])
  }

  private mutating func background(
    along step: MotionStep, guess: SIMD2<Double>
  ) -> BackgroundMotion? {
    let (width, height) = (Double(step.size.width), Double(step.size.height))
    ring.removeAll { !($0.x > 0 && $0.y > 0 && $0.x < width && $0.y < height) }
    let found = ring.map { step.displacement(of: $0, guess: guess) }
    let seen = ring.indices.filter { found[$0].reliability > 0.05 }
    let motion = BackgroundMotion(
      of: seen.map { ring[$0] }, moving: seen.map { found[$0].displacement }, around: box)
    for index in ring.indices { ring[index] += found[index].displacement }
    return motion
  }

  private func votes(
    along step: MotionStep, guess: SIMD2<Double>, background: BackgroundMotion?,
    relative: SIMD2<Double>?
  ) -> Votes {
    let found = places.map { step.displacement(of: $0, guess: guess) }
    var trust = found.map(\.reliability)
    let changes = step.pictures.map { _ in
      places.indices.map { index in
        step.brightnessChange(of: places[index], movedBy: found[index].displacement) ?? 0
      }
    }
    if let changes {
      let even = [Double](repeating: 1, count: changes.count)
      let limit = Tuning.brightness + 2.5 * weightedMedian(changes, even)
      for index in changes.indices where changes[index] > limit { trust[index] *= 0.1 }
    }
    let chances = priors.indices.map { logistic(priors[$0] + evidence[$0]) }
    let distances = places.indices.map { index in
      background.map { (found[index].displacement - $0.step(at: places[index])).squaredLength }
        ?? 1e9
    }
    let closest = max(0.7, 0.01 * length)
    let width = 1.5 * min(max(closest, background?.spread ?? 0), 0.03 * length + 0.7)
    // An object that hardly moves against the background cannot be told from it by its motion.
    let doubt =
      Tuning.backgroundDoubt
      * (relative.map { 1 - exp(-$0.squaredLength / (2 * width * width)) } ?? 1)
    let weights = places.indices.map { index in
      let likeness = exp(-distances[index] / (2 * width * width))
      return trust[index] * chances[index] * (1 - doubt * likeness)
    }
    return Votes(
      steps: found.map(\.displacement), trust: trust, chances: chances, fromBackground: distances,
      weights: weights, changes: changes)
  }

  /// The shift, beyond the one so far, that most points agree on.
  private func mode(
    of votes: Votes, expected: SIMD2<Double>?, mass: Double
  ) -> SIMD2<Double> {
    let shifts = places.indices.map { places[$0] + votes.steps[$0] - home($0) }
    let reach = max(1, 0.02 * length), farReach = max(2, 0.04 * length)
    var candidates = stride(from: 0, to: shifts.count, by: 2).map { shifts[$0] }
    if let expected { candidates.append(expected) }
    var best = (density: -1.0, shift: SIMD2<Double>.zero)
    for candidate in candidates {
      var density = 0.0
      for index in shifts.indices {
        let near = 1 / (1 + (candidate - shifts[index]).squaredLength / (reach * reach))
        density += votes.weights[index] * near * near
      }
      if let expected {
        let near = 1 / (1 + (candidate - expected).squaredLength / (farReach * farReach))
        density += Tuning.modeInertia * mass * near * near
      }
      if density > best.density { best = (density, candidate) }
    }
    return best.shift
  }
}

/// The chance of log odds.
func logistic(_ odds: Double) -> Double { 1 / (1 + exp(-odds)) }

extension ObjectPoints {
  /// What came out of the refinement.
  private struct Fit {
    var squares: [Double], spread: Double, weight: Double
  }

  /// Iteratively reweighted least squares from the mode on.
  private mutating func refine(
    _ votes: Votes, from before: SIMD2<Double>, expected: SIMD2<Double>?, mass: Double
  ) -> Fit {
    let (lastScale, lastShear) = (way.scale, way.shear)
    let ends = places.indices.map { places[$0] + votes.steps[$0] - homes[$0] - centre }
    var fit = Fit(squares: [], spread: 0, weight: 0)
    let (xs, ys) = (homes.map(\.x), homes.map(\.y))
    for _ in 0..<6 {
      fit.squares = squares(of: ends)
      fit.spread = spread(of: fit.squares, votes)
      let weights = weights(of: votes, fit)
      fit.weight = weights.reduce(0, +)
      guard fit.weight > 1e-6 else { break }
      let stiffness = fit.spread / Tuning.scaleChange
      for (axis, along) in [xs, ys].enumerated() {
        let rest = ends.indices.map { index in
          ends[index][axis] - (lastScale[axis] - 1) * along[index]
            - way.shear[axis] * homes[index][1 - axis]
        }
        let line = WeightedLine(along, rest, weights, inertia: stiffness * stiffness)
        let change = min(max(line.slope, -Tuning.mostScaling), Tuning.mostScaling)
        way.scale[axis] = min(max(lastScale[axis] + change, 0.2), 5)
        way.shift[axis] = line.offset
      }
      shear(towards: ends, weights, from: lastShear, spread: fit.spread)
    }
    if let expected {
      let inertia = Tuning.shiftInertia * mass
      way.shift = (fit.weight * way.shift + inertia * (before + expected)) / (fit.weight + inertia)
    }
    fit.squares = squares(of: ends)
    return fit
  }

  /// Fits how x moves with y and y with x, beyond shift and scale.
  private mutating func shear(
    towards ends: [SIMD2<Double>], _ weights: [Double], from last: SIMD2<Double>, spread: Double
  ) {
    let stiffness = spread / Tuning.shearChange
    for axis in 0..<2 {
      let across = homes.map { $0[1 - axis] }
      let rest = ends.indices.map { index in
        ends[index][axis] - way.shift[axis] - (way.scale[axis] - 1) * homes[index][axis]
          - last[axis] * across[index]
      }
      let line = WeightedLine(across, rest, weights, inertia: stiffness * stiffness)
      way.shear[axis] = min(max(last[axis] + line.slope, -1), 1)
    }
  }

  private func squares(of ends: [SIMD2<Double>]) -> [Double] {
    ends.indices.map { (ends[$0] - way.displacement(of: homes[$0])).squaredLength }
  }

  /// How far the points near the fit lie from it, in bounds that go with the box.
  private func spread(of squares: [Double], _ votes: Votes) -> Double {
    let near = 0.12 * length + 2
    let weights = squares.indices.map {
      squares[$0] < near * near ? votes.weights[$0] + 1e-9 : 1e-9
    }
    let found = Tracking.spread(ofSquares: squares, weights)
    return min(max(0.7, 0.01 * length, found), 0.05 * length + 0.7)
  }

  /// Cauchy's weights times the chance that a point lies on the object, given how it moved.
  private func weights(of votes: Votes, _ fit: Fit) -> [Double] {
    fit.squares.indices.map { index in
      let odds = priors[index] + evidence[index] + likelihood(of: index, votes, fit)
      let near = 1 / (1 + fit.squares[index] / (fit.spread * fit.spread))
      return logistic(odds) * votes.trust[index] * near
    }
  }

  /// Log likelihood ratio of the object's motion against the background's, within ±3.
  private func likelihood(of index: Int, _ votes: Votes, _ fit: Fit) -> Double {
    let most = 9 * fit.spread * fit.spread
    let odds =
      (min(votes.fromBackground[index], most) - min(fit.squares[index], most)) * 4.5 / most
    return min(max(odds, -3), 3)
  }

  /// Takes up what the step told of the points, and puts those back that left the fit.
  private mutating func learn(from votes: Votes, fit: Fit) {
    for index in places.indices {
      if votes.fromBackground[index] < 1e9 {
        let sum = priors[index] + evidence[index] + 0.5 * likelihood(of: index, votes, fit)
        evidence[index] = min(max(sum, -5), 5) - priors[index]
      }
      let farthest = Tuning.farthest * fit.spread
      let isLost = fit.squares[index] > farthest * farthest || votes.trust[index] < 0.5
      places[index] = isLost ? home(index) : places[index] + votes.steps[index]
    }
  }
}
