// SPDX-License-Identifier: Apache-2.0

import Tensors
import TestSupport
import Testing

/// Convolutions with a kernel of one cell and products of matrices, against plain sums.
struct PointwiseTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let count: Int, height: Int, width: Int, inputs: Int, outputs: Int
    var stride = 1
    var hasBias = false
    var testDescription: String {
      "\(count) × \(inputs) × \(height) × \(width), \(outputs) outputs, stride \(stride)"
    }
  }

  static let cases = [
    Case(count: 1, height: 1, width: 1, inputs: 8, outputs: 8),
    Case(count: 1, height: 5, width: 7, inputs: 17, outputs: 11, hasBias: true),
    Case(count: 2, height: 6, width: 8, inputs: 24, outputs: 16),
    Case(count: 1, height: 7, width: 7, inputs: 32, outputs: 40, hasBias: true),
    Case(count: 3, height: 9, width: 11, inputs: 48, outputs: 100, hasBias: true),
    Case(count: 1, height: 23, width: 30, inputs: 96, outputs: 128),
    Case(count: 1, height: 10, width: 13, inputs: 19, outputs: 32, stride: 2, hasBias: true),
    Case(count: 1, height: 4, width: 4, inputs: 3, outputs: 5, hasBias: true),
  ]

  @Test(arguments: cases) func eachCellIsASumOverInputs(_ sizes: Case) throws {
    var draws = Draws(seed: 5)
    let (height, width, inputs) = (sizes.height, sizes.width, sizes.inputs)
    let values: [Float] = draws.floats(sizes.count * inputs * height * width, in: -1...1)
    let kernel: [Float] = draws.floats(sizes.outputs * inputs, in: -1...1)
    let bias: [Float] = draws.floats(sizes.outputs, in: -1...1)
    let input = try Tensor(values, shape: [sizes.count, inputs, height, width])
    let weight = try Tensor(kernel, shape: [sizes.outputs, inputs, 1, 1])
    let offsets = sizes.hasBias ? try Tensor(bias, shape: [sizes.outputs]) : nil
    let rows = Array(stride(from: 0, to: height, by: sizes.stride))
    let columns = Array(stride(from: 0, to: width, by: sizes.stride))
    var expected: [Float] = []
    for image in 0..<sizes.count {
      for output in 0..<sizes.outputs {
        for row in rows {
          for column in columns {
            var sum = sizes.hasBias ? Double(bias[output]) : 0
            for input in 0..<inputs {
              let at = ((image * inputs + input) * height + row) * width + column
              sum += Double(kernel[output * inputs + input]) * Double(values[at])
            }
            expected.append(Float(sum))
          }
        }
      }
    }
    for input in [input, try input.channelsLast()] {
      let stride = Extent(height: sizes.stride, width: sizes.stride)
      let found = try input.conv2d(weight, bias: offsets, stride: stride)
      #expect(found.shape == [sizes.count, sizes.outputs, rows.count, columns.count])
      #expect(distance(try found.floats(), expected) < 2e-5)
    }
  }

  /// What a gradient is needed of goes another way, to the same numbers.
  @Test func withAGradientItIsTheSame() throws {
    let input = try Tensor.normal([1, 24, 9, 10], seed: 3).channelsLast()
    let weight = try Tensor.normal([20, 24, 1, 1], seed: 4)
    let plain = try input.conv2d(weight).floats()
    let learned = try weight.requiringGradient()
    let output = try input.conv2d(learned)
    #expect(distance(try output.floats(), plain) < 1e-4)
    try output.sum().backward()
    #expect(try learned.gradient() != nil)
  }

  /// Products of matrices, each side as it lies and turned.
  @Test(
    arguments: [(8, 8, 8), (9, 33, 17), (50, 20, 31), (100, 7, 40), (3, 12, 9)], [false, true])
  func eachElementIsASumOverInputs(sizes: (Int, Int, Int), isTurned: Bool) throws {
    let (rows, inputs, columns) = sizes
    var draws = Draws(seed: 9)
    let left: [Float] = draws.floats(rows * inputs, in: -1...1)
    let right: [Float] = draws.floats(inputs * columns, in: -1...1)
    func matrix(_ values: [Float], _ rows: Int, _ columns: Int) throws -> Tensor {
      let plain = try Tensor(values, shape: [rows, columns])
      return isTurned ? try plain.transposed().contiguous().transposed() : plain
    }
    let found = try matrix(left, rows, inputs).matmul(matrix(right, inputs, columns))
    let expected = (0..<rows).flatMap { row in
      (0..<columns).map { column in
        Float(
          (0..<inputs).reduce(0.0) {
            $0 + Double(left[row * inputs + $1]) * Double(right[$1 * columns + column])
          })
      }
    }
    #expect(found.shape == [rows, columns])
    #expect(distance(try found.floats(), expected) < 1e-5)
  }
}
