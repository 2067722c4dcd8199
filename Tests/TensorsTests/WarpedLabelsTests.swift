// SPDX-License-Identifier: Apache-2.0
import Tensors
import TestSupport
import Testing

private func highest(_ scores: [Float], channels: Int, cells: Int) -> [UInt8] {
  (0..<cells).map { cell in
    var best = (score: -Float.infinity, label: 0)
    for channel in 0..<channels where scores[channel * cells + cell] > best.score {
      best = (scores[channel * cells + cell], channel)
    }
    return UInt8(best.label)
  }
}

/// Scores of few different values, so that many tie, with NaN and infinities among them.
private func tyingScores(_ count: Int, seed: UInt64) -> [Float] {
  var draws = Draws(seed: seed)
  let values: [Float] = [0, -0.0, 1, 2, 2, -1, .nan, .infinity, -.infinity]
  return (0..<count).map { _ in values[Int.random(in: values.indices, using: &draws)] }
}

@Test(arguments: [1, 2, 3, 7, 11, 12, 16, 17, 19, 32, 150, 256])
func theHighestScoreWinsAndOfEqualOnesTheLowestChannel(channels: Int) throws {
  for (height, width) in [(1, 1), (1, 17), (5, 13), (9, 31)] {
    let cells = height * width
    let scores = tyingScores(channels * cells, seed: UInt64(channels))
    let expected = highest(scores, channels: channels, cells: cells)
    let tensor = try Tensor(scores, shape: [1, channels, height, width])
    #expect(try tensor.argmaxLabels().bytes() == expected, "planes, \(height)×\(width)")
    #expect(
      try tensor.channelsLast().argmaxLabels().bytes() == expected,
      "channels last, \(height)×\(width)")
  }
}

@Test(arguments: Border.allCases, [false, true])
func labelsOfAWarpAreTheWarpAndThenTheLabels(border: Border, channelsLast: Bool) throws {
  for (channels, height, width) in [(1, 1, 1), (12, 30, 47), (19, 17, 64), (150, 9, 21)] {
    for reach: Float in [0, 0.7, 9] {
      let one = WarpCase(
        channels: channels, height: height, width: width, reach: reach, seed: UInt64(channels))
      let scores = try one.featureTensor(channelsLast: channelsLast)
      let fused = try scores.warpedLabels(along: one.motionTensor(), border: border)
      let apart = try scores.warped(along: one.motionTensor(), border: border).argmaxLabels()
      #expect(fused.shape == [1, height, width])
      #expect(try fused.bytes() == apart.bytes(), "\(one), motion up to \(reach)")
    }
  }
}

@Test func moreThan256ClassesAreRefused() throws {
  let error = #expect(throws: TensorError.self) {
    try Tensor.zeros([1, 257, 2, 2]).argmaxLabels()
  }
  #expect(error?.code == .badShape)
}

@Test func labelsAreCarriedFromTheNearestCell() throws {
  let labels = try Tensor([1, 2, 3, 4, 5] as [UInt8], shape: [1, 1, 5])
  func carried(_ dx: Float, _ border: Border) throws -> [UInt8] {
    let motion = try Tensor(
      [Float](repeating: dx, count: 5) + [0, 0, 0, 0, 0], shape: [1, 2, 1, 5])
    return try labels.carryingLabels(along: motion, border: border, outside: 255).bytes()
  }
  #expect(try carried(0, .zero) == [1, 2, 3, 4, 5])
  #expect(try carried(0.49, .zero) == [1, 2, 3, 4, 5])
  #expect(try carried(0.5, .zero) == [2, 3, 4, 5, 255])
  #expect(try carried(-0.5, .zero) == [1, 2, 3, 4, 5])
  #expect(try carried(-0.51, .zero) == [255, 1, 2, 3, 4])
  #expect(try carried(-0.51, .clamp) == [1, 1, 2, 3, 4])
  #expect(try carried(.nan, .zero) == [1, 2, 3, 4, 5])
  #expect(try carried(1e30, .clamp) == [5, 5, 5, 5, 5])
}

/// Grid and how many times as large: whole multiples, and others.
@Test(arguments: [
  (1, 1, 1, 4, 3), (3, 2, 5, 4, 10), (11, 13, 70, 26, 140), (19, 9, 64, 72, 512),
  (40, 7, 31, 21, 124), (2, 6, 65, 6, 195), (11, 5, 17, 13, 40), (12, 8, 9, 4, 5),
])
func labelsOfResizedScoresAreThoseOfTheResizedOnes(
  channels: Int, rows: Int, columns: Int, height: Int, width: Int
) throws {
  let scores = try Tensor.normal([2, channels, rows, columns], seed: 5)
  let apart = try scores.resizedBilinear(height: height, width: width, grid: .halfPixel)
  let expected = try apart.argmaxLabels().bytes(), values = try apart.floats()
  for lie in [scores, try scores.channelsLast()] {
    let labels = try lie.argmaxLabels(resizedToHeight: height, width: width)
    #expect(labels.shape == [2, height, width])
    let best = try lie.bestLabels(resizedToHeight: height, width: width)
    #expect(try best.labels.bytes() == labels.bytes() && best.scores.shape == labels.shape)
    let highest = try apart.max(axes: [1]).contiguous().floats()
    for (found, wanted) in zip(try best.scores.contiguous().floats(), highest) {
      #expect(Swift.abs(found - wanted) < 1e-5)
    }
    let cells = height * width
    for (at, label) in try labels.bytes().enumerated() where label != expected[at] {
      // Only sums that are rounded in another order may tell two classes apart otherwise.
      func score(_ label: UInt8) -> Float {
        values[(at / cells * channels + Int(label)) * cells + at % cells]
      }
      #expect(Swift.abs(score(label) - score(expected[at])) < 1e-5, "cell \(at)")
    }
  }
}

@Test func ofEqualResizedScoresTheLowestChannelWins() throws {
  let scores = try Tensor([1, 2, 2, 0, 2, 2], shape: [1, 3, 1, 2])
  let planes = try scores.argmaxLabels(resizedToHeight: 2, width: 4)
  #expect(try planes.bytes() == [1, 2, 2, 0, 1, 2, 2, 0])
}
