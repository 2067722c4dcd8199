// SPDX-License-Identifier: Apache-2.0
import Tensors
import Testing

/// A 3 × 3 convolution of stride 1, as large as those that go through Winograd's tiles.
private struct Case: CustomStringConvertible {
  let count: Int, inputs: Int, outputs: Int, height: Int, width: Int
  var dilation = 1
  var hasBias = false

  var input: Shape { [count, inputs, height, width] }
  var weight: Shape { [outputs, inputs, 3, 3] }
  var output: Shape { [count, outputs, height, width] }
  var description: String {
    "\(count)×\(inputs)×\(height)×\(width) to \(outputs), dilation \(dilation)"
  }

  /// Calls `body` with every cell of the output and what each weight reads there, outside left out.
  func forEach(_ body: (_ n: Int, _ at: (y: Int, x: Int), _ tap: Int, _ from: (Int, Int)) -> Void) {
    for n in 0..<count {
      for y in 0..<height {
        for x in 0..<width {
          for tap in 0..<9 {
            let (row, column) = (y + (tap / 3 - 1) * dilation, x + (tap % 3 - 1) * dilation)
            guard (0..<height).contains(row), (0..<width).contains(column) else { continue }
            body(n, (y, x), tap, (row, column))
          }
        }
      }
    }
  }
}

private let cases: [Case] = [
  Case(count: 1, inputs: 16, outputs: 16, height: 12, width: 8),
  Case(count: 2, inputs: 17, outputs: 35, height: 11, width: 13, hasBias: true),
  Case(count: 3, inputs: 40, outputs: 24, height: 7, width: 10, dilation: 2),
  Case(count: 1, inputs: 33, outputs: 66, height: 23, width: 18, dilation: 4, hasBias: true),
  Case(count: 1, inputs: 130, outputs: 50, height: 15, width: 9, dilation: 2),
  Case(count: 1, inputs: 70, outputs: 140, height: 8, width: 12, hasBias: true),
  Case(count: 2, inputs: 16, outputs: 20, height: 40, width: 61),
  // Too small, or too much of it outside, for tiles to be worth it.
  Case(count: 2, inputs: 16, outputs: 16, height: 1, width: 1, hasBias: true),
  Case(count: 1, inputs: 20, outputs: 16, height: 1, width: 30),
  Case(count: 1, inputs: 16, outputs: 18, height: 3, width: 4, dilation: 4),
]

/// How the numbers of a tensor lie; all say the same.
private enum Lie: CaseIterable {
  case planes, channelsLast, turned

  func callAsFunction(_ tensor: Tensor) throws -> Tensor {
    switch self {
    case .planes: tensor
    case .channelsLast: try tensor.channelsLast()
    case .turned: try tensor.permuted(3, 2, 1, 0).contiguous().permuted(3, 2, 1, 0)
    }
  }
}

/// An output and the gradients of its sum, each cell weighed, with respect to what it is made of.
private struct Results {
  var output: [Float], input: [Float], weight: [Float], bias: [Float]
}

private func measured(_ one: Case, _ lie: Lie) throws -> Results {
  let input = try lie(Tensor.normal(one.input, seed: 1)).requiringGradient()
  let weight = try lie(Tensor.normal(one.weight, seed: 2)).requiringGradient()
  let bias = one.hasBias ? try Tensor.normal([one.outputs], seed: 3).requiringGradient() : nil
  let reach = Extent(integerLiteral: one.dilation)
  let output = try input.conv2d(weight, bias: bias, padding: reach, dilation: reach)
  #expect(output.shape == one.output)
  let loss = try (output * Tensor.normal(one.output, seed: 4)).sum()
  let found = try gradients(of: loss, withRespectTo: [input, weight] + (bias.map { [$0] } ?? []))
  return try Results(
    output: output.floats(), input: found[0].floats(), weight: found[1].floats(),
    bias: bias == nil ? [] : found[2].floats())
}

