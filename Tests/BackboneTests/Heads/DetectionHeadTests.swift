// SPDX-License-Identifier: Apache-2.0

import Backbone
import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import Video

private let classes = ClassList(name: "two", names: ["cat", "dog"], void: nil)

/// Maps of 3 × 4 cells of 8 pixels on which nothing is found, until it is written.
private struct Canvas {
  var scores = [Float](repeating: -20, count: 2 * 12)
  var distances = [Float](repeating: 0, count: 4 * 12)
  var centreness = [Float](repeating: 20, count: 12)

  /// A detection of `logit` at a cell, whose box has these sides in pixels.
  mutating func write(
    category: Int, column: Int, row: Int, logit: Float, sides: [Double], centreness: Float = 20
  ) {
    let cell = row * 4 + column
    scores[category * 12 + cell] = logit
    for (side, pixels) in sides.enumerated() {
      distances[side * 12 + cell] = Float(log(pixels / 8))
    }
    self.centreness[cell] = centreness
  }

  func maps() throws -> DetectionHead.Maps {
    DetectionHead.Maps(
      classes: try Tensor(scores, shape: [1, 2, 3, 4]),
      distances: try Tensor(distances, shape: [1, 4, 3, 4]),
      centreness: try Tensor(centreness, shape: [1, 1, 3, 4]))
  }
}

struct DetectionHeadTests {
  private let inputs = [
    HeadInput(stage: "context", channels: 3, stride: 16),
    HeadInput(stage: "decoder", channels: 2, stride: 4),
  ]
  private let size = PixelSize(width: 32, height: 24)

  private func head(
    threshold: Double = 0.05, overlap: Double = 0.6, limit: Int = 100, candidates: Int = 1000
  ) throws -> DetectionHead {
    try DetectionHead(
      .init(
        classes: classes, channels: 4, blocks: 1, stride: 8, scoreThreshold: threshold,
        overlapThreshold: overlap, candidateLimit: candidates, detectionLimit: limit),
      reading: inputs, parameters: Parameters(seed: 2))
  }

  @Test func aCellTellsTheBoxAroundItsLocation() throws {
    var canvas = Canvas()
    // The location of column 1, row 2 is (12, 20).
    canvas.write(category: 1, column: 1, row: 2, logit: 0, sides: [3, 5, 7, 2], centreness: 0)
    let found = try head().detections(in: canvas.maps(), size: size)
    let one = try #require(found.first)
    #expect(found.count == 1 && one.category == 1)
    #expect(abs(one.score - 0.5) < 1e-6)
    #expect(abs(one.box.x - 9) < 1e-5 && abs(one.box.y - 15) < 1e-5)
    #expect(abs(one.box.width - 10) < 1e-5 && abs(one.box.height - 7) < 1e-5)
  }

  @Test func boxesEndAtTheEdgesOfTheFrame() throws {
    var canvas = Canvas()
    canvas.write(category: 0, column: 0, row: 0, logit: 3, sides: [50, 50, 1, 1])
    canvas.write(category: 0, column: 3, row: 2, logit: 2, sides: [1, 1, 50, 50])
    let found = try head().detections(in: canvas.maps(), size: size)
    #expect(found.count == 2)
    #expect(found[0].box.x == 0 && found[0].box.y == 0)
    #expect(abs(found[0].box.width - 5) < 1e-5 && abs(found[0].box.height - 5) < 1e-5)
    #expect(abs(found[1].box.x + found[1].box.width - 32) < 1e-9)
    #expect(abs(found[1].box.y + found[1].box.height - 24) < 1e-9)
  }

  @Test func boxesGrowWithTheFrameThatIsAskedFor() throws {
    var canvas = Canvas()
    canvas.write(category: 0, column: 1, row: 1, logit: 3, sides: [4, 4, 4, 4])
    let found = try head().detections(in: canvas.maps(), size: PixelSize(width: 64, height: 72))
    let box = try #require(found.first).box
    #expect(abs(box.x - 16) < 1e-4 && abs(box.width - 16) < 1e-4)
    #expect(abs(box.y - 24) < 1e-4 && abs(box.height - 24) < 1e-4)
    // A frame that does not fill its last cells keeps its scale.
    let rounded = try head().detections(in: canvas.maps(), size: PixelSize(width: 27, height: 18))
    #expect(abs(try #require(rounded.first).box.x - 8) < 1e-4)
  }

