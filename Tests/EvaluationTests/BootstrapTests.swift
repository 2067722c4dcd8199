// SPDX-License-Identifier: Apache-2.0

import Evaluation
import Foundation
import TestSupport
import Testing
import Video

struct BootstrapTests {
  /// Values that depend on the one before, with mean 0.
  private func series(_ draws: inout Draws, count: Int, memory: Double) -> [Double] {
    var (values, last) = ([Double](), 0.0)
    for noise in draws.doubles(count + 50, in: -1...1) {
      last = memory * last + noise
      values.append(last)
    }
    return Array(values.suffix(count))
  }

  private func counts(_ values: [Double]) -> [FigureCounts] {
    values.map { .mean(sum: $0, weight: 1) }
  }

  private func interval(_ values: [Double], block: Int) throws -> Interval {
    let bootstrap = MovingBlockBootstrap(blockLength: block, resamples: 400)
    return try #require(bootstrap.intervals(of: counts(values), named: "x")["x"])
  }

  // Of independent values, the textbook's ± 1.96 standard errors.
  @Test func independentValuesGiveTheNormalInterval() throws {
    var draws = Draws(seed: 3)
    let values = draws.doubles(400, in: 0...1)
    let bootstrap = MovingBlockBootstrap(blockLength: 1, resamples: 4000)
    let found = try #require(bootstrap.intervals(of: counts(values), named: "x")["x"])
    let mean = values.reduce(0, +) / 400
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 400
    let reach = 1.96 * (variance / 400).squareRoot()
    #expect(abs(found.estimate - mean) < 1e-12)
    #expect(abs(found.low - (mean - reach)) < 0.06 * reach)
    #expect(abs(found.high - (mean + reach)) < 0.06 * reach)
  }

  // Successive frames are alike: single ones drawn at random claim too much, blocks do not.
  @Test func blocksCoverTheMeanOfDependentFrames() throws {
    var draws = Draws(seed: 7)
    var (single, blocks) = (0, 0)
    for _ in 0..<200 {
      let values = series(&draws, count: 300, memory: 0.7)
      let (one, ten) = (try interval(values, block: 1), try interval(values, block: 15))
      single += one.low <= 0 && one.high >= 0 ? 1 : 0
      blocks += ten.low <= 0 && ten.high >= 0 ? 1 : 0
    }
    #expect(blocks >= 176 && single <= 150, "\(blocks) and \(single) of 200")
  }

