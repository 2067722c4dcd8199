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
    let before = early.isEmpty ? now : early
    func frame(_ index: Int) -> Frame {
      Frame(
        index: index, time: Double(index),
        pixels: Image(width: Self.width, height: Self.height, channels: 3, repeating: 0))
    }
    return FrameContext(
      frame: frame(index), keyframe: frame(early.isEmpty ? index : key),
      framesSinceKeyframe: index - key,
      from: GivenAnswers(
        gridFlow: { _, height, width in (try .zeros([1, 2, height, width]), nil) },
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

  /// Early features that are the same everywhere, so that every level of means is what they are.
  private func even(_ seed: UInt64) -> [Float] {
    var draws = Draws(seed: seed)
    return draws.floats(2, in: -0.2...0.2).flatMap { [Float](repeating: $0, count: Stream.cells) }
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

  /// Key frames that change as early features tell exactly; the map of the last.
  private func lastKey(of stream: inout Stream, early: ArraySlice<[Float]>) throws -> [Float] {
    var map = drawn(3, seed: 1)
    try stream.key(0, map: map, early: early[0])
    for key in early.indices.dropFirst() {
      map = changed(map, from: early[key - 1], to: early[key])
      try stream.key(5 * key, map: map, early: early[key])
    }
    return map
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

  /// What follows from early features exactly is told exactly once it was seen often enough.
  @Test func whatEarlyFeaturesTellIsLearnedAtKeyFrames() throws {
    var stream = Stream(AdaptiveWarp(after: "early", prior: 0.01))
    let early = (0..<22).map { even(10 + $0) }
    let map = try lastKey(of: &stream, early: early[...20])
    let expected = changed(map, from: early[20], to: early[21])
    let found = try stream.map(101, early: early[21])
    let (left, all) = (distance(found, expected), distance(map, expected))
    #expect(left < 0.02 * all, "\(left) of \(all)")
    #expect(try distance(stream.map(102, early: early[20]), map) < 1e-3)
  }

  /// The normal equations of two key frames one after the other, by elimination, over every second
  /// place; with fewer inputs than places, with more, and of what a trained map leaves.
  @Test(arguments: [(1, false), (6, false), (2, true)])
  func itIsARidgeRegression(earlyChannels: Int, isTrained: Bool) throws {
    let prior = 0.7
    var warp = AdaptiveWarp(after: "early", prior: prior)
    if isTrained {
      let parameters = Parameters(seed: 1)
      warp = try AdaptiveWarp(
        channels: 3, after: "early", giving: 2, prior: prior, parameters: parameters)
      try #require(parameters.all.first).tensor.assign(
        Tensor(Self.truth.flatMap(\.self), shape: [3, 2, 1, 1]))
    }
    var stream = Stream(warp)
    let early = (0..<4).map { drawn(earlyChannels, seed: 20 + $0) }
    let maps = (0..<3).map { related(to: 30, at: $0) }
    for key in 0..<3 { try stream.key(5 * key, map: maps[key], early: early[key]) }
    let levels = early.map { Plane.levels(of: $0) }
    let halves = maps.map { Plane.all(in: $0).map(\.halved) }
    let inputs = 5 * earlyChannels
    var weights = [[Double]](repeating: [Double](repeating: 0, count: inputs), count: 3)
    var (share, right, all) = (1.0, 0.0, 0.0)
    for key in 1...2 {
      let e = zip(levels[key], levels[key - 1]).map { secondPlaces($0, less: $1) }
      let square = e.joined().reduce(0) { $0 + $1 * $1 }
      let ridge = prior * Double(key) * square / Double(inputs)
      var gram = e.map { one in e.map { other in zip(one, other).reduce(0) { $0 + $1.0 * $1.1 } } }
      for index in gram.indices { gram[index][index] += ridge }
      // How far the trained map was right, as if it had been so altogether once before.
      let d = zip(halves[key], halves[key - 1]).map { secondPlaces($0, less: $1) }
      let v = (0..<3).map { channel in
        d[channel].indices.map { place in
          isTrained
            ? (0..<2).reduce(0.0) { $0 + Double(Self.truth[channel][$1]) * e[$1][place] } : 0
        }
      }
      let (dot, length) = (
        zip(v.joined(), d.joined()).reduce(0) { $0 + $1.0 * $1.1 },
        v.joined().reduce(0) { $0 + $1 * $1 }
      )
      if key == 1 { (right, all) = (length, length) }
      (right, all) = (right + dot, all + length)
      if isTrained { share = min(max(right / all, 0), 1.5) }
      for channel in 0..<3 {
        let off = d[channel].indices.map { place in
          e.indices.reduce(d[channel][place] - share * v[channel][place]) {
            $0 - weights[channel][$1] * e[$1][place]
          }
        }
        let move = eliminated(gram, e.map { row in zip(row, off).reduce(0) { $0 + $1.0 * $1.1 } })
        for input in 0..<inputs { weights[channel][input] += move[input] }
      }
    }
    let found = try stream.map(11, early: early[3])
    let trained = isTrained ? changed(maps[2], from: early[2], to: early[3]) : maps[2]
    let base = zip(maps[2], trained).map { $0 + Float(share) * ($1 - $0) }
    #expect(isTrained == (share > 0.02 && share < 0.98))
    for channel in 0..<3 {
      var told = Plane(height: 4, width: 5, values: [Double](repeating: 0, count: 20))
      for input in 0..<inputs {
        for place in 0..<20 {
          told.values[place] +=
            weights[channel][input]
            * (levels[3][input].values[place] - levels[2][input].values[place])
        }
      }
      let whole = told.resized(height: Stream.height, width: Stream.width)
      for cell in 0..<Stream.cells {
        let at = channel * Stream.cells + cell
        #expect(abs(Double(found[at]) - Double(base[at]) - whole.values[cell]) < 1e-4)
      }
    }
  }

  private func secondPlaces(_ plane: Plane, less other: Plane) -> [Double] {
    stride(from: 0, to: plane.values.count, by: 2).map { plane.values[$0] - other.values[$0] }
  }

  @Test func whatWasTrainedIsWhereItBegins() throws {
    let parameters = Parameters(seed: 1)
    let trained = try AdaptiveWarp(
      channels: 3, after: "early", giving: 2, prior: 1000, parameters: parameters)
    let change = try #require(parameters.all.first)
    try change.tensor.assign(Tensor(Self.truth.flatMap(\.self), shape: [3, 2, 1, 1]))
    let (map, early) = (drawn(3, seed: 1), (0..<3).map { drawn(2, seed: 40 + $0) })
    var stream = Stream(trained)
    try stream.key(0, map: map, early: early[0])
    let expected = changed(map, from: early[0], to: early[1])
    #expect(try distance(stream.map(1, early: early[1]), expected) < 1e-4)
    // A key frame that changed in nothing says that it is wrong: once right, once not, half of it
    // is used. What is learned beside it is little where little was seen, though something.
    try stream.key(5, map: map, early: early[1])
    let later = try stream.map(6, early: early[2])
    let after = changed(map, from: early[1], to: early[2])
    let half = zip(map, after).map { ($0 + $1) / 2 }
    #expect(distance(later, half) < 0.05 * distance(map, after))
    #expect(distance(later, half) > 1e-4)
  }

  /// On footage where it is wrong again and again what was trained is left out in the end; where it
  /// is right it stays.
  @Test(arguments: [1, -1] as [Float]) func aTrainedMapIsUsedAsFarAsItIsRight(sign: Float) throws {
    let parameters = Parameters(seed: 1)
    let warp = try AdaptiveWarp(
      channels: 3, after: "early", giving: 2, prior: 1000, parameters: parameters)
    try #require(parameters.all.first).tensor.assign(
      Tensor(Self.truth.joined().map { sign * $0 }, shape: [3, 2, 1, 1]))
    var stream = Stream(warp)
    let early = (0..<6).map { drawn(2, seed: 40 + $0) }
    let map = try lastKey(of: &stream, early: early[...4])
    let after = changed(map, from: early[4], to: early[5])
    let found = try stream.map(21, early: early[5])
    #expect(distance(found, sign > 0 ? after : map) < 0.1 * distance(map, after))
  }

  @Test func whatIsNowhereBelowZeroStaysSo() throws {
    let parameters = Parameters(seed: 1)
    let trained = try AdaptiveWarp(
      channels: 3, after: "early", giving: 2, parameters: parameters)
    try #require(parameters.all.first).tensor.assign(
      Tensor([5, -5, 5, -5, 5, -5], shape: [3, 2, 1, 1]))
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

  /// A trained map of a stage whose grid is finer.
  @Test func finerFeaturesAreMeansOnTheGrid() throws {
    let parameters = Parameters(seed: 1)
    let warp = try AdaptiveWarp(channels: 1, after: "early", giving: 1, parameters: parameters)
    try #require(parameters.all.first).tensor.assign(Tensor([1], shape: [1, 1, 1, 1]))
    var draws = Draws(seed: 3)
    let now: [Float] = draws.floats(15 * 18, in: -1...1)
    let context = FrameContext(
      ofBatch: 1,
      from: GivenAnswers(
        gridFlow: { _, height, width in (try .zeros([1, 2, height, width]), nil) },
        features: {
          $1 == .current ? try Tensor(now, shape: [1, 1, 15, 18]) : try .zeros([1, 1, 15, 18])
        }))
    let map = try Tensor.full([1, 1, Stream.height, Stream.width], of: -1)
    let found = try warp.propagate(map, given: context, in: .inference).floats()
    let fine = Plane(height: 15, width: 18, values: now.map(Double.init))
    let expected = fine.means(Stream.height, Stream.width)
    for cell in 0..<Stream.cells {
      #expect(abs(Double(found[cell]) + 1 - expected.values[cell]) < 1e-5)
    }
  }
}

/// Numbers on a grid, by plain loops.
private struct Plane {
  let height: Int, width: Int
  var values: [Double]

  static func all(in values: [Float]) -> [Plane] {
    stride(from: 0, to: values.count, by: Stream.cells).map {
      Plane(
        height: Stream.height, width: Stream.width,
        values: values[$0..<$0 + Stream.cells].map(Double.init))
    }
  }

  /// Five levels of each channel on the finest grid, level by level.
  static func levels(of values: [Float]) -> [Plane] {
    let channels = all(in: values).map { $0.levels(below: (Stream.height, Stream.width)) }
    return (0..<5).flatMap { level in channels.map { $0[level] } }
  }

  var halved: Plane { means((height + 1) / 2, (width + 1) / 2) }

  /// Means of means over about 2 × 2 cells each, brought back to the first one's grid step by step.
  func levels(below grid: (height: Int, width: Int)) -> [Plane] {
    var means: [Plane] = [], size = grid
    for _ in 0..<5 {
      size = ((size.height + 1) / 2, (size.width + 1) / 2)
      means.append((means.last ?? self).means(size.height, size.width))
    }
    return means.indices.map { level in
      (0..<level).reversed().reduce(means[level]) {
        $0.resized(height: means[$1].height, width: means[$1].width)
      }
    }
  }

  func means(_ rows: Int, _ columns: Int) -> Plane {
    func span(_ index: Int, _ count: Int, of size: Int) -> Range<Int> {
      index * size / count..<((index + 1) * size + count - 1) / count
    }
    let means = (0..<rows).flatMap { row in
      (0..<columns).map { column in
        let cells = span(row, rows, of: height).flatMap { y in
          span(column, columns, of: width).map { values[y * width + $0] }
        }
        return cells.reduce(0, +) / Double(cells.count)
      }
    }
    return Plane(height: rows, width: columns, values: means)
  }

  /// Bilinear, half-pixel centres.
  func resized(height rows: Int, width columns: Int) -> Plane {
    func taps(_ index: Int, _ count: Int, of size: Int) -> [(Int, Double)] {
      let position = max(0, (Double(index) + 0.5) * Double(size) / Double(count) - 0.5)
      let first = min(Int(position), size - 1), share = position - Double(first)
      return [(first, 1 - share), (min(first + 1, size - 1), share)]
    }
    let values = (0..<rows).flatMap { row in
      (0..<columns).map { column in
        taps(row, rows, of: height).reduce(0) { sum, y in
          taps(column, columns, of: width).reduce(sum) {
            $0 + y.1 * $1.1 * self.values[y.0 * width + $1.0]
          }
        }
      }
    }
    return Plane(height: rows, width: columns, values: values)
  }
}

/// x of `matrix` · x = `product`, by Gaussian elimination.
private func eliminated(_ matrix: [[Double]], _ product: [Double]) -> [Double] {
  var rows = zip(matrix, product).map { $0 + [$1] }
  for pivot in rows.indices {
    for row in rows.indices where row != pivot {
      let factor = rows[row][pivot] / rows[pivot][pivot]
      for column in pivot...rows.count { rows[row][column] -= factor * rows[pivot][column] }
    }
  }
  return rows.indices.map { rows[$0][rows.count] / rows[$0][$0] }
}

private func distance(_ one: [Float], _ other: [Float]) -> Float {
  zip(one, other).reduce(0) { $0 + abs($1.0 - $1.1) }
}
