// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Frames
import Layers
import Propagation
import Tensors
import TestSupport
import Testing
import Video

/// A stream of maps of 3 channels beside early features of 2, on one grid of 8 × 9 cells, where
/// nothing moves: what changes, changes where it is.
private struct Stream {
  static let height = 8, width = 9, cells = 72
  var warp: AdaptiveWarp
  /// The early features of the key frame.
  private var early: [Float] = []
  private var key = 0

  init(_ warp: AdaptiveWarp) { self.warp = warp }

  static func tensor(_ values: [Float]) throws -> Tensor {
    try Tensor(values, shape: [1, values.count / cells, height, width])
  }

  private func context(_ index: Int, _ now: [Float]) -> FrameContext {
    let still = [Float](repeating: 0, count: 2 * Self.cells), before = early.isEmpty ? now : early
    func frame(_ index: Int) -> Frame {
      Frame(
        index: index, time: Double(index),
        pixels: Image(width: Self.width, height: Self.height, channels: 3, repeating: 0))
    }
    return FrameContext(
      frame: frame(index), keyframe: frame(early.isEmpty ? index : key),
      framesSinceKeyframe: index - key,
      from: GivenAnswers(
        gridFlow: { _, _, _ in
          (try Tensor(still, shape: [1, 2, Self.height, Self.width]), nil)
        },
        features: { try Self.tensor($1 == .current ? now : before) }))
  }

  mutating func key(_ index: Int, map: [Float], early now: [Float]) throws {
    try warp.keyframe(
      FeatureMaps(Self.tensor(map), after: "map"), in: context(index, now))
    (early, key) = (now, index)
  }

  mutating func map(_ index: Int, early now: [Float]) throws -> [Float] {
    try warp.propagate(to: context(index, now)).only().floats()
  }
}

struct AdaptiveWarpTests {
  private func drawn(_ channels: Int, seed: UInt64) -> [Float] {
    var draws = Draws(seed: seed)
    return draws.floats(channels * Stream.cells, in: -1...1)
  }

  private static let truth: [[Float]] = [[0.1, -0.2], [0.4, 0.05], [-0.15, 0.3]]

  /// A map that is much like others of its seed.
  private func related(to seed: UInt64, at step: Int) -> [Float] {
    zip(drawn(3, seed: seed), drawn(3, seed: seed + 1 + UInt64(step))).map { $0 + 0.3 * $1 }
  }

  /// A map that changes from `map` by a linear map of how early features change.
  private func changed(_ map: [Float], from before: [Float], to now: [Float]) -> [Float] {
    map.indices.map { place in
      let (channel, cell) = (place / Stream.cells, place % Stream.cells)
      return (0..<2).reduce(map[place]) {
        let at = $1 * Stream.cells + cell
        return $0 + Self.truth[channel][$1] * (now[at] - before[at])
      }
    }
  }

  @Test func itKeepsTheLawsOfAPropagator() throws {
    #expect(try brokenLaws(of: AdaptiveWarp(after: "early"), follows: true) == [])
    let trained = try AdaptiveWarp(
      channels: 3, after: "early", giving: 3, adapts: false, parameters: Parameters(seed: 1))
    #expect(try brokenLaws(of: trained, follows: true) == [])
  }

  @Test func beforeASecondKeyFrameItIsAWarp() throws {
    var stream = Stream(AdaptiveWarp(after: "early"))
    let map = drawn(3, seed: 1)
    try stream.key(0, map: map, early: drawn(2, seed: 2))
    #expect(try stream.map(1, early: drawn(2, seed: 3)) == map)
  }

  /// What follows from early features exactly is told exactly once it was seen.
  @Test func whatEarlyFeaturesTellIsLearnedAtAKeyFrame() throws {
    var stream = Stream(AdaptiveWarp(after: "early", prior: 0.01))
    let early = (0..<4).map { drawn(2, seed: 10 + $0) }
    var map = drawn(3, seed: 1)
    try stream.key(0, map: map, early: early[0])
    for key in 1...2 {
      map = changed(map, from: early[key - 1], to: early[key])
      try stream.key(5 * key, map: map, early: early[key])
    }
    let expected = changed(map, from: early[2], to: early[3])
    let found = try stream.map(11, early: early[3])
    let (left, all) = (distance(found, expected), distance(map, expected))
    #expect(left < 0.02 * all, "\(left) of \(all)")
    #expect(try stream.map(12, early: early[2]) == map)
  }

  /// Normal equations of two key frames, the older one counting 0.95, by Cramer's rule.
  @Test func itIsARidgeRegression() throws {
    let prior = 0.7
    var stream = Stream(AdaptiveWarp(after: "early", prior: prior))
    let (early, maps) = (
      (0..<4).map { drawn(2, seed: 20 + $0) }, (0..<3).map { step in related(to: 30, at: step) }
    )
    for key in 0..<3 { try stream.key(5 * key, map: maps[key], early: early[key]) }
    func difference(_ values: [[Float]], _ key: Int, _ channel: Int, _ cell: Int) -> Double {
      let at = channel * Stream.cells + cell
      return Double(values[key][at] - values[key - 1][at])
    }
    func sum(_ product: (Int, Int) -> Double) -> Double {
      (0..<Stream.cells).reduce(0) { $0 + 0.95 * product(1, $1) + product(2, $1) }
    }
    func gram(_ i: Int, _ j: Int) -> Double {
      sum { difference(early, $0, i, $1) * difference(early, $0, j, $1) }
    }
    let strength = prior * (gram(0, 0) + gram(1, 1)) / 2
    let (a, b, d) = (gram(0, 0) + strength, gram(0, 1), gram(1, 1) + strength)
    let found = try stream.map(11, early: early[3])
    for channel in 0..<3 {
      let cross = (0..<2).map { own in
        sum { difference(maps, $0, channel, $1) * difference(early, $0, own, $1) }
      }
      let weights = [
        (cross[0] * d - cross[1] * b) / (a * d - b * b),
        (cross[1] * a - cross[0] * b) / (a * d - b * b),
      ]
      for cell in [0, 17, 71] {
        let told = (0..<2).reduce(Double(maps[2][channel * Stream.cells + cell])) {
          $0 + weights[$1] * difference(early, 3, $1, cell)
        }
        #expect(abs(Double(found[channel * Stream.cells + cell]) - told) < 1e-4)
      }
    }
  }

