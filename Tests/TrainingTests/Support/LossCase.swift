// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import TestSupport
import Testing

/// Numbers on N × C × H × W, for plain loops.
struct Field {
  let count: Int, channels: Int, height: Int, width: Int
  var values: [Double]

  init(_ shape: [Int], _ values: [Double]) {
    (count, channels, height, width) = (shape[0], shape[1], shape[2], shape[3])
    self.values = values
  }

  init(_ shape: [Int], in range: ClosedRange<Double>, seed: UInt64) {
    var draws = Draws(seed: seed)
    self.init(shape, draws.doubles(shape.reduce(1, *), in: range))
  }

  var shape: [Int] { [count, channels, height, width] }

  subscript(n: Int, c: Int, y: Int, x: Int) -> Double {
    values[((n * channels + c) * height + y) * width + x]
  }

  /// All channels of a cell; cells are counted row by row, image after image.
  func cell(_ index: Int) -> [Double] {
    let (n, at) = index.quotientAndRemainder(dividingBy: height * width)
    return (0..<channels).map { values[(n * channels + $0) * height * width + at] }
  }

  var cells: Range<Int> { 0..<count * height * width }

  func tensor() throws -> Tensor { try Tensor(values.map { Float($0) }, shape: Shape(shape)) }

  func replacing(_ values: [Double]) -> Field { Field(shape, values) }
}

// With types spelt out: sums of closures take the compiler long otherwise.
func total(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 } }

/// Σ (one - other)².
func squaredDistance(_ one: [Double], _ other: [Double]) -> Double {
  var sum = 0.0
  for (a, b) in zip(one, other) { sum += (a - b) * (a - b) }
  return sum
}

func softmax(_ scores: [Double]) -> [Double] {
  let top = scores.max() ?? 0
  let powers = scores.map { exp($0 - top) }
  let sum = total(powers)
  return powers.map { $0 / sum }
}

/// A loss as a function of the first of its tensors, and what plain loops in double precision say.
struct LossCase: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let point: Field
  let loss: @Sendable (Tensor) throws -> Tensor
  let reference: @Sendable (Field) -> Double

  init(
    _ name: String, at point: Field, _ loss: @escaping @Sendable (Tensor) throws -> Tensor,
    reference: @escaping @Sendable (Field) -> Double
  ) {
    (testDescription, self.point, self.loss, self.reference) = (name, point, loss, reference)
  }

  /// The loss is the reference, and its gradient the reference's finite differences.
  func check(channelsLast: Bool = false, within tolerance: Double = 1e-4) throws {
    let leaf = try point.tensor().requiringGradient()
    let result = try loss(channelsLast ? leaf.channelsLast() : leaf)
    let expected = reference(point)
    let value = Double(try result.item())
    #expect(abs(value - expected) < tolerance * max(1, abs(expected)), "\(value), not \(expected)")
    let gradient = try gradients(of: result, withRespectTo: [leaf])[0].floats()
    let largest = gradient.map { Double(abs($0)) }.max() ?? 0
    for index in point.values.indices {
      let difference = slope(along: index)
      let error = abs(Double(gradient[index]) - difference)
      #expect(error < tolerance * max(largest, 1e-3), "\(gradient[index]), not \(difference)")
    }
  }

  private func slope(along index: Int) -> Double {
    let step = 1e-5
    let ends = [step, -step].map { offset in
      var values = point.values
      values[index] += offset
      return reference(point.replacing(values))
    }
    return (ends[0] - ends[1]) / (2 * step)
  }
}

/// Whether a loss is 0 and so are all its gradients, none of them NaN.
func isNothing(_ logits: Tensor, _ loss: (Tensor) throws -> Tensor) throws -> Bool {
  let leaf = try logits.requiringGradient()
  let value = try loss(leaf)
  let gradient = try gradients(of: value, withRespectTo: [leaf])[0].floats()
  return try value.item() == 0 && gradient.allSatisfy { $0 == 0 }
}
