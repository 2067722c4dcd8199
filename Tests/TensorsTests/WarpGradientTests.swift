// SPDX-License-Identifier: Apache-2.0
import ConformanceKit
import Tensors
import TestSupport
import Testing

private let layouts = [false, true]
private let sizes: [(channels: Int, height: Int, width: Int)] = [
  (1, 1, 1), (3, 1, 6), (2, 5, 1), (5, 6, 7), (17, 4, 9),
]

/// A warp whose places keep away from whole cells, where the two sides of a derivative differ, and
/// weights that make one number of its result.
private func smoothCase(
  _ size: (channels: Int, height: Int, width: Int), seed: UInt64
) -> (one: WarpCase, weights: [Float]) {
  var one = WarpCase(
    channels: size.channels, height: size.height, width: size.width, reach: 0, seed: seed)
  var draws = Draws(seed: seed + 100)
  one.motion = one.motion.map { _ in
    Float(Int.random(in: -3...2, using: &draws)) + Float.random(in: 0.1...0.9, using: &draws)
  }
  return (one, draws.floats(one.features.count, in: -1...1))
}

private func gradients(
  _ one: WarpCase, _ weights: [Float], _ border: Border, channelsLast: Bool
) throws -> (features: [Float], motion: [Float]) {
  let features = try one.featureTensor(channelsLast: channelsLast).requiringGradient()
  let motion = try one.motionTensor().requiringGradient()
  let warped = try features.warped(along: motion, border: border, known: one.knownTensor())
  let loss = try (warped * Tensor(weights, shape: features.shape)).sum()
  let found = try gradients(of: loss, withRespectTo: [features, motion])
  return (try found[0].floats(), try found[1].floats())
}

private func weighted(
  _ one: WarpCase, _ weights: [Float], _ border: Border, cell: Int
) -> Double {
  let cells = one.height * one.width
  let warped = referenceWarp(
    features: one.features, channels: one.channels, height: one.height, width: one.width,
    motion: one.motion, border: border, known: one.known)
  return (0..<one.channels).reduce(0) {
    $0 + Double(weights[$1 * cells + cell]) * Double(warped[$1 * cells + cell])
  }
}

@Test(arguments: Border.allCases, layouts)
func theGradientToTheMotionIsTheFiniteDifference(border: Border, channelsLast: Bool) throws {
  for (seed, size) in sizes.enumerated() {
    let (one, weights) = smoothCase(size, seed: UInt64(seed))
    let found = try gradients(one, weights, border, channelsLast: channelsLast).motion
    let (cells, step) = (one.height * one.width, Float(1) / 32)
    for index in 0..<2 * cells {
      let (cell, axis) = (index % cells, index / cells)
      var (ahead, behind) = (one, one)
      ahead.motion[2 * cell + axis] += step
      behind.motion[2 * cell + axis] -= step
      let difference =
        weighted(ahead, weights, border, cell: cell) - weighted(behind, weights, border, cell: cell)
      #expect(
        abs(Double(found[index]) - difference / Double(2 * step)) < 1e-4,
        "\(one), axis \(axis), cell \(cell)")
    }
  }
}

@Test(arguments: Border.allCases, layouts)
func theGradientToTheFeaturesIsWhatEachOfThemAddsTo(border: Border, channelsLast: Bool) throws {
  for (seed, size) in sizes.dropLast().enumerated() {
    let (one, weights) = smoothCase(size, seed: UInt64(seed))
    let found = try gradients(one, weights, border, channelsLast: channelsLast).features
    for index in one.features.indices {
      var unit = [Float](repeating: 0, count: one.features.count)
      unit[index] = 1
      let share = referenceWarp(
        features: unit, channels: one.channels, height: one.height, width: one.width,
        motion: one.motion, border: border)
      let expected = zip(share, weights).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      #expect(abs(Double(found[index]) - expected) < 1e-5, "\(one), feature \(index)")
    }
  }
}

@Test(arguments: layouts)
func atAWholeCellTheDerivativeIsTheOneToTheRightAndBelow(channelsLast: Bool) throws {
  let one = WarpCase(channels: 4, height: 3, width: 5, reach: 0, seed: 7)
  let weights = [Float](repeating: 1, count: one.features.count)
  let found = try gradients(one, weights, .clamp, channelsLast: channelsLast).motion
  for cell in 0..<15 {
    let (x, y) = (cell % 5, cell / 5)
    var (right, below): (Float, Float) = (0, 0)
    for channel in 0..<4 {
      let here = channel * 15 + cell
      if x < 4 { right += one.features[here + 1] - one.features[here] }
      if y < 2 { below += one.features[here + 5] - one.features[here] }
    }
    #expect(abs(found[cell] - right) < 1e-5 && abs(found[15 + cell] - below) < 1e-5)
  }
}

@Test(arguments: layouts)
func motionThatIsNotUsedHasNoGradient(channelsLast: Bool) throws {
  var (one, weights) = smoothCase((5, 6, 7), seed: 21)
  one.known = (0..<42).map { UInt8($0 % 2) }
  one.motion[2 * 5] = .nan
  let found = try gradients(one, weights, .clamp, channelsLast: channelsLast)
  for cell in 0..<42 where cell % 2 == 0 || cell == 5 {
    #expect(found.motion[cell] == 0 && found.motion[42 + cell] == 0)
  }
  #expect(found.motion.allSatisfy(\.isFinite) && found.motion.contains { $0 != 0 })
}

@Test func gradientsDependNeitherOnThreadsNorOnWhetherBothAreAskedFor() throws {
  let (one, weights) = smoothCase((24, 60, 81), seed: 2)
  for channelsLast in layouts {
    let (alone, together) = (
      try TorchRuntime.withThreads(1) {
        try gradients(one, weights, .zero, channelsLast: channelsLast)
      },
      try TorchRuntime.withThreads(2) {
        try gradients(one, weights, .zero, channelsLast: channelsLast)
      }
    )
    #expect(alone.features.bits == together.features.bits)
    #expect(alone.motion.bits == together.motion.bits)
  }
  let motion = try one.motionTensor()
  let features = try one.featureTensor(channelsLast: false).requiringGradient()
  let warped = try features.warped(along: motion, border: .zero)
  let loss = try (warped * Tensor(weights, shape: features.shape)).sum()
  let onlyFeatures = try gradients(of: loss, withRespectTo: [features])[0].floats()
  let both = try gradients(one, weights, .zero, channelsLast: false)
  #expect(onlyFeatures.bits == both.features.bits)
}

@Test func oneMotionForManyImagesHasTheSumOfTheirGradients() throws {
  let (one, weights) = smoothCase((3, 5, 6), seed: 4)
  let single = try gradients(one, weights, .clamp, channelsLast: false).motion
  let features = try Tensor(one.features + one.features, shape: [2, 3, 5, 6])
  let motion = try one.motionTensor().requiringGradient()
  let warped = try features.warped(along: motion)
  let loss = try (warped * Tensor(weights + weights, shape: [2, 3, 5, 6])).sum()
  let found = try gradients(of: loss, withRespectTo: [motion])[0]
  #expect(found.shape == [1, 2, 5, 6])
  #expect(try found.floats().furthest(from: single.map { 2 * $0 }) < 1e-5)
}
