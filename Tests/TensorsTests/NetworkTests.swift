// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import Testing

struct Convolution: Sendable {
  let input: Shape
  let weight: Shape
  var stride = 1
  var padding = 0
  var dilation = 1
  var groups = 1
}

private let convolutions: [Convolution] = [
  Convolution(input: [1, 1, 4, 5], weight: [1, 1, 1, 1]),
  Convolution(input: [2, 3, 7, 6], weight: [4, 3, 3, 3], padding: 1),
  Convolution(input: [1, 4, 9, 8], weight: [6, 2, 3, 3], stride: 2, padding: 1, groups: 2),
  Convolution(input: [1, 2, 9, 9], weight: [2, 1, 3, 3], padding: 2, dilation: 2, groups: 2),
  Convolution(input: [1, 2, 6, 6], weight: [3, 2, 2, 4], stride: 3, padding: 2),
  Convolution(input: [2, 8, 9, 7], weight: [16, 8, 1, 1], stride: 2),
  Convolution(input: [1, 4, 7, 9], weight: [6, 2, 1, 1], stride: 3, groups: 2),
]

@Test(arguments: convolutions.indices)
func convolutionMatchesALoop(index: Int) throws {
  let setting = convolutions[index]
  let input = try Tensor.normal(setting.input, seed: 1)
  let weight = try Tensor.normal(setting.weight, seed: 2)
  let bias = try Tensor.normal([setting.weight[0]], seed: 3)
  let output = try input.conv2d(
    weight, bias: bias, stride: Extent(integerLiteral: setting.stride),
    padding: Extent(integerLiteral: setting.padding),
    dilation: Extent(integerLiteral: setting.dilation), groups: setting.groups)
  let expected = try convolved(Grid(input), Grid(weight), bias.floats(), setting, output.shape)
  #expect(try distance(output.floats(), expected.values) < 1e-4)
  let extent = (0...1).map { axis in
    let reach = setting.dilation * (setting.weight[2 + axis] - 1) + 1
    return (setting.input[2 + axis] + 2 * setting.padding - reach) / setting.stride + 1
  }
  #expect(output.shape == Shape([setting.input[0], setting.weight[0]] + extent))
}

private func convolved(
  _ input: Grid, _ weight: Grid, _ bias: [Float], _ setting: Convolution, _ shape: Shape
) -> Grid {
  var output = Grid(shape)
  let (inputs, outputs) = (setting.weight[1], setting.weight[0] / setting.groups)
  Grid(shape).forEach { n, c, y, x in
    var sum = bias[c]
    Grid([1, inputs, setting.weight[2], setting.weight[3]]).forEach { _, i, dy, dx in
      let row = y * setting.stride - setting.padding + dy * setting.dilation
      let column = x * setting.stride - setting.padding + dx * setting.dilation
      sum += weight[c, i, dy, dx] * input[n, c / outputs * inputs + i, row, column]
    }
    output[n, c, y, x] = sum
  }
  return output
}

@Test func transposedConvolutionIsTheAdjointOfConvolution() throws {
  let (x, y) = (
    try Tensor.normal([1, 2, 9, 7], seed: 1), try Tensor.normal([1, 3, 5, 4], seed: 2)
  )
  let weight = try Tensor.normal([3, 2, 3, 3], seed: 3)
  let there = try (x.conv2d(weight, stride: 2, padding: 1) * y).sum().item()
  let back = try (y.convTranspose2d(weight, stride: 2, padding: 1) * x).sum().item()
  #expect(abs(there - back) < 1e-3)
}

@Test func unfoldedColumnsTimesWeightsAreTheConvolution() throws {
  let (input, weight) = (
    try Tensor.normal([1, 2, 5, 6], seed: 1), try Tensor.normal([3, 2, 3, 3], seed: 2)
  )
  let columns = try input.unfolded(3, padding: 1)
  let product = try weight.flattened(from: 1).matmul(columns).reshaped(to: [1, 3, 5, 6])
  #expect(try distance(product.floats(), input.conv2d(weight, padding: 1).floats()) < 1e-4)
}

@Test func batchNormUsesTheStatisticsItIsGiven() throws {
  let input = try Tensor([1, 3, 10, 20], shape: [1, 2, 1, 2])
  let output = try input.batchNorm(
    mean: Tensor([1, 10], shape: [2]), variance: Tensor([4, 25], shape: [2]),
    weight: Tensor([1, 2], shape: [2]), bias: Tensor([0, 1], shape: [2]), epsilon: 0)
  try expectEqual(output, [0, 1, 1, 5], shape: [1, 2, 1, 2], within: 1e-5)
}

@Test func trainingMovesTheRunningStatistics() throws {
  let input = try Tensor([1, 3, 10, 20], shape: [2, 1, 1, 2])
  let (mean, variance) = (try Tensor.zeros([1]), try Tensor.ones([1]))
  let output = try input.trainingBatchNorm(
    runningMean: mean, runningVariance: variance, weight: nil, bias: nil, momentum: 0.5)
  #expect(try abs(output.mean().item()) < 1e-5 && abs(output.variance().item() - 1) < 1e-3)
  let average: Float = 8.5
  let squares = [1, 3, 10, 20].map { ($0 - average) * ($0 - average) }.reduce(0, +)
  #expect(try abs(mean.item() - average / 2) < 1e-5)
  #expect(try abs(variance.item() - (1 + squares / 3) / 2) < 1e-4)
}

