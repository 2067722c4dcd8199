// SPDX-License-Identifier: Apache-2.0

public import Tensors

/// A convolution without bias, its normalisation and, as a rule, a rectifier.
public struct ConvolutionBlock: Layer {
  /// The convolution; once folded it scales, shifts and rectifies as well.
  public let convolution: Conv2d
  /// Nil once it is folded into the convolution.
  public let normalisation: BatchNorm2d?

  /// A block whose parts are called `conv` and `bn`.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Extent, stride: Extent = 1, dilation: Extent = 1,
    groups: Int = 1, rectified: Bool = true, in scope: ParameterScope
  ) throws {
    try self.init(
      normalising: Conv2d(
        inputs, outputs, kernel: kernel, stride: stride, dilation: dilation, groups: groups,
        bias: false, in: scope["conv"]),
      rectified: rectified, in: scope["bn"])
  }

  /// A block of a convolution and a normalisation made in `scope`.
  public init(
    normalising convolution: Conv2d, rectified: Bool = true, in scope: ParameterScope
  ) throws {
    self.convolution = convolution
    normalisation = try BatchNorm2d(convolution.weight.shape[0], rectified: rectified, in: scope)
  }

  private init(folded convolution: Conv2d) {
    (self.convolution, normalisation) = (convolution, nil)
  }

  /// N × inputs × H × W, convolved and then, unless it is folded, normalised.
  public func callAsFunction(_ input: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor
  {
    let output = try convolution(input, in: pass)
    return try normalisation?(output, in: pass) ?? output
  }

  /// The block as one convolution, by the running statistics.
  public func folded() throws(TensorError) -> ConvolutionBlock {
    guard let normalisation else { return self }
    return ConvolutionBlock(folded: try convolution.scaled(by: normalisation))
  }
}
