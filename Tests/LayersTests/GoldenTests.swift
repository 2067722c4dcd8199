// SPDX-License-Identifier: Apache-2.0

import Layers
import Tensors
import Testing

struct GoldenTests {
  private let golden: Golden
  private let input: Tensor

  init() throws {
    golden = try Golden()
    input = try golden.tensor("input")
  }

  @Test func aConvolutionIsPyTorchs() throws {
    try check("convolution") {
      try Conv2d(
        6, 4, kernel: Extent(height: 3, width: 5), stride: Extent(height: 2, width: 1),
        padding: Extent(height: 1, width: 2), dilation: Extent(height: 1, width: 2), groups: 2,
        in: $0)
    }
  }

  @Test func aTransposedConvolutionIsPyTorchs() throws {
    try check("transposed") {
      try ConvTranspose2d(4, 6, kernel: 4, stride: 2, padding: 1, groups: 2, in: $0)
    }
  }

  @Test func aNormalisationIsPyTorchsInUseAndInTraining() throws {
    try check("normalisation", trained: "normalisation.trained") { try BatchNorm2d(3, in: $0) }
  }

  @Test func poolingIsPyTorchs() throws {
    try golden.expect(Pool2d(.largest, size: 3, stride: 2, padding: 1)(input), is: "largest")
    try golden.expect(Pool2d(.mean, size: Extent(height: 2, width: 3))(input), is: "mean")
    try golden.expect(
      AdaptiveAveragePool2d(Extent(height: 3, width: 4))(input), is: "adaptive")
  }

  @Test func leakyRectifiersArePyTorchs() throws {
    try golden.expect(LeakyReLU(slope: 0.1)(input), is: "leaky")
  }

  @Test func bothGridsOfResizingArePyTorchs() throws {
    try golden.expect(input.resized(height: 15, width: 4, in: .inference), is: "halfPixel")
    try golden.expect(
      input.resizedBilinear(height: 15, width: 4, grid: .alignCorners), is: "alignCorners")
  }

  /// What the layer gives in use and in training, every gradient, and the statistics afterwards.
  private func check(
    _ name: String, trained: String? = nil, _ make: (ParameterScope) throws -> any Layer
  ) throws {
    let parameters = try golden.parameters(name)
    let layer = try make(parameters.root)
    let leaf = try golden.tensor("\(name).input").requiringGradient()
    try golden.expect(layer(leaf), is: "\(name).output")
    try parameters.recordGradients()
    let output = try layer(leaf, in: .training(seed: 1))
    try golden.expect(output, is: trained ?? "\(name).output")
    try (output * golden.tensor("\(name).direction")).sum().backward()
    try golden.expect(leaf.gradient(), is: "\(name).gradient.input")
    for parameter in parameters.all {
      if parameter.kind == .statistic {
        try golden.expect(parameter.tensor, is: "\(name).after.\(parameter.name)")
      } else {
        try golden.expect(parameter.tensor.gradient(), is: "\(name).gradient.\(parameter.name)")
      }
    }
  }
}