  @Test func thresholdsAndLimitsAreKept() throws {
    var canvas = Canvas()
    for column in 0..<4 {
      canvas.write(
        category: 0, column: column, row: 0, logit: Float(column), sides: [2, 2, 2, 2])
    }
    let maps = try canvas.maps()
    let scores = (0..<4).map { (1 / (1 + exp(-Double($0)))).squareRoot() }
    func found(_ head: DetectionHead) throws -> [Double] {
      try head.detections(in: maps, size: size).map(\.score)
    }
    let all = try found(head())
    #expect(all.count == 4 && zip(all, scores.reversed()).allSatisfy { abs($0 - $1) < 1e-4 })
    #expect(try found(head(threshold: scores[2] - 1e-3)).count == 2)
    #expect(try found(head(threshold: scores[2] + 1e-3)).count == 1)
    #expect(try found(head(limit: 3)).count == 3)
    #expect(try found(head(candidates: 1)).count == 1)
  }

  @Test func aBetterDetectionOfTheSameClassSuppresses() throws {
    var canvas = Canvas()
    canvas.write(category: 0, column: 1, row: 1, logit: 4, sides: [10, 10, 10, 10])
    canvas.write(category: 0, column: 2, row: 1, logit: 3, sides: [18, 10, 2, 10])
    #expect(try head(overlap: 0.9).detections(in: canvas.maps(), size: size).count == 1)
    canvas.scores[0 * 12 + 6] = -20
    canvas.scores[1 * 12 + 6] = 3
    #expect(try head(overlap: 0.9).detections(in: canvas.maps(), size: size).count == 2)
  }

  // Without shortcuts: every class of every cell, by the paper's formulae.
  @Test(arguments: [0, 0.3]) func itFindsWhatPlainLoopsFind(threshold: Double) throws {
    let maps = DetectionHead.Maps(
      classes: try randomMap([1, 2, 3, 4], seed: 1) * 4,
      distances: try randomMap([1, 4, 3, 4], seed: 2),
      centreness: try randomMap([1, 1, 3, 4], seed: 3) * 4)
    let found = try head(threshold: threshold, overlap: 1).detections(in: maps, size: size)
    let (scores, sides) = (try planes(maps.classes), try planes(maps.distances))
    let centres = try planes(maps.centreness)[0]
    var expected: [Double] = []
    for category in 0..<2 {
      for row in 0..<3 {
        for column in 0..<4 {
          let share = 1 / (1 + exp(-scores[category][row][column]))
          let centre = 1 / (1 + exp(-centres[row][column]))
          let score = (share * centre).squareRoot()
          guard score >= threshold else { continue }
          let x = Double(column) * 8 + 4, y = Double(row) * 8 + 4
          let edges = (0..<4).map { 8 * exp(sides[$0][row][column]) }
          let left = max(0, x - edges[0]), top = max(0, y - edges[1])
          let right = min(32, x + edges[2]), bottom = min(24, y + edges[3])
          // One number for each, so that both sides can be put in order.
          expected.append(
            score + 1e-3 * (left + 2 * top + 3 * right + 5 * bottom + 7.5 * Double(category)))
        }
      }
    }
    let told = found.map { one in
      one.score
        + 1e-3
        * (one.box.x + 2 * one.box.y + 3 * (one.box.x + one.box.width)
          + 5 * (one.box.y + one.box.height) + 7.5 * Double(one.category))
    }
    #expect(told.count == expected.count)
    #expect(zip(told.sorted(), expected.sorted()).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(zip(found, found.dropFirst()).allSatisfy { $0.score >= $1.score })
  }

  @Test func foldingChangesNothing() throws {
    let head = try head()
    try redraw(head.parameters, seed: 5)
    var features = FeatureMaps(try randomMap([2, 3, 2, 2], seed: 1), after: "context")
    features["decoder"] = try randomMap([2, 2, 6, 8], seed: 2)
    let (one, other) = (
      try head.maps(of: features, in: .inference),
      try head.folded().maps(of: features, in: .inference)
    )
    #expect(one.classes.shape == [2, 2, 3, 4] && one.distances.shape == [2, 4, 3, 4])
    for (a, b) in [
      (one.classes, other.classes), (one.distances, other.distances),
      (one.centreness, other.centreness),
    ] {
      #expect(zip(try a.floats(), try b.floats()).allSatisfy { abs($0 - $1) < 1e-4 })
    }
  }

  @Test func onlyOneFrameIsReadAtATimeAndNothingIsFoundUntrained() throws {
    let head = try head()
    var features = FeatureMaps(try randomMap([2, 3, 2, 2], seed: 1), after: "context")
    features["decoder"] = try randomMap([2, 2, 6, 8], seed: 2)
    #expect(throws: BackboneError.self) { try head(features, size: size) }
    var single = FeatureMaps()
    for stage in features.stages {
      single[stage] = try features.map(after: stage).slice(axis: 0, 0..<1)
    }
    #expect(try head(single, size: size).allSatisfy { $0.score < 0.2 })
  }
}
