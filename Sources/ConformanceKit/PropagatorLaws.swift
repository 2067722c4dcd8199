// SPDX-License-Identifier: Apache-2.0

internal import Flow
public import Propagation
internal import Tensors

/// The names of the laws of propagation that `propagator` breaks; empty when it keeps them all.
///
/// The laws: *no motion, no change* to the last bit, at odd and even sizes; *sizes stay*; *a constant
/// stays* inside the frame; *labels are the best scores*; and, for one that follows motion (`follows`),
/// *whole cells shift*.
public func brokenLaws(of propagator: some Propagator, follows: Bool) throws -> [String] {
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
  return broken
}

/// One propagator on one grid, with features that are all different.
private struct Trial<Carrier: Propagator> {
  private let propagator: Carrier
  private let height: Int, width: Int
  private let channels = 3

  init(_ propagator: Carrier, height: Int, width: Int) {
    (self.propagator, self.height, self.width) = (propagator, height, width)
  }

  private var values: [Float] {
    (0..<channels * height * width).map { Float(($0 * 7919) % 1009) / 8 - 40 }
  }

  private func features(_ values: [Float]) throws -> Tensor {
    try propagator.prepare(Tensor(values, shape: [1, channels, height, width]))
  }

  private func evidence(_ dx: Float, _ dy: Float) -> Evidence {
    let cells = (0..<2 * height * width).map { $0.isMultiple(of: 2) ? dx : dy }
    let field = MotionField(width: width, height: height, displacements: cells)
    return Evidence(field: { field })
  }

  func keepsSizes() throws -> Bool {
    let cached = try features(values)
    return try propagator(cached, given: evidence(0.3, -0.6)).shape == cached.shape
  }

  func keepsWhatIsStill() throws -> Bool {
    let carried = try propagator(features(values), given: evidence(0, 0)).floats()
    return zip(carried, values).allSatisfy { $0.bitPattern == $1.bitPattern }
  }

  func keepsConstants() throws -> Bool {
    let constant = [Float](repeating: 0.7, count: values.count)
    let carried = try propagator(features(constant), given: evidence(0.25, 0.5)).floats()
    return inside(dx: 1, dy: 1).allSatisfy { abs(carried[$0] - 0.7) < 1e-5 }
  }

  func labelsBestScores() throws -> Bool {
    let cached = try features(values)
    let evidence = evidence(0.25, -0.5)
    return try propagator.labels(cached, given: evidence).bytes()
      == propagator(cached, given: evidence).argmaxLabels().bytes()
  }

  func shiftsWholeCells() throws -> Bool {
    let carried = try propagator(features(values), given: evidence(1, 1)).floats()
    return inside(dx: 1, dy: 1).allSatisfy {
      carried[$0].bitPattern == values[$0 + width + 1].bitPattern
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
