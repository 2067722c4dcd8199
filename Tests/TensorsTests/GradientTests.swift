// SPDX-License-Identifier: Apache-2.0
import Tensors
import Testing

/// A function of one tensor to a number, and a shape to try it on.
private struct Case: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let shape: Shape
  let loss: @Sendable (Tensor) throws -> Tensor
  init(_ name: String, _ shape: Shape, _ loss: @escaping @Sendable (Tensor) throws -> Tensor) {
    (testDescription, self.shape, self.loss) = (name, shape, loss)
  }
}

private let cases: [Case] = [
  Case("square", [3]) { try ($0 * $0).sum() },
  Case("quotient", [4]) { try (1 / ($0 * $0 + 1)).sum() },
  Case("softmax", [2, 3]) { try $0.softmax(axis: 1).power(2).sum() },
  Case("logSumExp", [2, 3]) { try $0.logSumExp(axes: [1]).sum() },
  Case("tanh", [4]) { try $0.tanh().sum() },
  Case("matmul", [2, 3]) { try $0.matmul($0.transposed()).power(2).mean() },
  Case("conv2d weight", [2, 1, 3, 3]) { weight in
    try Tensor.normal([1, 1, 5, 5], seed: 7).conv2d(weight, stride: 2, padding: 1).power(2).sum()
  },
  Case("conv2d input", [1, 2, 4, 4]) { input in
    let weight = try Tensor.normal([2, 1, 3, 3], seed: 8)
    return try input.conv2d(weight, padding: 2, dilation: 2, groups: 2).power(2).sum()
  },
  Case("convTranspose2d", [1, 2, 2, 2]) { input in
    try input.convTranspose2d(Tensor.normal([2, 1, 3, 3], seed: 9), stride: 2).power(2).sum()
  },
  Case("bilinear", [1, 1, 3, 4]) { input in
    try input.resizedBilinear(height: 5, width: 7, grid: .halfPixel).power(2).sum()
  },
  Case("crossEntropy", [2, 3, 2]) { logits in
    try logits.crossEntropy(Tensor([0, 2, 255, 1] as [UInt8], shape: [2, 2]), ignoring: 255)
  },
  Case("batchNorm", [2, 2, 2, 2]) { input in
    let normal = try input.trainingBatchNorm(
      runningMean: nil, runningVariance: nil, weight: nil, bias: nil)
    return try (normal * Tensor.normal([2, 2, 2, 2], seed: 3)).sum()
  },
  Case("concatenate and slice", [2, 3]) { input in
    try Tensor.concatenate([input, input * 2], axis: 0).slice(axis: 0, 1..<3).power(2).sum()
  },
]

@Test(arguments: cases)
private func gradientsEqualFiniteDifferences(of example: Case) throws {
  let point = try Tensor.normal(example.shape, seed: 11)
  let leaf = try point.requiringGradient()
  let gradient = try gradients(of: example.loss(leaf), withRespectTo: [leaf])[0].floats()
  let (values, step) = (try point.floats(), Float(1e-2))
  for index in values.indices {
    let ends = try [step, -step].map { offset in
      var moved = values
      moved[index] += offset
      return try example.loss(Tensor(moved, shape: example.shape)).item()
    }
    let difference = (ends[0] - ends[1]) / (2 * step)
    #expect(abs(gradient[index] - difference) < 2e-2 * max(1, abs(difference)))
  }
}

@Test func backwardAccumulatesUntilItIsCleared() throws {
  let leaf = try Tensor([3], shape: [1]).requiringGradient()
  #expect(try leaf.requiresGradient && leaf.gradient() == nil)
  try (leaf * leaf).sum().backward()
  try (leaf * leaf).sum().backward()
  #expect(try leaf.gradient()?.floats() == [12])
  try leaf.clearGradient()
  #expect(try leaf.gradient() == nil)
}

@Test func whatALossDoesNotDependOnHasGradientZero() throws {
  let (used, unused) = (
    try Tensor([2], shape: [1]).requiringGradient(), try Tensor.ones([2, 2]).requiringGradient()
  )
  let both = try gradients(of: (used * 3).sum(), withRespectTo: [used, unused])
  #expect(try both[0].floats() == [3] && both[1].floats() == [0, 0, 0, 0])
  #expect(try used.gradient() == nil)
}

@Test func detachedTensorsAreCutOff() throws {
  let leaf = try Tensor([2], shape: [1]).requiringGradient()
  #expect(try !(leaf * 2).detached().requiresGradient)
}

private struct Interruption: Error {}

@Test func withoutGradientsRestoresWhatWasBefore() throws {
  let leaf = try Tensor([2], shape: [1]).requiringGradient()
  try withoutGradients {
    #expect(try !(leaf * 2).requiresGradient)
    let inner = try withoutGradients { try leaf * 2 }
    #expect(!inner.requiresGradient)
    #expect(try !(leaf * 2).requiresGradient)
  }
  #expect(try (leaf * 2).requiresGradient)
  #expect(throws: Interruption.self) { try withoutGradients { throw Interruption() } }
  #expect(try (leaf * 2).requiresGradient)
}

@Test func updatesInPlaceReachTheParameter() throws {
  let parameter = try Tensor([1, 2], shape: [2]).requiringGradient()
  try (parameter * parameter).sum().backward()
  let gradient = try #require(try parameter.gradient())
  try parameter.addInPlace(gradient, scale: -0.25)
  #expect(try parameter.floats() == [0.5, 1] && parameter.requiresGradient)
  try parameter.assign(Tensor([7, 8], shape: [2]))
  #expect(try parameter.floats() == [7, 8])
  #expect(throws: TensorError.self) { try parameter.assign(Tensor([7], shape: [1])) }
}

@Test func whatAnOptimiserWritesStaysInItsParameter() throws {
  let stored = try Tensor([1.0, 2, 3], shape: [3])
  let parameter = try stored.requiringGradient()
  try parameter.assign(Tensor([7.0, 8, 9], shape: [3]))
  #expect(try parameter.floats() == [7, 8, 9])
  #expect(try stored.floats() == [1, 2, 3])
}
