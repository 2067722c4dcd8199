// SPDX-License-Identifier: Apache-2.0

public import Tensors

/// A convolution without bias, its normalisation and, as a rule, a rectifier: `conv` and `bn`.
public struct ConvolutionBlock: Layer {
  public let convolution: Conv2d
  public let normalisation: BatchNorm2d

  public init(
    _ inputs: Int, _ outputs: Int, kernel: Extent, stride: Extent = 1, dilation: Extent = 1,
    groups: Int = 1, rectified: Bool = true, in scope: ParameterScope
  ) throws {
    convolution = try Conv2d(
      inputs, outputs, kernel: kernel, stride: stride, dilation: dilation, groups: groups,
      bias: false, in: scope["conv"])
    normalisation = try BatchNorm2d(outputs, rectified: rectified, in: scope["bn"])
  }

  public func callAsFunction(_ input: Tensor, in pass: Pass) throws(TensorError) -> Tensor {
    try normalisation(convolution(input, in: pass), in: pass)
  }
}
