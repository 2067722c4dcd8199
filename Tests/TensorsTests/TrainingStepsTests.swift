// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import Testing

/// Minimises Σ a·p² / 2, whose gradient is a·p, and gives the parameters after each step.
private func descend(
  _ start: [Float], _ slopes: [Float], steps: Int, with step: (Tensor, Int) throws -> Void
) throws -> [[Float]] {
  let parameter = try Tensor(start, shape: [start.count]).requiringGradient()
  let factors = try Tensor(slopes, shape: [slopes.count])
  return try (1...steps).map { number in
    try parameter.clearGradient()
    try (parameter * parameter * factors * 0.5).sum().backward()
    try step(parameter, number)
    return try parameter.detached().floats()
  }
}

private let start: [Float] = [1.5, -2.0, 0.3], slopes: [Float] = [1.0, 0.5, 4.0]

private func areNear(_ found: [Float], _ expected: [Double]) -> Bool {
  zip(found, expected).allSatisfy { Swift.abs(Double($0) - $1) < 1e-5 }
}

/// By hand: v ← μ·v + (g + λ·p); p ← p - η·v, or p - η·(g + λ·p + μ·v) with Nesterov's look ahead.
@Test(arguments: [false, true])
func descentWithMomentumMatchesALoop(nesterov: Bool) throws {
  let velocity = try Tensor.zeros([3])
  let found = try descend(start, slopes, steps: 6) { parameter, _ in
    try TrainingSteps.descend(
      [parameter], velocities: [velocity], rate: 0.1, momentum: 0.9, decay: 0.01,
      nesterov: nesterov)
  }
  var (p, v) = (start.map(Double.init), [0.0, 0, 0])
  for values in found {
    for i in p.indices {
      let g = Double(slopes[i]) * p[i] + 0.01 * p[i]
      v[i] = 0.9 * v[i] + g
      p[i] -= 0.1 * (nesterov ? g + 0.9 * v[i] : v[i])
    }
    #expect(areNear(values, p))
  }
}

/// By hand, from algorithm 1 of Kingma and Ba and algorithm 2 of Loshchilov and Hutter.
@Test(arguments: [false, true])
func adamMatchesALoop(decoupled: Bool) throws {
  let (mean, square) = (try Tensor.zeros([3]), try Tensor.zeros([3]))
  let found = try descend(start, slopes, steps: 6) { parameter, number in
    try TrainingSteps.adam(
      [parameter], means: [mean], squares: [square], rate: 0.05, betas: (0.9, 0.99),
      epsilon: 1e-8, decay: 0.1, decoupled: decoupled, step: number)
  }
  var (p, m, s) = (start.map(Double.init), [0.0, 0, 0], [0.0, 0, 0])
  for (step, values) in found.enumerated() {
    for i in p.indices {
      var g = Double(slopes[i]) * p[i]
      if decoupled { p[i] -= 0.05 * 0.1 * p[i] } else { g += 0.1 * p[i] }
      m[i] = 0.9 * m[i] + 0.1 * g
      s[i] = 0.99 * s[i] + 0.01 * g * g
      let (mHat, sHat) = (
        m[i] / (1 - pow(0.9, Double(step + 1))), s[i] / (1 - pow(0.99, Double(step + 1)))
      )
      p[i] -= 0.05 * mHat / (sHat.squareRoot() + 1e-8)
    }
    #expect(areNear(values, p))
  }
}

@Test func gradientsAreClippedByTheirJointNorm() throws {
  let a = try Tensor([3.0], shape: [1]).requiringGradient()
  let b = try Tensor([4.0], shape: [1]).requiringGradient()
  try ((a * a).sum() * 0.5 + (b * b).sum() * 0.5).backward()
  #expect(try Swift.abs(TrainingSteps.clipGradients(of: [a, b], toNorm: 1) - 5) < 1e-6)
  let (first, second) = (try a.gradient()?.floats(), try b.gradient()?.floats())
  #expect(areNear(first ?? [], [0.6]) && areNear(second ?? [], [0.8]))
}