@Test func poolingTakesTheLargestOrTheMean() throws {
  let input = try Tensor([1, 2, 3, 4, -5, 6, 7, 8, 9], shape: [1, 1, 3, 3])
  try expectEqual(input.maxPool(2, stride: 1), [4, 6, 8, 9], shape: [1, 1, 2, 2])
  try expectEqual((-input).maxPool(3, stride: 2, padding: 1), [5, 5, 5, 5], shape: [1, 1, 2, 2])
  try expectEqual(input.averagePool(2, stride: 1), [0.5, 1.5, 3.5, 4.5], shape: [1, 1, 2, 2])
  let counted = try input.averagePool(3, stride: 3, padding: 1)
  try expectEqual(counted, [2.0 / 9], shape: [1, 1, 1, 1], within: 1e-6)
  let uncounted = try input.averagePool(3, stride: 3, padding: 1, countingPadding: false)
  try expectEqual(uncounted, [0.5], shape: [1, 1, 1, 1])
  let adaptive = try input.adaptiveAveragePool(Extent(height: 3, width: 1))
  try expectEqual(adaptive, [2, 5.0 / 3, 8], shape: [1, 1, 3, 1], within: 1e-6)
}

@Test(arguments: [(2, 2, 1), (2, 2, 37), (3, 1, 20), (1, 4, 5), (5, 7, 3)])
func meansOfWholeBlocksAreThoseOfALoop(down: Int, across: Int, width: Int) throws {
  let (height, planes) = (6, 3)
  let count = 2 * planes * height * down * width * across
  let values = (0..<count).map { Float(($0 * 37) % 101) - 50 }
  let input = try Tensor(values, shape: [2, planes, height * down, width * across])
  let wanted = (0..<(2 * planes * height * width)).map { at in
    let (plane, y, x) = (at / (height * width), at / width % height, at % width)
    let block = (0..<(down * across)).map { i in
      values[
        (plane * height * down + y * down + i / across) * width * across + x * across + i % across]
    }
    return block.reduce(0, +) / Float(down * across)
  }
  for layout in [input, try input.channelsLast()] {
    try expectEqual(
      layout.adaptiveAveragePool(Extent(height: height, width: width)).contiguous(), wanted,
      shape: [2, planes, height, width], within: 1e-4)
  }
}

@Test func resizingFollowsItsConvention() throws {
  let input = try Tensor([0, 3, 6, 9], shape: [1, 1, 1, 4])
  let corners = try input.resizedBilinear(height: 1, width: 7, grid: .alignCorners)
  try expectEqual(corners, [0, 1.5, 3, 4.5, 6, 7.5, 9], shape: [1, 1, 1, 7], within: 1e-5)
  let halves = try input.resizedBilinear(height: 1, width: 8, grid: .halfPixel)
  try expectEqual(
    halves, [0, 0.75, 2.25, 3.75, 5.25, 6.75, 8.25, 9], shape: [1, 1, 1, 8], within: 1e-5)
  let nearest = try input.resizedNearest(height: 2, width: 2)
  try expectEqual(nearest, [0, 6, 0, 6], shape: [1, 1, 2, 2])
}

@Test func aGridOfItsOwnCellsIsTheIdentity() throws {
  let input = try Tensor.normal([1, 2, 3, 4], seed: 1)
  var positions: [Float] = []
  for y in 0..<3 { for x in 0..<4 { positions += [Float(x) / 1.5 - 1, Float(y) - 1] } }
  let grid = try Tensor(positions, shape: [1, 3, 4, 2])
  let output = try input.gridSampled(at: grid, grid: .alignCorners, clamping: true)
  #expect(try distance(output.floats(), input.floats()) < 1e-5)
  let beyond = try input.gridSampled(at: grid + 10, grid: .alignCorners, clamping: false)
  #expect(try beyond.abs().max().item() == 0)
}

@Test func dropoutKeepsTheMeanAndRepeatsItself() throws {
  let input = try Tensor.ones([10000])
  let first = try input.dropout(0.25, seed: 4)
  #expect(try Set(first.floats()) == [0, 1 / 0.75] && abs(first.mean().item() - 1) < 0.03)
  #expect(try first.floats() == input.dropout(0.25, seed: 4).floats())
  #expect(try first.floats() != input.dropout(0.25, seed: 5).floats())
}

@Test func crossEntropyWeighsClassesAndIgnoresVoid() throws {
  let logits = try Tensor([1, 0, 2, 0.5, 0.5, 3], shape: [1, 2, 1, 3])
  let labels = try Tensor([0, 1, 255] as [UInt8], shape: [1, 1, 3])
  let weights = try Tensor([2, 1], shape: [2])
  func loss(_ own: Double, _ other: Double) -> Double { log(exp(own) + exp(other)) - own }
  let expected = (2 * loss(1, 0.5) + loss(0.5, 0)) / 3
  let actual = try logits.crossEntropy(labels, weights: weights, ignoring: 255).item()
  #expect(abs(actual - Float(expected)) < 1e-5)
}
