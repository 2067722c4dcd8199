// SPDX-License-Identifier: Apache-2.0

import Layers
import Tensors
import Testing

struct LayersTests {
  /// Normalisation is frozen with its weight: its statistics stay, and are what it uses.
  @Test func aFrozenNormalisationKeepsItsStatistics() throws {
    let parameters = Parameters(seed: 1)
    let layer = try BatchNorm2d(2, in: parameters.root)
    try layer.runningMean.assign(Tensor([1, 2], shape: [2]))
    let input = try Tensor.normal([2, 2, 3, 3], seed: 2)
    let used = try layer(input).floats()
    #expect(try layer(input, in: .training(seed: 3)).floats() == used)
    #expect(try layer.runningMean.floats() == [1, 2])
    #expect(try layer.runningVariance.floats() == [1, 1])
    try layer.weight.setRequiresGradient(true)
    #expect(try layer(input, in: .training(seed: 3)).floats() != used)
    #expect(try layer.runningMean.floats() != [1, 2])
  }

  @Test func oneNumberAChannelHasNoStatistics() throws {
    let layer = try BatchNorm2d(2, in: Parameters(seed: 1).root)
    try layer.weight.setRequiresGradient(true)
    let error = try #require(throws: TensorError.self) {
      try layer(.zeros([1, 2, 1, 1]), in: .training(seed: 1))
    }
    #expect(error.code == .badShape && error.message.contains("[1, 2, 1, 1]"))
    #expect(try layer.runningVariance.floats() == [1, 1])
  }

  @Test func dropoutKeepsTheMeanAndIsDoneWhenTrainingIs() throws {
    let (layer, input) = (Dropout(0.3), try Tensor.ones([1, 4, 50, 50]))
    #expect(try layer(input).floats() == input.floats())
    let pass = ForwardContext.training(seed: 5)
    let (first, second) = (try layer(input, in: pass), try layer(input, in: pass))
    #expect(try Set(first.floats()) == [0, 1 / 0.7])
    #expect(try abs(first.mean().item() - 1) < 0.03)
    #expect(try first.floats() != second.floats())
    #expect(try layer(input, in: .training(seed: 5)).floats() == first.floats())
  }

  /// Long et al., CVPR 2015: what such a layer starts from is bilinear interpolation.
  @Test(arguments: [2, 4], [1, 3])
  func bilinearWeightsUpsampleARampExactlyInside(stride: Int, groups: Int) throws {
    let layer = try ConvTranspose2d(
      3, 3, kernel: Extent(2 * stride), stride: Extent(stride), padding: Extent(stride / 2),
      groups: groups, bias: false, initialisation: .bilinear, in: Parameters(seed: 1).root)
    let (height, width) = (5, 6)
    func ramp(_ c: Int, _ y: Float, _ x: Float) -> Float { Float(c) + 3 * y - 2 * x }
    let values = (0..<3).flatMap { c in
      (0..<height).flatMap { y in (0..<width).map { ramp(c, Float(y), Float($0)) } }
    }
    let output = try layer(Tensor(values, shape: [1, 3, height, width]))
    #expect(output.shape == [1, 3, height * stride, width * stride])
    let numbers = try output.floats()
    func centre(_ index: Int) -> Float { (Float(index) + 0.5) / Float(stride) - 0.5 }
    for c in 0..<3 {
      for y in stride..<(height - 1) * stride {
        for x in stride..<(width - 1) * stride {
          let number = numbers[(c * height * stride + y) * width * stride + x]
          #expect(abs(number - ramp(c, centre(y), centre(x))) < 1e-4)
        }
      }
    }
  }

  private static let variances: [(Initialisation, Double)] = [
    (.heNormal, 2.0 / 576), (.heNormalFanIn(slope: 0.1), 2.0 / 1.01 / 288),
    (.glorotUniform, 2.0 / 864), (.normal(deviation: 0.01), 1e-4),
  ]

  @Test(arguments: variances)
  func drawsHaveTheVarianceOfThePaper(initialisation: Initialisation, variance: Double) throws {
    let layer = try Conv2d(
      32, 64, kernel: 3, initialisation: initialisation, in: Parameters(seed: 9).root)
    #expect(try abs(Double(layer.weight.variance().item()) / variance - 1) < 0.03)
    #expect(try abs(layer.weight.mean().item()) < 0.03 * Float(variance.squareRoot()))
    #expect(try layer.bias?.floats() == [Float](repeating: 0, count: 64))
  }

  @Test func workIsCountedAsTheLoopsWouldTakeIt() throws {
    let (ledger, parameters) = (MACCounter(), Parameters(seed: 1))
    let pass = ForwardContext.counting(in: ledger)
    let convolution = try Conv2d(6, 4, kernel: 3, stride: 2, groups: 2, in: parameters.root["a"])
    let output = try convolution(.zeros([2, 6, 7, 9]), in: pass)
    #expect(ledger.macs == 2 * 4 * (4 * 5) * 3 * 9)
    let transposed = try ConvTranspose2d(
      4, 6, kernel: 4, stride: 2, padding: 1, in: parameters.root["b"])
    let before = ledger.macs
    _ = try transposed(output, in: pass)
    #expect(ledger.macs - before == 2 * 4 * (4 * 5) * 6 * 16)
    let middle = ledger.macs
    _ = try output.resized(height: 4, width: 5, in: pass)
    #expect(ledger.macs == middle)
    _ = try output.resized(height: 8, width: 5, in: pass)
    #expect(ledger.macs - middle == 4 * 2 * 4 * 8 * 5)
  }

  @Test(arguments: [true, false])
  func aFoldedBlockGivesTheSame(isRectified: Bool) throws {
    let parameters = Parameters(seed: 1)
    let block = try ConvolutionBlock(
      4, 6, kernel: 3, stride: 2, groups: 2, rectified: isRectified, in: parameters.root)
    for (seed, parameter) in parameters.all.enumerated() where parameter.name != "conv.weight" {
      try parameter.tensor.assign(
        .uniform(parameter.tensor.shape, in: 0.5..<2, seed: UInt64(seed)))
    }
    let input = try Tensor.normal([2, 4, 7, 9], seed: 2)
    let (whole, folded) = (try block(input), try block.folded()(input))
    #expect(try block.folded().normalisation == nil)
    #expect(try (whole - folded).abs().max().item() < 1e-5)
    #expect(try (folded.min().item() >= 0) == isRectified)
  }
}
