// SPDX-License-Identifier: Apache-2.0

import Evaluation
import Pipeline
import Scheduler
import TestSupport
import Testing
import Video

struct BoundaryAccuracyTests {
  private let trace = FrameTrace(
    index: 0, time: 0, decision: Decision(.key, because: .firstFrame), streamBreak: nil,
    framesSinceKeyframe: 0, stages: [:], total: .zero, keyShare: 1, macs: 0)

  private func map(_ width: Int, _ bytes: [UInt8]) -> Image {
    Image(width: width, height: bytes.count / width, channels: 1, bytes: bytes)
  }

  /// Blobs of three classes and void.
  private func blobs(_ width: Int, _ height: Int, seed: UInt64) -> Image {
    var draws = Draws(seed: seed)
    let seeds = (0..<9).map { _ in
      (
        Int.random(in: 0..<width, using: &draws), Int.random(in: 0..<height, using: &draws),
        [0, 1, 2, 255].randomElement(using: &draws) ?? 0
      )
    }
    return map(
      width,
      (0..<width * height).map { at in
        let (x, y) = (at % width, at / width)
        let near = seeds.min { one, two in
          let first = (one.0 - x) * (one.0 - x) + (one.1 - y) * (one.1 - y)
          return first < (two.0 - x) * (two.0 - x) + (two.1 - y) * (two.1 - y)
        }
        return UInt8(near?.2 ?? 0)
      })
  }

  // Pixel by pixel: does the square around it hold another class?
  private func slowly(_ predicted: Image, _ truth: Image, pixels: Int) -> ConfusionMatrix {
    let masked = (0..<truth.height).flatMap { y in
      (0..<truth.width).map { x -> UInt8 in
        let own = truth[x: x, y: y]
        for row in max(0, y - pixels)...min(truth.height - 1, y + pixels) {
          for column in max(0, x - pixels)...min(truth.width - 1, x + pixels) {
            let other = truth[x: column, y: row]
            if own < 3, other < 3, other != own { return own }
          }
        }
        return 255
      }
    }
    var matrix = ConfusionMatrix(classes: 3)
    matrix.add(predicted: predicted, truth: map(truth.width, masked))
    return matrix
  }

  @Test(arguments: [1, 2, 3, 5, 40])
  func equalsALoopOverSquares(pixels: Int) throws {
    for seed in 0..<6 as Range<UInt64> {
      let (truth, predicted) = (blobs(37, 23, seed: seed), blobs(37, 23, seed: seed + 100))
      var metric = BoundaryAccuracy(pixels: pixels, classes: 3)
      let counts = metric.counts(adding: predicted, target: truth, trace: trace)
      let expected = slowly(predicted, truth, pixels: pixels)
      #expect(counts == [metric.figure: .confusion(expected)])
      #expect(metric.values[metric.figure] == expected.meanIoU)
    }
  }

  @Test func onlyTheBorderCounts() {
    let truth = map(8, [0, 0, 0, 0, 1, 1, 1, 1])
    var metric = BoundaryAccuracy(pixels: 1, classes: 2)
    // Wrong far from the border alone.
    metric.add(map(8, [1, 1, 1, 0, 1, 0, 0, 0]), target: truth, trace: trace)
    #expect(metric.values == [metric.figure: 1])
    metric.add(map(8, [0, 0, 0, 1, 1, 1, 1, 1]), target: truth, trace: trace)
    // Class 0: one of two found; class 1: two found, one too many.
    #expect(abs((metric.values[metric.figure] ?? 0) - (1.0 / 2 + 2.0 / 3) / 2) < 1e-12)
  }

  @Test func bordersWithVoidDoNotCount() {
    var metric = BoundaryAccuracy(pixels: 2, classes: 2)
    let truth = map(6, [0, 0, 255, 255, 255, 255])
    metric.add(map(6, [1, 1, 1, 1, 1, 1]), target: truth, trace: trace)
    #expect(metric.values.isEmpty)
    metric.add(truth, target: nil, trace: trace)
    #expect(metric.values.isEmpty)
  }

  // A prediction of another size is read by the nearest label, as everywhere.
  @Test func predictionsAreScaledToTheTruth() {
    var metric = BoundaryAccuracy(pixels: 1, classes: 2)
    metric.add(map(2, [0, 1]), target: map(4, [0, 0, 1, 1]), trace: trace)
    #expect(metric.values == [metric.figure: 1])
  }
}
