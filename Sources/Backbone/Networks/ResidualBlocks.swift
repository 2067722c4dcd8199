// SPDX-License-Identifier: Apache-2.0

internal import Layers
internal import Tensors

/// What a residual block is made for.
struct BlockShape {
  let inputs: Int, width: Int, outputs: Int
  /// Of the first 3×3 convolution.
  let stride: Int
  /// Of all 3×3 convolutions.
  let dilation: Int
}

/// The input, plus what two convolutions make of it (He et al., figure 5 left).
struct BasicBlock: Layer {
  let first: ConvolutionBlock, second: ConvolutionBlock
  let shortcut: ConvolutionBlock?

  func callAsFunction(_ input: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor {
    let residual = try second(first(input, in: pass), in: pass)
    let kept = try shortcut?(input, in: pass) ?? input
    return try residual.addingRectified(kept.cast(to: residual.type))
  }

  func folded() throws(TensorError) -> BasicBlock {
    BasicBlock(
      first: try first.folded(), second: try second.folded(), shortcut: try shortcut?.folded())
  }
}

extension BasicBlock {
  init(_ shape: BlockShape, in scope: ParameterScope) throws {
    let conv1 = try Conv2d(
      shape.inputs, shape.width, kernel: 3, stride: Extent(shape.stride),
      dilation: Extent(shape.dilation), bias: false, in: scope["conv1"])
    let bn1 = try ConvolutionBlock(normalising: conv1, in: scope["bn1"])
    let conv2 = try Conv2d(
      shape.width, shape.outputs, kernel: 3, dilation: Extent(shape.dilation), bias: false,
      in: scope["conv2"])
    self.init(
      first: bn1,
      second: try ConvolutionBlock(normalising: conv2, rectified: false, in: scope["bn2"]),
      shortcut: try makeShortcut(shape, in: scope["downsample"]))
  }
}

/// The input, plus what a narrow convolution between two 1×1 makes of it (He et al., figure 5
/// right).
///
/// The stride is taken by the 3×3, as in torchvision.
struct Bottleneck: Layer {
  let first: ConvolutionBlock, second: ConvolutionBlock, third: ConvolutionBlock
  let shortcut: ConvolutionBlock?

  func callAsFunction(_ input: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor {
    let residual = try third(second(first(input, in: pass), in: pass), in: pass)
    let kept = try shortcut?(input, in: pass) ?? input
    return try residual.addingRectified(kept.cast(to: residual.type))
  }

  func folded() throws(TensorError) -> Bottleneck {
    Bottleneck(
      first: try first.folded(), second: try second.folded(), third: try third.folded(),
      shortcut: try shortcut?.folded())
  }
}

extension Bottleneck {
  init(_ shape: BlockShape, in scope: ParameterScope) throws {
    let conv1 = try Conv2d(shape.inputs, shape.width, kernel: 1, bias: false, in: scope["conv1"])
    let bn1 = try ConvolutionBlock(normalising: conv1, in: scope["bn1"])
    let conv2 = try Conv2d(
      shape.width, shape.width, kernel: 3, stride: Extent(shape.stride),
      dilation: Extent(shape.dilation), bias: false, in: scope["conv2"])
    let bn2 = try ConvolutionBlock(normalising: conv2, in: scope["bn2"])
    let conv3 = try Conv2d(shape.width, shape.outputs, kernel: 1, bias: false, in: scope["conv3"])
    self.init(
      first: bn1, second: bn2,
      third: try ConvolutionBlock(normalising: conv3, rectified: false, in: scope["bn3"]),
      shortcut: try makeShortcut(shape, in: scope["downsample"]))
  }
}

/// What brings a block's input to the shape of its output; nil where it has it.
private func makeShortcut(
  _ shape: BlockShape, in scope: ParameterScope
) throws -> ConvolutionBlock? {
  guard shape.stride != 1 || shape.inputs != shape.outputs else { return nil }
  let convolution = try Conv2d(
    shape.inputs, shape.outputs, kernel: 1, stride: Extent(shape.stride), bias: false,
    in: scope[0])
  return try ConvolutionBlock(normalising: convolution, rectified: false, in: scope[1])
}
