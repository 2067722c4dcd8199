// SPDX-License-Identifier: Apache-2.0

import Foundation
import Layers
import Tensors
import Testing

struct RecurrenceTests {
  /// One step for one sequence, number by number, as the formulae have it.
  private func step(
    _ input: [Double], output: [Double], memory: [Double], by values: [String: [Double]]
  ) throws -> (output: [Double], memory: [Double]) {
    let (size, inputs) = (output.count, input.count)
    let bias = try #require(values["input.bias"])
    let fromInput = try #require(values["input.weight"])
    let fromMemory = try #require(values["memory.weight"])
    func sum(_ row: Int) -> Double {
      var sum = bias[row]
      for column in 0..<inputs { sum += fromInput[row * inputs + column] * input[column] }
      for column in 0..<size { sum += fromMemory[row * size + column] * output[column] }
      return sum
    }
    func sigmoid(_ value: Double) -> Double { 1 / (1 + exp(-value)) }
    var (nextOutput, nextMemory) = (output, memory)
    for unit in 0..<size {
      let kept = sigmoid(sum(size + unit) + 1) * memory[unit]
      nextMemory[unit] = kept + sigmoid(sum(unit)) * tanh(sum(2 * size + unit))
      nextOutput[unit] = sigmoid(sum(3 * size + unit)) * tanh(nextMemory[unit])
    }
    return (nextOutput, nextMemory)
  }

  @Test func aMemoryIsWhatTheFormulaeSay() throws {
    let parameters = Parameters(seed: 4)
    let cell = try LSTMCell(3, 5, in: parameters.root)
    // Offsets other than 0, so that it shows where they go.
    for parameter in parameters.all where parameter.kind == .offset {
      try parameter.tensor.assign(.normal(parameter.tensor.shape, seed: 9))
    }
    var values: [String: [Double]] = [:]
    for parameter in parameters.all {
      values[parameter.name] = try parameter.tensor.floats().map(Double.init)
    }
    let inputs = try (0..<4).map { try Tensor.normal([2, 3], seed: UInt64($0)) }
    var state = try cell.start(2)
    var expected = [[Double]](repeating: .init(repeating: 0, count: 5), count: 2)
    var memories = expected
    for input in inputs {
      state = try cell(input, after: state, in: .inference)
      let numbers = try input.floats().map(Double.init)
      for sequence in 0..<2 {
        (expected[sequence], memories[sequence]) = try step(
          Array(numbers[3 * sequence..<3 * sequence + 3]), output: expected[sequence],
          memory: memories[sequence], by: values)
      }
    }
    for (found, wanted) in zip(try state.output.floats(), expected.joined()) {
      #expect(abs(Double(found) - wanted) < 1e-5)
    }
    for (found, wanted) in zip(try state.memory.floats(), memories.joined()) {
      #expect(abs(Double(found) - wanted) < 1e-5)
    }
  }

  @Test func gradientsReachBackThroughAllSteps() throws {
    let parameters = Parameters(seed: 4)
    let cell = try LSTMCell(2, 3, in: parameters.root)
    func loss(_ first: Tensor) throws -> Tensor {
      var state = try cell(first, after: cell.start(1), in: .inference)
      for seed in 1...3 {
        state = try cell(.normal([1, 2], seed: UInt64(seed)), after: state, in: .inference)
      }
      return try (state.output * state.output).sum()
    }
    let first = try Tensor([0.3, -0.7], shape: [1, 2])
    try first.setRequiresGradient(true)
    try loss(first).backward()
    let gradient = try #require(try first.gradient()).floats()
    for index in 0..<2 {
      func moved(_ by: Float) throws -> Double {
        var values: [Float] = [0.3, -0.7]
        values[index] += by
        return Double(try loss(Tensor(values, shape: [1, 2])).item())
      }
      let difference = (try moved(0.01) - moved(-0.01)) / 0.02
      #expect(abs(difference - Double(gradient[index])) < 1e-4)
    }
  }
}
