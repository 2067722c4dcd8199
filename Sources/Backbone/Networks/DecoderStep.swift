// SPDX-License-Identifier: Apache-2.0

internal import Layers
internal import Tensors

/// Brings coarse features to the grid of finer ones, adds those, and convolves the sum.
///
/// The finer ones pass a 1×1 convolution first, so that both have as many channels.
struct DecoderStep: Sendable {
  /// Which stage of the encoder gives the finer features.
  let stage: Int
  private(set) var lateral: ConvolutionBlock
  private(set) var fusion: ConvolutionBlock

  init(
    from stage: Int, fine: Int, coarse: Int, outputs: Int, in scope: ParameterScope
  ) throws {
    self.stage = stage
    lateral = try ConvolutionBlock(fine, coarse, kernel: 1, rectified: false, in: scope["lateral"])
    fusion = try ConvolutionBlock(coarse, outputs, kernel: 3, in: scope["fusion"])
  }

  func folded() throws(TensorError) -> DecoderStep {
    var step = self
    (step.lateral, step.fusion) = (try lateral.folded(), try fusion.folded())
    return step
  }

  func callAsFunction(
    _ coarse: Tensor, joining fine: Tensor, in pass: ForwardContext
  ) throws(TensorError) -> Tensor {
    let side = try lateral(fine, in: pass)
    return try fusion(
      side.addingRectified(coarse.resized(like: side, in: pass).cast(to: side.type)), in: pass)
  }
}
