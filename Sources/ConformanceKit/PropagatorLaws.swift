// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Flow
internal import Frames
public import Propagation
internal import Tensors

/// The names of the laws of propagation that `propagator` breaks; empty when it keeps them all.
///
/// The laws: *no motion, no change* to the last bit, at odd and even sizes; *sizes stay*, and so do
/// stages; *a constant stays* inside the frame; *labels are the best scores*, where it has a
/// shorter way to them; for one that follows motion (`follows`), *whole cells shift*; and on a
/// moving scene *a key frame begins anew* and *copies fork*.
public func brokenLaws(
  of propagator: some Propagator, follows: Bool, on scene: MovingScene = .usual
) throws -> [String] {
  var broken: [String] = []
  for (height, width) in [(1, 1), (2, 2), (5, 7), (8, 6), (33, 17)] {
    let trial = Trial(propagator, height: height, width: width)
    guard try trial.keepsSizes() else {
      broken.append("sizes stay, \(height)×\(width)")
      continue
    }
    if try !trial.keepsWhatIsStill() { broken.append("no motion, no change, \(height)×\(width)") }
    if try !trial.keepsConstants() { broken.append("a constant stays, \(height)×\(width)") }
    if try !trial.labelsBestScores() {
      broken.append("labels are the best scores, \(height)×\(width)")
    }
    if try follows && !trial.shiftsWholeCells() {
      broken.append("whole cells shift, \(height)×\(width)")
    }
  }
  return try broken + brokenLaws(ofStreamsOf: propagator, on: scene)
}

/// What it propagates of a scene's first frames is its own, whatever its copies do meanwhile.
private func brokenLaws(
  ofStreamsOf propagator: some Propagator, on scene: MovingScene
) throws -> [String] {
  func keyframe(_ index: Int, _ stream: inout some Propagator) throws {
    let context = scene.context(of: index, keyframe: index)
    try stream.keyframe(
      FeatureMaps(context.features(after: "map"), after: "map"), in: context)
  }
  func next(_ index: Int, after key: Int, _ stream: inout some Propagator) throws -> [Float] {
    try stream.propagate(to: scene.context(of: index, keyframe: key)).map(after: "map").floats()
  }
  var broken: [String] = []
  var (first, late) = (propagator, propagator)
  try keyframe(0, &first)
  let solo = try (1..<4).map { try next($0, after: 0, &first) }
  try keyframe(0, &late)
  var forked: [[Float]] = []
  for index in 1..<4 {
    var other = late
    _ = try next(index, after: 0, &other)
    try keyframe(index, &other)
    forked.append(try next(index, after: 0, &late))
  }
  if forked != solo { broken.append("copies fork") }
  var fresh = propagator
  try keyframe(5, &first)
  try keyframe(5, &fresh)
  if try next(6, after: 5, &first) != next(6, after: 5, &fresh) {
    broken.append("a key frame begins anew")
  }
  return broken
}

/// One propagator on one grid, with features that are all different.
private struct Trial<Candidate: Propagator> {
  private let propagator: Candidate
  private let height: Int, width: Int
  private let channels = 3

  init(_ propagator: Candidate, height: Int, width: Int) {
    (self.propagator, self.height, self.width) = (propagator, height, width)
  }

  private var values: [Float] {
    (0..<channels * height * width).map { Float(($0 * 7919) % 1009) / 8 - 40 }
  }

  /// One frame after the key frame, everything moved alike.
  private func context(_ dx: Float, _ dy: Float) -> FrameContext {
    let cells = (0..<2 * height * width).map { $0.isMultiple(of: 2) ? dx : dy }
    let field = MotionField(width: width, height: height, displacements: cells)
    return FrameContext(
      ofBatch: 1,
      from: GivenAnswers(
        flow: { _ in field },
        image: { _ in try Tensor.full([1, 3, height, width], of: 128) },
        features: { _, _ in try features(values) }))
  }

  private func features(_ values: [Float]) throws -> Tensor {
    try Tensor(values, shape: [1, channels, height, width])
  }

  /// A propagator that has taken a key frame with these values.
  private func begun(_ values: [Float]) throws -> Candidate {
    var stream = propagator
    try stream.keyframe(FeatureMaps(features(values), after: "map"), in: context(0, 0))
    return stream
  }

  private func propagated(_ values: [Float], _ dx: Float, _ dy: Float) throws -> FeatureMaps {
    var stream = try begun(values)
    return try stream.propagate(to: context(dx, dy))
  }

  func keepsSizes() throws -> Bool {
    let maps = try propagated(values, 0.3, -0.6)
    return maps.stages == ["map"] && maps["map"]?.shape == [1, channels, height, width]
  }

  func keepsWhatIsStill() throws -> Bool {
    let found = try propagated(values, 0, 0).only().floats()
    return zip(found, values).allSatisfy { $0.bitPattern == $1.bitPattern }
  }

  func keepsConstants() throws -> Bool {
    let constant = [Float](repeating: 0.7, count: values.count)
    let found = try propagated(constant, 0.25, 0.5).only().floats()
    return inside(dx: 1, dy: 1).allSatisfy { abs(found[$0] - 0.7) < 1e-5 }
  }

  func labelsBestScores() throws -> Bool {
    var stream = try begun(values)
    guard let labels = try stream.labels(at: context(0.25, -0.5)) else { return true }
    return try labels.bytes() == propagated(values, 0.25, -0.5).only().argmaxLabels().bytes()
  }

  func shiftsWholeCells() throws -> Bool {
    let found = try propagated(values, 1, 1).only().floats()
    return inside(dx: 1, dy: 1).allSatisfy {
      found[$0].bitPattern == values[$0 + width + 1].bitPattern
    }
  }

  /// The flat positions whose source, (dx, dy) away, is inside the frame.
  private func inside(dx: Int, dy: Int) -> [Int] {
    (0..<channels).flatMap { channel in
      (0..<max(0, height - dy)).flatMap { y in
        (0..<max(0, width - dx)).map { x in (channel * height + y) * width + x }
      }
    }
  }
}