/// The same by loops, added up in double precision.
private func expected(_ one: Case) throws -> Results {
  let (input, weight) = (
    try Tensor.normal(one.input, seed: 1).floats(), try Tensor.normal(one.weight, seed: 2).floats()
  )
  let bias = one.hasBias ? try Tensor.normal([one.outputs], seed: 3).floats() : []
  let gradient = try Tensor.normal(one.output, seed: 4).floats()
  var sums = (
    output: [Double](repeating: 0, count: gradient.count),
    input: [Double](repeating: 0, count: input.count),
    weight: [Double](repeating: 0, count: weight.count),
    bias: [Double](repeating: 0, count: bias.count)
  )
  let cells = one.height * one.width
  for at in gradient.indices where one.hasBias {
    sums.output[at] = Double(bias[at / cells % one.outputs])
    sums.bias[at / cells % one.outputs] += Double(gradient[at])
  }
  one.forEach { n, cell, tap, place in
    for o in 0..<one.outputs {
      let to = (n * one.outputs + o) * cells + cell.y * one.width + cell.x
      for i in 0..<one.inputs {
        let from = (n * one.inputs + i) * cells + place.0 * one.width + place.1
        let over = (o * one.inputs + i) * 9 + tap
        sums.output[to] += Double(input[from]) * Double(weight[over])
        sums.input[from] += Double(gradient[to]) * Double(weight[over])
        sums.weight[over] += Double(gradient[to]) * Double(input[from])
      }
    }
  }
  return Results(
    output: sums.output.map { Float($0) }, input: sums.input.map { Float($0) },
    weight: sums.weight.map { Float($0) }, bias: sums.bias.map { Float($0) })
}

/// The largest error, as a share of the root mean square.
private func error(_ found: [Float], _ expected: [Float]) -> Float {
  let squares = expected.reduce(0) { $0 + $1 * $1 } / Float(max(expected.count, 1))
  return distance(found, expected) / max(squares.squareRoot(), .leastNormalMagnitude)
}

@Test(arguments: cases.indices)
func aLargeConvolutionAndItsGradientsMatchLoops(index: Int) throws {
  let one = cases[index]
  let truth = try expected(one)
  for lie in Lie.allCases {
    let found = try measured(one, lie)
    #expect(error(found.output, truth.output) < 3e-5, "\(one), \(lie)")
    #expect(error(found.input, truth.input) < 3e-5, "\(one), \(lie)")
    #expect(error(found.weight, truth.weight) < 3e-5, "\(one), \(lie)")
    #expect(error(found.bias, truth.bias) < 3e-5, "\(one), \(lie)")
  }
}

@Test func threadsChangeNoBitOfAConvolution() throws {
  let sizes = [
    Case(count: 2, inputs: 48, outputs: 64, height: 37, width: 50, hasBias: true),
    Case(count: 2, inputs: 160, outputs: 288, height: 15, width: 20, dilation: 2),
  ]
  for one in sizes {
    let results = try [1, 2, 3, 8].map { threads in
      try TorchRuntime.withThreads(threads) { try measured(one, .channelsLast) }
    }
    for other in results.dropFirst() {
      #expect(other.output.bits == results[0].output.bits, "\(one)")
      #expect(other.input.bits == results[0].input.bits, "\(one)")
      #expect(other.weight.bits == results[0].weight.bits, "\(one)")
    }
  }
}

@Test(arguments: [Float.nan, .infinity, -.infinity])
func whatIsNotFiniteStaysAmongItsTiles(value: Float) throws {
  var numbers = try Tensor.normal([1, 16, 16, 16], seed: 1).floats()
  numbers[5 * 256 + 9 * 16 + 9] = value
  let input = try Tensor(numbers, shape: [1, 16, 16, 16])
  let output = try input.conv2d(Tensor.normal([16, 16, 3, 3], seed: 2), padding: 1).floats()
  for at in output.indices {
    let (row, column) = (at / 16 % 16, at % 16)
    if (8...10).contains(row) && (8...10).contains(column) { #expect(!output[at].isFinite) }
    if row / 4 != 2 || column / 4 != 2 { #expect(output[at].isFinite) }
  }
}

@Test func aConvolutionKeepsTheMemoryFormatAndGivesOnlyTheGradientsAskedFor() throws {
  let input = try Tensor.normal([1, 16, 12, 16], seed: 1)
  let weight = try Tensor.normal([32, 16, 3, 3], seed: 2).requiringGradient()
  let planes = try input.conv2d(weight, padding: 1)
  let last = try input.channelsLast().conv2d(weight, padding: 1)
  #expect(planes.isContiguous && last.isChannelsLast)
  #expect(try planes.floats().bits == last.floats().bits)
  try last.sum().backward()
  #expect(try input.gradient() == nil && weight.gradient()?.shape == weight.shape)
  let still = try withoutGradients { try input.conv2d(weight, padding: 1) }
  #expect(try !still.requiresGradient && still.floats().bits == planes.floats().bits)
}