  // What is hard for both runs is not what tells them apart.
  @Test func pairedRunsAreToldApartThroughCommonNoise() throws {
    var draws = Draws(seed: 5)
    let base = series(&draws, count: 120, memory: 0.8)
    let other = zip(base, draws.doubles(120, in: -0.01...0.01)).map { $0 + 0.02 + $1 }
    let bootstrap = MovingBlockBootstrap()
    let difference = try #require(
      bootstrap.differences(from: counts(base), to: counts(other), named: "x")["x"])
    #expect(difference.excludesZero && difference.low > 0.015 && difference.high < 0.025)
    let (one, two) = (
      bootstrap.intervals(of: counts(base), named: "x")["x"],
      bootstrap.intervals(of: counts(other), named: "x")["x"]
    )
    #expect(try #require(one).overlaps(#require(two)))
    let same = bootstrap.differences(from: counts(base), to: counts(base), named: "x")["x"]
    #expect(same == Interval(estimate: 0, low: 0, high: 0))
  }

  // Clips that are even in themselves leave nothing to chance, though they differ; a block that went
  // from one into the next, or a clip drawn more often than it has frames, would.
  @Test func noBlockGoesFromOneClipIntoTheNext() throws {
    let clips: [(frames: Int, gain: Double)] = [(20, 0.5), (30, -0.25), (25, 2)]
    let base = counts([Double](repeating: 1, count: 75))
    let other = counts(clips.flatMap { [Double](repeating: 1 + $0.gain, count: $0.frames) })
    func difference(_ lengths: [Int]) throws -> Interval {
      try #require(
        MovingBlockBootstrap().differences(
          fromEach: [base], toEach: [other], named: "x", clips: lengths)["x"])
    }
    let found = try difference(clips.map(\.frames))
    let mean = 52.5 / 75
    #expect(abs(found.estimate - mean) < 1e-12)
    #expect(abs(found.low - mean) < 1e-12 && abs(found.high - mean) < 1e-12)
    let asOne = try difference([])
    #expect(asOne.high - asOne.low > 0.1)
    let short = MovingBlockBootstrap(blockLength: 11).differences(
      fromEach: [base], toEach: [other], named: "x", clips: clips.map(\.frames))
    #expect(short.isEmpty)
  }

  // Of means over frames, the mean over runs is that of one run with each frame's mean.
  @Test func severalRunsOnAClipCountByTheirMean() throws {
    var draws = Draws(seed: 11)
    let base = (0..<3).map { _ in series(&draws, count: 80, memory: 0.6) }
    let other = (0..<2).map { _ in series(&draws, count: 80, memory: 0.6) }
    func mean(_ runs: [[Double]]) -> [Double] {
      (0..<80).map { frame in runs.reduce(0) { $0 + $1[frame] } / Double(runs.count) }
    }
    let bootstrap = MovingBlockBootstrap(resamples: 300)
    let found = try #require(
      bootstrap.differences(fromEach: base.map(counts), toEach: other.map(counts), named: "x")["x"])
    let expected = try #require(
      bootstrap.differences(from: counts(mean(base)), to: counts(mean(other)), named: "x")["x"])
    for (one, two) in [
      (found.low, expected.low), (found.estimate, expected.estimate), (found.high, expected.high),
    ] {
      #expect(abs(one - two) < 1e-12)
    }
  }

  private func matrix(_ predicted: [UInt8], _ truth: [UInt8]) -> ConfusionMatrix {
    var matrix = ConfusionMatrix(classes: 3)
    func map(_ ids: [UInt8]) -> Image {
      Image(width: ids.count, height: 1, channels: 1) { bytes in
        for index in ids.indices { bytes[index] = ids[index] }
      }
    }
    matrix.add(predicted: map(predicted), truth: map(truth))
    return matrix
  }

  // Frames of two kinds in a row: drawn in blocks of one, the mean IoU is that of a mixture, whose
  // quantiles are counted out here with a binomial's own numbers.
  @Test func meanIoUIsComputedOfTheDrawnFramesCounts() throws {
    let good = matrix([0, 1, 2, 0], [0, 1, 2, 0]), bad = matrix([1, 1, 1, 1], [0, 1, 2, 0])
    let counts = (0..<40).map { FigureCounts.confusion($0 < 20 ? good : bad) }
    let bootstrap = MovingBlockBootstrap(blockLength: 1, resamples: 4000)
    let found = try #require(bootstrap.intervals(of: counts, named: "mIoU")["mIoU"])
    func score(_ goodFrames: Int) -> Double {
      var sum = ConfusionMatrix(classes: 3)
      for frame in 0..<40 { sum += frame < goodFrames ? good : bad }
      return sum.meanIoU ?? 0
    }
    // Binomial(40, 1/2): 14 and 26 are its 2.5 % and 97.5 % quantiles.
    #expect(abs(found.estimate - score(20)) < 1e-12)
    #expect(abs(found.low - score(14)) < 0.03 && abs(found.high - score(26)) < 0.03)
  }

  @Test func fewFramesTellNothing() {
    let bootstrap = MovingBlockBootstrap(blockLength: 10)
    #expect(bootstrap.intervals(of: counts(Array(repeating: 1, count: 19)), named: "x").isEmpty)
    #expect(!bootstrap.intervals(of: counts(Array(repeating: 1, count: 20)), named: "x").isEmpty)
  }

  // Tables of Student's distribution.
  @Test(arguments: [(3, 4.3027), (5, 2.7764), (41, 2.0211), (101, 1.9840)])
  func fewExperimentsHaveStudentsInterval(_ count: Int, _ quantile: Double) throws {
    let values = (0..<count).map { $0 % 2 == 0 ? 1.0 : 3.0 }
    let found = try #require(Interval(meanOf: values))
    let mean = values.reduce(0, +) / Double(count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count - 1)
    let reach = quantile * (variance / Double(count)).squareRoot()
    #expect(abs(found.high - found.estimate - reach) < 2e-4)
    #expect(Interval(meanOf: [1, 2]) == nil)
  }

  @Test func countsAreReadAsTheyAreWritten() throws {
    var boxes = DetectionAccuracy(classes: 2)
    boxes.add(
      detections: [
        Detection(box: BoundingBox(x: 0, y: 0, width: 4, height: 4), category: 1, score: 0.5)
      ], truth: [GroundTruthBox(box: BoundingBox(x: 0, y: 0, width: 4, height: 5), category: 1)])
    let all: [FigureCounts] = [
      .mean(sum: 0.1, weight: 3), .rootMean(sum: 2, weight: 5), .detections(boxes),
      .confusion(matrix([1, 2, 2], [0, 2, 1])),
    ]
    let data = try JSONEncoder().encode(all)
    #expect(try JSONDecoder().decode([FigureCounts].self, from: data) == all)
    for text in [
      #"[{"confusion":{"classes":3,"cells":[12,1]}}]"#,
      #"[{"confusion":{"classes":3,"cells":[1,-1]}}]"#,
      #"[{"confusion":{"classes":0,"cells":[]}}]"#, #"[{"confusion":{"classes":2,"cells":[1]}}]"#,
      #"[{"mean":[1]}]"#, "[{}]",
    ] {
      #expect(throws: DecodingError.self, "\(text)") {
        try JSONDecoder().decode([FigureCounts].self, from: Data(text.utf8))
      }
    }
  }
}
