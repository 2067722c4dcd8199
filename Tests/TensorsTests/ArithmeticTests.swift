// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import Testing

private let a: [Float] = [1, -2, 0.5, 4, 3, -0.25]
private let b: [Float] = [2, 4, -1, 0.5, 3, 8]

private typealias Binary = @Sendable (Tensor, Tensor) throws -> Tensor
private typealias Scalar = @Sendable (Float, Float) -> Float

private let operators: [(String, Binary, Scalar)] = [
  ("+", { try $0 + $1 }, { $0 + $1 }),
  ("-", { try $0 - $1 }, { $0 - $1 }),
  ("*", { try $0 * $1 }, { $0 * $1 }),
  ("/", { try $0 / $1 }, { $0 / $1 }),
  ("maximum", { try $0.maximum($1) }, { max($0, $1) }),
  ("minimum", { try $0.minimum($1) }, { min($0, $1) }),
  ("power", { try $0.abs().power($1) }, { pow(abs($0), $1) }),
  ("<", { try $0 .< $1 }, { $0 < $1 ? 1 : 0 }),
  ("<=", { try $0 .<= $1 }, { $0 <= $1 ? 1 : 0 }),
  (">", { try $0 .> $1 }, { $0 > $1 ? 1 : 0 }),
  (">=", { try $0 .>= $1 }, { $0 >= $1 ? 1 : 0 }),
  ("==", { try $0.equal(to: $1) }, { $0 == $1 ? 1 : 0 }),
  ("!=", { try $0.notEqual(to: $1) }, { $0 != $1 ? 1 : 0 }),
]

@Test(arguments: operators.indices)
func operatorsWorkElementByElementAndStretch(index: Int) throws {
  let (_, apply, expected) = operators[index]
  let (left, right) = (try Tensor(a, shape: [2, 3]), try Tensor(b, shape: [2, 3]))
  try expectEqual(apply(left, right), zip(a, b).map(expected), shape: [2, 3], within: 1e-3)
  let row = try Tensor([2, -1, 0.5], shape: [1, 3])
  let stretched = zip(a, [2, -1, 0.5, 2, -1, 0.5]).map(expected)
  try expectEqual(apply(left, row), stretched, shape: [2, 3], within: 1e-5)
}

@Test func scalarsStandOnEitherSide() throws {
  let tensor = try Tensor([1, 2, 4], shape: [3])
  #expect(try (tensor + 1).floats() == [2, 3, 5] && (1 + tensor).floats() == [2, 3, 5])
  #expect(try (tensor - 1).floats() == [0, 1, 3] && (1 - tensor).floats() == [0, -1, -3])
  #expect(try (tensor * 3).floats() == [3, 6, 12] && (3 * tensor).floats() == [3, 6, 12])
  #expect(try (tensor / 2).floats() == [0.5, 1, 2] && (8 / tensor).floats() == [8, 4, 2])
  #expect(try tensor.power(2).floats() == [1, 4, 16] && (-tensor).floats() == [-1, -2, -4])
  #expect(try (tensor .> 1.5).bytes() == [0, 1, 1] && (tensor .<= 2).bytes() == [1, 1, 0])
  #expect(try (tensor .< 2).bytes() == [1, 0, 0] && (tensor .>= 2).bytes() == [0, 1, 1])
  #expect(
    try tensor.equal(to: 2).bytes() == [0, 1, 0] && tensor.notEqual(to: 2).bytes() == [1, 0, 1])
}

@Test func integersStayIntegersUnlessAFractionComesIn() throws {
  let tensor = try Tensor([3, 4] as [Int64], shape: [2])
  #expect(try (tensor + 2).type == .int64 && (2 * tensor).type == .int64)
  #expect(try (tensor * 0.5).type == .float32 && (0.5 + tensor).type == .float32)
  #expect(try (tensor / 2).floats() == [1.5, 2] && (tensor .< 4).type == .uint8)
}

@Test func halvesStayHalvesBesideScalars() throws {
  let tensor = try Tensor([3, 4], shape: [2]).cast(to: .float16)
  #expect(try (tensor * 0.5).type == .float16 && (0.5 + tensor).type == .float16)
}

@Test func functionsWorkElementByElement() throws {
  let values: [Float] = [0.1, 1, 2.5, 7]
  let tensor = try Tensor(values, shape: [4])
  try expectEqual(tensor.exp(), values.map { Foundation.exp($0) }, shape: [4], within: 1e-3)
  try expectEqual(tensor.log(), values.map { Foundation.log($0) }, shape: [4], within: 1e-6)
  try expectEqual(tensor.sqrt(), values.map { $0.squareRoot() }, shape: [4], within: 1e-6)
  try expectEqual(tensor.tanh(), values.map { Foundation.tanh($0) }, shape: [4], within: 1e-6)
  let sigmoid = values.map { 1 / (1 + Foundation.exp(-$0)) }
  try expectEqual(tensor.sigmoid(), sigmoid, shape: [4], within: 1e-6)
  let signed = try tensor - 2
  try expectEqual(signed.relu(), [0, 0, 0.5, 5], shape: [4], within: 1e-6)
  try expectEqual(signed.leakyRelu(slope: 0.1), [-0.19, -0.1, 0.5, 5], shape: [4], within: 1e-6)
  try expectEqual(signed.abs(), [1.9, 1, 0.5, 5], shape: [4], within: 1e-6)
  try expectEqual(signed.clamped(to: -1...1), [-1, -1, 0.5, 1], shape: [4], within: 1e-6)
}

