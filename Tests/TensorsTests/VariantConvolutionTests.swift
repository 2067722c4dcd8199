// SPDX-License-Identifier: Apache-2.0
import Tensors
import TestSupport
import Testing

private let layouts = [false, true]
private let sizes: [(count: Int, channels: Int, height: Int, width: Int, size: Int)] = [
  (1, 1, 1, 1, 1), (2, 5, 6, 7, 3), (1, 17, 4, 9, 5), (2, 70, 5, 18, 3), (1, 3, 9, 40, 7),
  (1, 33, 3, 21, 11), (1, 4, 2, 300, 9), (1, 130, 3, 5, 25),
]

/// The slow and plain way.
private func reference(_ features: Cells, _ kernels: Cells, size: Int, border: TapBorder) -> Cells {
  features.mapping(channels: features.channels) { n, c, y, x in
    var (sum, inside) = (0.0, 0.0)
    for tap in Tap.all(size: size) {
      let weight = kernels[n % kernels.count, tap.number, y, x]
      sum += weight * features[n, c, y + tap.down, x + tap.right]
      if features.contains(y + tap.down, x + tap.right) { inside += weight }
    }
    return border == .zero ? sum : inside == 0 ? 0 : sum / inside
  }
}

private func drawn(
  _ size: (count: Int, channels: Int, height: Int, width: Int, size: Int), seed: Int
) -> (features: Cells, kernels: Cells, weights: Cells) {
  var draws = Draws(seed: UInt64(seed))
  let (n, c, h, w) = (size.count, size.channels, size.height, size.width)
  return (
    Cells(n, c, h, w, in: -1...1, using: &draws),
    Cells(n, size.size * size.size, h, w, in: 0.1...1, using: &draws),
    Cells(n, c, h, w, in: -1...1, using: &draws)
  )
}

private func result(
  _ features: Cells, _ kernels: Cells, _ border: TapBorder, channelsLast: Bool
) throws -> [Float] {
  try features.tensor(channelsLast: channelsLast).convolved(
    withKernels: kernels.tensor(), border: border
  ).floats()
}

/// To the features and to the kernels, of the result times `weights`.
private func gradients(
  _ one: (features: Cells, kernels: Cells, weights: Cells), _ border: TapBorder, channelsLast: Bool
) throws -> [Tensor] {
  let features = try one.features.tensor(channelsLast: channelsLast).requiringGradient()
  let kernels = try one.kernels.tensor().requiringGradient()
  let result = try features.convolved(withKernels: kernels, border: border)
  let loss = try (result * one.weights.tensor()).sum()
  return try gradients(of: loss, withRespectTo: [features, kernels])
}

@Test(arguments: TapBorder.allCases, layouts)
func aVariantConvolutionIsWhatTheSlowReferenceGives(border: TapBorder, channelsLast: Bool) throws {
  for (seed, size) in sizes.enumerated() {
    let one = drawn(size, seed: seed)
    let expected = reference(one.features, one.kernels, size: size.size, border: border)
    let found = try result(one.features, one.kernels, border, channelsLast: channelsLast)
    #expect(expected.furthest(from: found) < 2e-5, "\(one.features), \(size.size)")
  }
}