  @Test func whatWasTrainedIsWhereItBegins() throws {
    let parameters = Parameters(seed: 1)
    let trained = try AdaptiveWarp(
      channels: 3, after: "early", giving: 2, prior: 1000, parameters: parameters)
    let change = try #require(parameters.all.first)
    try change.tensor.assign(Tensor(Self.truth.flatMap(\.self), shape: [3, 2]))
    let (map, early) = (drawn(3, seed: 1), (0..<3).map { drawn(2, seed: 40 + $0) })
    var stream = Stream(trained)
    try stream.key(0, map: map, early: early[0])
    let expected = changed(map, from: early[0], to: early[1])
    #expect(try distance(stream.map(1, early: early[1]), expected) < 1e-4)
    // And drawn to it where little was seen: a key frame that changed in nothing tells otherwise.
    try stream.key(5, map: map, early: early[1])
    let later = try stream.map(6, early: early[2])
    let after = changed(map, from: early[1], to: early[2])
    #expect(distance(later, after) < 0.05 * distance(map, after))
    #expect(distance(later, after) > 1e-4)
  }

  @Test func whatIsNowhereBelowZeroStaysSo() throws {
    let parameters = Parameters(seed: 1)
    let trained = try AdaptiveWarp(
      channels: 3, after: "early", giving: 2, parameters: parameters)
    try #require(parameters.all.first).tensor.assign(
      Tensor([5, -5, 5, -5, 5, -5], shape: [3, 2]))
    for offset: Float in [0, 1] {
      var stream = Stream(trained)
      let map = drawn(3, seed: 1).map { $0 + offset }
      try stream.key(0, map: map, early: drawn(2, seed: 2))
      let least = try stream.map(1, early: drawn(2, seed: 3)).min() ?? 0
      #expect((least >= 0) == (offset == 1))
    }
  }

  /// Two unrelated maps differ by more than either varies.
  @Test func aCutTeachesNothing() throws {
    var stream = Stream(AdaptiveWarp(after: "early"))
    let map = drawn(3, seed: 61)
    try stream.key(0, map: drawn(3, seed: 60), early: drawn(2, seed: 62))
    try stream.key(5, map: map, early: drawn(2, seed: 63))
    #expect(try stream.map(6, early: drawn(2, seed: 64)) == map)
  }

  @Test func theTapItselfTellsNothing() throws {
    var warp = AdaptiveWarp(after: "map")
    let context = FrameContext(
      ofBatch: 1, from: GivenAnswers(features: { _, _ in try .zeros([1, 2, 3, 4]) }))
    #expect(throws: PropagationError.self) {
      try warp.keyframe(FeatureMaps(.zeros([1, 2, 3, 4]), after: "map"), in: context)
    }
  }

  @Test func oneThatDoesNotAdaptStays() throws {
    var stream = Stream(
      try AdaptiveWarp(
        channels: 3, after: "early", giving: 2, adapts: false, parameters: Parameters(seed: 1)))
    for key in 0..<3 {
      try stream.key(
        5 * key, map: drawn(3, seed: UInt64(key)), early: drawn(2, seed: 7 + UInt64(key)))
    }
    #expect(try stream.map(11, early: drawn(2, seed: 50)) == drawn(3, seed: 2))
  }

  /// A stage whose grid is finer: means of 3 × 3 around every second place, as many as there are.
  @Test func finerFeaturesAreMeansAroundThePlaces() throws {
    let parameters = Parameters(seed: 1)
    let warp = try AdaptiveWarp(channels: 1, after: "early", giving: 1, parameters: parameters)
    try #require(parameters.all.first).tensor.assign(Tensor([1], shape: [1, 1]))
    var draws = Draws(seed: 3)
    let now: [Float] = draws.floats(45, in: -1...1)
    let still = try Tensor.zeros([1, 2, 3, 5])
    let context = FrameContext(
      ofBatch: 1,
      from: GivenAnswers(
        gridFlow: { _, _, _ in (still, nil) },
        features: {
          $1 == .current ? try Tensor(now, shape: [1, 1, 5, 9]) : try .zeros([1, 1, 5, 9])
        }))
    let map = try Tensor.full([1, 1, 3, 5], of: -1)
    let found = try warp.propagate(map, given: context, in: .inference).floats()
    for row in 0..<3 {
      for column in 0..<5 {
        let around = (max(0, 2 * row - 1)...min(4, 2 * row + 1)).flatMap { y in
          (max(0, 2 * column - 1)...min(8, 2 * column + 1)).map { now[9 * y + $0] }
        }
        let mean = around.reduce(0, +) / Float(around.count)
        #expect(abs(found[5 * row + column] + 1 - mean) < 1e-5)
      }
    }
  }
}

private func distance(_ one: [Float], _ other: [Float]) -> Float {
  zip(one, other).reduce(0) { $0 + abs($1.0 - $1.1) }
}
