// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import TestSupport
import Testing

private let layouts = [false, true]
private typealias Three = (queries: Cells, keys: Cells, values: Cells)

/// The slow and plain way: every neighbour's similarity, then the soft-max, then the sum.
private func reference(_ one: Three, size: Int, border: TapBorder) -> Cells {
  one.values.mapping(channels: one.values.channels) { n, c, y, x in
    var (sum, all) = (0.0, 0.0)
    for tap in Tap.all(size: size) {
      let (row, column) = (y + tap.down, x + tap.right)
      if border == .validWeights && !one.values.contains(row, column) { continue }
      let similarity = (0..<one.queries.channels).reduce(0) {
        $0 + one.queries[n, $1, y, x] * one.keys[n, $1, row, column]
      }
      all += exp(similarity)
      sum += exp(similarity) * one.values[n, c, row, column]
    }
    return sum / all
  }
}

private func drawn(
  _ count: Int, _ channels: Int, values: Int, _ height: Int, _ width: Int, seed: UInt64
) -> (Three, weights: Cells) {
  var draws = Draws(seed: seed)
  let three = (
    queries: Cells(count, channels, height, width, in: -1...1, using: &draws),
    keys: Cells(count, channels, height, width, in: -1...1, using: &draws),
    values: Cells(count, values, height, width, in: -1...1, using: &draws)
  )
  return (three, Cells(count, values, height, width, in: -1...1, using: &draws))
}

private func result(
  _ one: Three, size: Int, _ border: TapBorder, channelsLast: Bool
) throws -> [Float] {
  try one.queries.tensor().attending(
    to: one.keys.tensor(), values: one.values.tensor(channelsLast: channelsLast), size: size,
    border: border
  ).floats()
}

private func gradients(
  _ one: Three, _ weights: Cells, size: Int, _ border: TapBorder, channelsLast: Bool
) throws -> [Tensor] {
  let all = try [one.queries, one.keys, one.values].map {
    try $0.tensor(channelsLast: channelsLast).requiringGradient()
  }
  let result = try all[0].attending(to: all[1], values: all[2], size: size, border: border)
  return try gradients(of: (result * weights.tensor()).sum(), withRespectTo: all)
}

@Test(arguments: TapBorder.allCases, layouts)
func localAttentionIsWhatTheSlowReferenceGives(border: TapBorder, channelsLast: Bool) throws {
  for (size, one) in [
    (1, drawn(1, 2, values: 3, 1, 1, seed: 1)), (7, drawn(2, 6, values: 5, 5, 9, seed: 2)),
    (3, drawn(1, 20, values: 70, 4, 19, seed: 3)), (5, drawn(2, 3, values: 1, 9, 3, seed: 4)),
  ] {
    let found = try result(one.0, size: size, border, channelsLast: channelsLast)
    #expect(reference(one.0, size: size, border: border).furthest(from: found) < 2e-6, "\(size)")
  }
}

@Test(arguments: layouts)
func queriesOfZeroGiveTheMeanOfTheNeighbourhood(channelsLast: Bool) throws {
  var (one, _) = drawn(1, 4, values: 6, 8, 11, seed: 5)
  one.queries = Cells(1, 4, 8, 11)
  for border in TapBorder.allCases {
    let expected = one.values.mapping(channels: 6) { n, c, y, x in
      let taps = Tap.all(size: 7).filter { one.values.contains(y + $0.down, x + $0.right) }
      let sum = taps.reduce(0) { $0 + one.values[n, c, y + $1.down, x + $1.right] }
      return sum / Double(border == .zero ? 49 : taps.count)
    }
    let found = try result(one, size: 7, border, channelsLast: channelsLast)
    #expect(expected.furthest(from: found) < 1e-6)
  }
}

@Test func aKeyFarMoreAlikeThanTheOthersGivesItsValue() throws {
  var (one, _) = drawn(1, 3, values: 4, 6, 6, seed: 6)
  one.queries = Cells(1, 3, 6, 6, fill: 10)
  one.keys = one.keys.mapping(channels: 3) { _, _, y, x in y == 2 && x == 3 ? 10 : -10 }
  let found = try result(one, size: 5, .validWeights, channelsLast: true)
  for (y, x) in [(0, 1), (2, 3), (4, 5), (3, 2)] {
    for c in 0..<4 { #expect(found[(c * 6 + y) * 6 + x] == Float(one.values[0, c, 2, 3])) }
  }
}

@Test(arguments: TapBorder.allCases, layouts)
func theGradientsOfLocalAttentionAreTheFiniteDifferences(
  border: TapBorder, channelsLast: Bool
) throws {
  let (one, weights) = drawn(2, 5, values: 3, 4, 5, seed: 7)
  let found = try gradients(one, weights, size: 3, border, channelsLast: channelsLast)
  let queries = one.queries.differences {
    reference(($0, one.keys, one.values), size: 3, border: border).dot(weights)
  }
  let keys = one.keys.differences {
    reference((one.queries, $0, one.values), size: 3, border: border).dot(weights)
  }
  let values = one.values.differences {
    reference((one.queries, one.keys, $0), size: 3, border: border).dot(weights)
  }
  for (expected, gradient) in zip([queries, keys, values], found) {
    #expect(try expected.furthest(from: gradient) < 1e-5)
  }
}

@Test func localAttentionDependsNeitherOnTheLayoutNorOnThreads() throws {
  let (one, weights) = drawn(2, 18, values: 70, 12, 19, seed: 8)
  func all(_ threads: Int, channelsLast: Bool) throws -> [[UInt32]] {
    try onThreads(threads) {
      let out = try result(one, size: 7, .zero, channelsLast: channelsLast)
      let others = try gradients(one, weights, size: 7, .zero, channelsLast: channelsLast)
      return try [out.bits] + others.map { try $0.floats().bits }
    }
  }
  let alone = try all(1, channelsLast: false)
  #expect(try all(3, channelsLast: false) == alone)
  #expect(try all(3, channelsLast: true) == alone)
}

@Test func neighbourhoodsThatDoNotFitAreRefused() throws {
  let (one, _) = drawn(1, 4, values: 6, 5, 5, seed: 9)
  for size in [0, 4, 27, -1] {
    let error = #expect(throws: TensorError.self) {
      try result(one, size: size, .zero, channelsLast: false)
    }
    #expect(error?.code == .badArgument)
  }
  let fewer = try Cells(1, 3, 5, 5).tensor(), smaller = try Cells(1, 4, 4, 5).tensor()
  let (queries, values) = (try one.queries.tensor(), try one.values.tensor())
  for keys in [fewer, smaller] {
    let error = #expect(throws: TensorError.self) {
      try queries.attending(to: keys, values: values)
    }
    #expect(error?.code == .badShape)
  }
}
