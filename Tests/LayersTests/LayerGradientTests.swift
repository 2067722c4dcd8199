// SPDX-License-Identifier: Apache-2.0

import Layers
import Tensors
import Testing

/// A layer, what it is applied to, and in what kind of pass.
private struct Case: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let shape: Shape
  var isFrozen = false
  let make: @Sendable (ParameterScope) throws -> any Layer

  init(
    _ name: String, _ shape: Shape, frozen: Bool = false,
    _ make: @escaping @Sendable (ParameterScope) throws -> any Layer
  ) {
    (testDescription, self.shape, isFrozen, self.make) = (name, shape, frozen, make)
  }
}

private let cases = [
  Case("Conv2d", [2, 4, 5, 6]) {
    try Conv2d(4, 6, kernel: 3, stride: 2, dilation: 2, groups: 2, in: $0)
  },
  Case("ConvTranspose2d", [1, 4, 3, 2]) {
    try ConvTranspose2d(4, 2, kernel: 4, stride: 2, padding: 1, groups: 2, in: $0)
  },
  Case("BatchNorm2d", [2, 3, 3, 2]) { try BatchNorm2d(3, in: $0) },
  Case("BatchNorm2d, frozen and rectified", [2, 3, 3, 2], frozen: true) {
    try BatchNorm2d(3, rectified: true, in: $0)
  },
  Case("ConvolutionBlock", [2, 2, 4, 4]) {
    // A rectifier has a kink, which differences may step over.
    try ConvolutionBlock(2, 3, kernel: 3, rectified: false, in: $0)
  },
  Case("LeakyReLU", [1, 2, 3, 3]) { _ in LeakyReLU(slope: 0.2) },
  Case("Dropout", [1, 2, 4, 4]) { _ in Dropout(0.4) },
  Case("Pool2d, largest", [1, 2, 5, 5]) { _ in Pool2d(.largest, size: 3, stride: 2, padding: 1) },
  Case("Pool2d, mean", [1, 2, 4, 6]) { _ in Pool2d(.mean, size: 2) },
  Case("AdaptiveAveragePool2d", [1, 2, 5, 7]) { _ in AdaptiveAveragePool2d(3) },
  Case("resizing", [1, 2, 3, 4]) { _ in Resizing() },
  Case("Sequential", [2, 3, 4, 4]) {
    Sequential([try Conv2d(3, 2, kernel: 3, in: $0["0"]), try BatchNorm2d(2, in: $0["1"])])
  },
]

private struct Resizing: Layer {
  func callAsFunction(_ input: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor {
    try input.resized(height: 5, width: 3, in: pass)
  }
}

/// Of the input and of every parameter, along random directions.
@Test(arguments: cases)
private func gradientsOfALayerEqualFiniteDifferences(of example: Case) throws {
  let parameters = Parameters(seed: 3)
  let layer = try example.make(parameters.root)
  let learned = parameters.all.filter { $0.kind != .statistic }.map(\.tensor)
  for tensor in learned {  // Away from the ones and zeros that normalisations start with.
    try tensor.addInPlace(.normal(tensor.shape, deviation: 0.3, seed: 5))
    try tensor.setRequiresGradient(!example.isFrozen)
  }
  let input = try Tensor.normal(example.shape, seed: 11).requiringGradient()
  func output() throws -> Tensor { try layer(input, in: .training(seed: 7)) }
  let weights = try Tensor.normal(output().shape, seed: 13)
  let leaves = [input] + (example.isFrozen ? [] : learned)
  let slopes = try gradients(of: (output() * weights).sum(), withRespectTo: leaves)
  let step = 1e-2
  for (leaf, slope) in zip(leaves, slopes) {
    for seed in UInt64(20)..<24 {
      let direction = try Tensor.normal(leaf.shape, seed: seed)
      let original = try leaf.detached() + 0
      let ends = try [step, -step].map { (offset) in
        try leaf.assign(original)
        try leaf.addInPlace(direction, scale: offset)
        return try (output() * weights).sum().item()
      }
      try leaf.assign(original)
      let difference = (ends[0] - ends[1]) / Float(2 * step)
      let expected = try (slope * direction).sum().item()
      #expect(abs(expected - difference) < 3e-2 * max(1, abs(difference)))
    }
  }
}
