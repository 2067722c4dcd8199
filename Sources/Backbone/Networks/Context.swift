// SPDX-License-Identifier: Apache-2.0

internal import Layers
internal import Tensors

/// What gives each cell of the coarsest features a view of their surroundings.
public enum ContextKind: Hashable, Sendable {
  /// A 1×1 convolution: no surroundings, as in FCN.
  case linear
  /// Means over grids of 1, 2, 3 and 6 cells each way (PSPNet, Zhao et al., CVPR 2017).
  case pyramid(bins: [Int])
  /// Convolutions of several dilations and the mean of all (ASPP: DeepLabv3, Chen et al., 2017).
  case atrous(rates: [Int])
}

/// Pyramid pooling: the input, and its means over grids of several sizes, fused by a 3×3
/// convolution.
///
/// N × inputs × H × W to N × outputs × H × W; each mean has inputs / bins channels. Means are not
/// normalised: a grid of one cell has no more of them than the batch has images.
struct PyramidPooling: Layer {
  let bins: [Int]
  let branches: [Conv2d]
  private(set) var fusion: ConvolutionBlock

  init(_ inputs: Int, _ outputs: Int, bins: [Int], in scope: ParameterScope) throws {
    let width = max(1, inputs / bins.count)
    self.bins = bins
    branches = try bins.indices.map {
      try Conv2d(inputs, width, kernel: 1, in: scope["branches"][$0])
    }
    fusion = try ConvolutionBlock(
      inputs + width * bins.count, outputs, kernel: 3, in: scope["fusion"])
  }

  func folded() throws(TensorError) -> PyramidPooling {
    var pooling = self
    pooling.fusion = try fusion.folded()
    return pooling
  }

  func callAsFunction(_ input: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor {
    var parts = [input]
    for (bins, branch) in zip(bins, branches) {
      let means = try input.cast(to: .float32).adaptiveAveragePool(Extent(bins))
      let part = try branch(means, in: pass).relu().resized(like: input, in: pass)
      parts.append(try part.cast(to: input.type))
    }
    return try fusion(.concatenate(parts, axis: 1), in: pass)
  }
}

/// Atrous spatial pyramid pooling: a 1×1 convolution, 3×3 ones of several dilations and the mean of
/// all, fused by a 1×1 convolution.
struct AtrousPooling: Layer {
  private(set) var branches: [ConvolutionBlock]
  let mean: Conv2d
  private(set) var fusion: ConvolutionBlock

  init(_ inputs: Int, _ outputs: Int, rates: [Int], in scope: ParameterScope) throws {
    var branches = [try ConvolutionBlock(inputs, outputs, kernel: 1, in: scope["branches"][0])]
    for (index, rate) in rates.enumerated() {
      branches.append(
        try ConvolutionBlock(
          inputs, outputs, kernel: 3, dilation: Extent(rate), in: scope["branches"][index + 1]))
    }
    self.branches = branches
    mean = try Conv2d(inputs, outputs, kernel: 1, in: scope["mean"])
    fusion = try ConvolutionBlock(
      outputs * (branches.count + 1), outputs, kernel: 1, in: scope["fusion"])
  }

  func folded() throws(TensorError) -> AtrousPooling {
    var pooling = self
    pooling.branches = try branches.map { (branch) throws(TensorError) in try branch.folded() }
    pooling.fusion = try fusion.folded()
    return pooling
  }

  func callAsFunction(_ input: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor {
    var parts: [Tensor] = []
    for branch in branches { parts.append(try branch(input, in: pass)) }
    let means = try mean(input.cast(to: .float32).adaptiveAveragePool(1), in: pass).relu()
    parts.append(
      try means.expanded(to: [input.shape[0], means.shape[1], input.shape[2], input.shape[3]]))
    return try fusion(.concatenate(parts, axis: 1), in: pass)
  }
}

extension ContextKind {
  func layer(_ inputs: Int, _ outputs: Int, in scope: ParameterScope) throws -> any Layer {
    switch self {
    case .linear: try ConvolutionBlock(inputs, outputs, kernel: 1, in: scope)
    case .pyramid(let bins): try PyramidPooling(inputs, outputs, bins: bins, in: scope)
    case .atrous(let rates): try AtrousPooling(inputs, outputs, rates: rates, in: scope)
    }
  }
}
