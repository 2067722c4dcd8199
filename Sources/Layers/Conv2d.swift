// SPDX-License-Identifier: Apache-2.0

public import Tensors

/// A convolution of N × inputs × H × W, with parameters `weight` and, where it has one, `bias`.
///
/// The usual padding is the one that keeps the size at a stride of 1.
public struct Conv2d: Layer {
  /// outputs × inputs/groups × kernel height × kernel width.
  public let weight: Tensor
  /// One number an output channel; nil for a convolution without.
  public let bias: Tensor?
  /// Cells from one window to the next, cells of zeros around the input, cells between kernel taps.
  public let stride: Extent, padding: Extent, dilation: Extent
  /// Into how many parts channels are divided, each convolved by itself; 1 for all together.
  public let groups: Int
  /// Whether what is below zero becomes zero, which costs nothing here.
  public let isRectified: Bool

  /// A convolution whose parameters are drawn or read in `scope`; `groups` divides both counts of
  /// channels.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Extent, stride: Extent = 1, padding: Extent? = nil,
    dilation: Extent = 1, groups: Int = 1, bias: Bool = true,
    initialisation: Initialisation = .heNormal, in scope: ParameterScope
  ) throws {
    precondition(
      groups >= 1 && inputs % groups == 0 && outputs % groups == 0,
      "\(inputs) and \(outputs) channels in \(groups) groups")
    let shape: Shape = [outputs, inputs / groups, kernel.height, kernel.width]
    weight = try scope.parameter("weight", shape, .weight, initialisation)
    self.bias = bias ? try scope.parameter("bias", [outputs], .offset, .constant(0)) : nil
    self.padding =
      padding
      ?? Extent(
        height: (kernel.height - 1) / 2 * dilation.height,
        width: (kernel.width - 1) / 2 * dilation.width)
    (self.stride, self.dilation, self.groups) = (stride, dilation, groups)
    isRectified = false
  }

  private init(_ other: Conv2d, weight: Tensor, bias: Tensor, rectified: Bool) {
    (self.weight, self.bias, isRectified) = (weight, bias, rectified)
    (stride, padding, dilation, groups) = (
      other.stride, other.padding, other.dilation, other.groups
    )
  }

  /// The convolution that does what this one and then `normalisation` do, by running statistics.
  ///
  /// - Precondition: there is no rectifier between the two.
  func scaled(by normalisation: BatchNorm2d) throws(TensorError) -> Conv2d {
    precondition(!isRectified, "a rectifier stands between convolution and normalisation")
    let (scale, shift) = try normalisation.affine()
    let offset = try bias.map { (bias) throws(TensorError) in try bias * scale + shift } ?? shift
    let factors = try scale.reshaped(to: [scale.count, 1, 1, 1])
    return Conv2d(
      self, weight: try weight * factors, bias: offset, rectified: normalisation.isRectified)
  }

  /// N × inputs × H × W convolved, at the pass's precision; the ledger is told the MACs.
  public func callAsFunction(_ input: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor
  {
    let output = try input.cast(to: pass.precision).conv2d(
      weight.cast(to: pass.precision), bias: bias?.cast(to: pass.precision), stride: stride,
      padding: padding, dilation: dilation, groups: groups, rectified: isRectified)
    pass.ledger?.add(macs: output.count * (weight.count / weight.shape[0]))
    return output
  }
}

/// What a convolution does to gradients, as a layer: N × inputs × H × W become larger by the
/// stride.
///
/// With an even stride, a kernel of 2 · stride and a padding of stride / 2 the size is multiplied
/// by the stride.
public struct ConvTranspose2d: Layer {
  /// inputs × outputs/groups × kernel height × kernel width.
  public let weight: Tensor
  /// One number an output channel; nil for a convolution without.
  public let bias: Tensor?
  /// Cells between the places of two inputs in the output, and cells cut off around it.
  public let stride: Extent, padding: Extent
  /// Into how many parts channels are divided; 1 for all together.
  public let groups: Int

  /// A layer whose parameters are drawn or read in `scope`; `groups` divides both counts of
  /// channels.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Extent, stride: Extent, padding: Extent,
    groups: Int = 1, bias: Bool = true, initialisation: Initialisation = .heNormal,
    in scope: ParameterScope
  ) throws {
    precondition(
      groups >= 1 && inputs % groups == 0 && outputs % groups == 0,
      "\(inputs) and \(outputs) channels in \(groups) groups")
    let shape: Shape = [inputs, outputs / groups, kernel.height, kernel.width]
    weight = try scope.parameter("weight", shape, .weight, initialisation)
    self.bias = bias ? try scope.parameter("bias", [outputs], .offset, .constant(0)) : nil
    (self.stride, self.padding, self.groups) = (stride, padding, groups)
  }

  /// N × inputs × H × W made larger, always in single precision; the ledger is told the MACs.
  public func callAsFunction(_ input: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor
  {
    pass.ledger?.add(macs: input.count * (weight.count / weight.shape[0]))
    // In single precision always: in another, LibTorch 1.13 takes inputs for outputs.
    return try input.cast(to: .float32).convTranspose2d(
      weight, bias: bias, stride: stride, padding: padding, groups: groups
    ).cast(to: pass.precision)
  }
}