@Test(arguments: TapBorder.allCases)
func aVariantConvolutionDependsNeitherOnTheLayoutNorOnThreads(border: TapBorder) throws {
  let one = drawn((2, 70, 13, 21, 5), seed: 3)
  let alone = try onThreads(1) {
    try result(one.features, one.kernels, border, channelsLast: false)
  }
  let ones = try onThreads(1) {
    try gradients(one, border, channelsLast: false).map { try $0.floats() }
  }
  for channelsLast in layouts {
    let together = try onThreads(3) {
      try result(one.features, one.kernels, border, channelsLast: channelsLast)
    }
    let others = try onThreads(3) { try gradients(one, border, channelsLast: channelsLast) }
    #expect(alone.bits == together.bits)
    for (one, other) in zip(ones, others) { #expect(one.bits == (try other.floats().bits)) }
  }
}

@Test(arguments: TapBorder.allCases, layouts)
func kernelsOfOneTapShiftExactly(border: TapBorder, channelsLast: Bool) throws {
  let features = drawn((2, 19, 7, 9, 3), seed: 5).features
  for tap in Tap.all(size: 5) where tap.number % 3 == 0 {
    let kernels = features.mapping(channels: 25) { _, c, _, _ in c == tap.number ? 1 : 0 }
    let expected = features.mapping(channels: 19) { n, c, y, x in
      features[n, c, y + tap.down, x + tap.right]
    }
    let found = try result(features, kernels, border, channelsLast: channelsLast)
    #expect(expected.furthest(from: found) == 0, "\(tap)")
  }
}

@Test(arguments: layouts)
func withValidWeightsAConstantStaysOneUpToTheBorder(channelsLast: Bool) throws {
  let kernels = drawn((2, 6, 5, 8, 7), seed: 6).kernels
  let softened = try kernels.tensor().softmax(axis: 1)
  for (weights, border) in [(softened, TapBorder.validWeights), (softened, .zero)] {
    let image = try Cells(2, 6, 5, 8, fill: 3).tensor(channelsLast: channelsLast)
    let found = try image.convolved(withKernels: weights, border: border).floats()
    let change = found.map { abs($0 - 3) }.max() ?? 0
    #expect(border == .validWeights ? change < 2e-6 : change > 1)
  }
}

@Test(arguments: TapBorder.allCases, layouts)
func theGradientsOfAVariantConvolutionAreTheFiniteDifferences(
  border: TapBorder, channelsLast: Bool
) throws {
  for (seed, size) in [(2, 5, 4, 5, 3), (1, 18, 3, 3, 5)].enumerated() {
    let one = drawn((size.0, size.1, size.2, size.3, size.4), seed: seed)
    let found = try gradients(one, border, channelsLast: channelsLast)
    let features = one.features.differences {
      reference($0, one.kernels, size: size.4, border: border).dot(one.weights)
    }
    let kernels = one.kernels.differences {
      reference(one.features, $0, size: size.4, border: border).dot(one.weights)
    }
    #expect(try features.furthest(from: found[0]) < 2e-5)
    #expect(try kernels.furthest(from: found[1]) < 2e-5)
  }
}

@Test func aKernelAllOfWhoseWeightLiesOutsideGivesNothing() throws {
  var one = drawn((1, 3, 4, 4, 3), seed: 8)
  for tap in 0..<9 { one.kernels[0, tap, 0, 0] = tap == 0 ? 1 : 0 }
  let found = try result(one.features, one.kernels, .validWeights, channelsLast: false)
  let moved = try gradients(one, .validWeights, channelsLast: false)
  #expect((0..<3).allSatisfy { found[16 * $0] == 0 })
  #expect(try moved.allSatisfy { try $0.floats().allSatisfy(\.isFinite) })
  #expect(try (0..<9).allSatisfy { try moved[1].floats()[16 * $0] == 0 })
}

@Test func oneSetOfKernelsForAllImagesHasTheSumOfTheirGradients() throws {
  let one = drawn((2, 4, 5, 6, 3), seed: 9)
  let shared = drawn((1, 4, 5, 6, 3), seed: 10).kernels
  var twice = Cells(2, 9, 5, 6)
  twice.values = shared.values + shared.values
  let each = try gradients((one.features, twice, one.weights), .validWeights, channelsLast: true)[1]
  let both = try gradients((one.features, shared, one.weights), .validWeights, channelsLast: true)[
    1]
  let parts = try each.floats()
  let sums = zip(parts.prefix(270), parts.suffix(270)).map { $0 + $1 }
  #expect(both.shape == [1, 9, 5, 6])
  #expect(try both.floats().furthest(from: sums) < 1e-6)
}

@Test func kernelsThatDoNotFitAreRefused() throws {
  let features = try Cells(1, 3, 4, 5).tensor()
  for (taps, height) in [(8, 4), (16, 4), (729, 4), (9, 3)] {
    let kernels = try Cells(1, taps, height, 5).tensor()
    let error = #expect(throws: TensorError.self) {
      try features.convolved(withKernels: kernels)
    }
    #expect(error?.code == .badShape)
  }
}