@Test func softmaxSumsToOneAndMatchesItsLogarithm() throws {
  let tensor = try Tensor.normal([3, 4, 5], deviation: 20, seed: 2)
  for axis in [0, 1, -1] {
    let softmax = try tensor.softmax(axis: axis)
    let sums = try softmax.sum(axes: [axis]).floats()
    #expect(sums.allSatisfy { abs($0 - 1) < 1e-5 })
    #expect(try distance(tensor.logSoftmax(axis: axis).exp().floats(), softmax.floats()) < 1e-5)
    let shifted = try tensor - tensor.logSumExp(axes: [axis], keepingAxes: true)
    #expect(try distance(shifted.floats(), tensor.logSoftmax(axis: axis).floats()) < 1e-4)
  }
}

@Test func matricesMultiplyAsInALoop() throws {
  let (left, right) = (try Tensor.normal([3, 4], seed: 1), try Tensor.normal([4, 5], seed: 2))
  let (l, r) = (try left.floats(), try right.floats())
  var expected: [Float] = []
  for i in 0..<3 {
    for j in 0..<5 { expected.append((0..<4).map { l[i * 4 + $0] * r[$0 * 5 + j] }.reduce(0, +)) }
  }
  try expectEqual(left.matmul(right), expected, shape: [3, 5], within: 1e-5)
  let batch = try Tensor.stack([left, left]).matmul(right)
  try expectEqual(batch, expected + expected, shape: [2, 3, 5], within: 1e-5)
}

@Test func whatIsSolvedGivesTheProductAgain() throws {
  let root = try Tensor.normal([4, 4], seed: 3)
  let matrix = try root.matmul(root.transposed())
  let product = try Tensor.normal([4, 3], seed: 4)
  let solution = try matrix.solved(for: product)
  #expect(solution.shape == [4, 3])
  let again = try matrix.matmul(solution)
  #expect(try distance(again.floats(), product.floats()) < 1e-3)
  let ridged = try matrix.solved(for: product, ridge: 0.5)
  let sum = try matrix.matmul(ridged) + ridged * 0.5
  #expect(try distance(sum.floats(), product.floats()) < 1e-3)
  #expect(throws: TensorError.self) { try (-matrix).solved(for: product) }
  #expect(throws: TensorError.self) { try matrix.solved(for: product.transposed()) }
}

@Test func reductionsGoOverTheNamedAxes() throws {
  let tensor = try Tensor([1, 2, 3, 4, 5, 9], shape: [2, 3])
  try expectEqual(tensor.sum(), [24], shape: [])
  try expectEqual(tensor.sum(axes: [0]), [5, 7, 12], shape: [3])
  try expectEqual(tensor.sum(axes: [1], keepingAxes: true), [6, 18], shape: [2, 1])
  try expectEqual(tensor.mean(axes: [-1]), [2, 6], shape: [2])
  try expectEqual(tensor.variance(axes: [1]), [2.0 / 3, 14.0 / 3], shape: [2], within: 1e-6)
  try expectEqual(tensor.variance(axes: [1], unbiased: true), [1, 7], shape: [2], within: 1e-6)
  try expectEqual(tensor.max(axes: [0]), [4, 5, 9], shape: [3])
  try expectEqual(tensor.min(axes: [0, 1]), [1], shape: [])
  try expectEqual(tensor.norm(), [Float(136).squareRoot()], shape: [], within: 1e-5)
  let rows: [[Double]] = [[1, 2, 3], [4, 5, 9]]
  let sums = rows.map { row in Float(Foundation.log(row.map { Foundation.exp($0) }.reduce(0, +))) }
  try expectEqual(tensor.logSumExp(axes: [1]), sums, shape: [2], within: 1e-5)
  #expect(try tensor.argmax(axis: 1).integers() == [2, 2])
  #expect(try tensor.argmax(axis: 0, keepingAxis: true).shape == [1, 3])
}

@Test func theLargestComeFirstWithTheirPlaces() throws {
  let (values, indices) = try Tensor([3, 9, 1, 7], shape: [4]).largest(2)
  #expect(try values.floats() == [9, 7] && indices.integers() == [1, 3])
}

@Test func classesAreCounted() throws {
  let labels = try Tensor([2, 0, 2, 2] as [UInt8], shape: [4])
  #expect(try labels.binCount(classes: 5).integers() == [1, 0, 3, 0, 0])
}

@Test func masksChooseFillAndSelect() throws {
  let (x, y) = (try Tensor([1, 2, 3], shape: [3]), try Tensor([4, 5, 6], shape: [3]))
  let mask = try Tensor([1, 0, 255] as [UInt8], shape: [3])
  #expect(try Tensor.choose(where: mask, x, otherwise: y).floats() == [1, 5, 3])
  #expect(try x.filled(with: -1, where: mask).floats() == [-1, 2, -1])
  #expect(try x.elements(where: mask).floats() == [1, 3])
}

@Test(arguments: [Float.nan, .infinity, -.infinity])
func oneBadElementIsNotFinite(value: Float) throws {
  #expect(try Tensor([1, -Float.greatestFiniteMagnitude, 0], shape: [3]).isFinite())
  #expect(try !Tensor([1, value, 0], shape: [3]).isFinite())
  #expect(try Tensor([1] as [UInt8], shape: [1]).isFinite())
}
