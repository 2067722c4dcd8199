// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// Two numbers, for the height and for the width.
public struct Extent: Sendable, Hashable, ExpressibleByIntegerLiteral {
  /// The number for the vertical axis, H.
  public let height: Int
  /// The number for the horizontal axis, W.
  public let width: Int

  /// An extent of two numbers, such as a kernel of 1 × 7; they are not checked.
  public init(height: Int, width: Int) { (self.height, self.width) = (height, width) }

  /// The same for both.
  public init(integerLiteral value: Int) { self.init(height: value, width: value) }

  var pair: (Int64, Int64) { (Int64(height), Int64(width)) }
}

// All of N × C × H × W.
extension Tensor {
  /// The cross-correlation with `weight` (out × in/groups × kernel height × kernel width).
  ///
  /// `rectified` sets what is then below zero to zero.
  public func conv2d(
    _ weight: Tensor, bias: Tensor? = nil, stride: Extent = 1, padding: Extent = 0,
    dilation: Extent = 1, groups: Int = 1, rectified: Bool = false
  ) throws(TensorError) -> Tensor {
    let window = ct_window(size: 1, stride: stride, padding: padding, dilation: dilation)
    return try shim {
      ct_conv2d(
        handle, weight.handle, bias?.handle, window, Int64(groups), rectified ? 1 : 0, &$0, &$1)
    }
  }

  /// What `conv2d` does to gradients, as a layer; `weight` is in × out/groups × height × width.
  public func convTranspose2d(
    _ weight: Tensor, bias: Tensor? = nil, stride: Extent = 1, padding: Extent = 0,
    outputPadding: Extent = 0, dilation: Extent = 1, groups: Int = 1
  ) throws(TensorError) -> Tensor {
    let window = ct_window(size: 1, stride: stride, padding: padding, dilation: dilation)
    let extra = [Int64(outputPadding.height), Int64(outputPadding.width)]
    return try shim {
      ct_conv_transpose2d(
        handle, weight.handle, bias?.handle, window, extra, Int64(groups), &$0, &$1)
    }
  }

  /// Each channel, brought to mean 0 and variance 1 by the statistics given, scaled and shifted.
  ///
  /// `rectified` sets what is then below zero to zero.
  public func batchNorm(
    mean: Tensor, variance: Tensor, weight: Tensor? = nil, bias: Tensor? = nil,
    epsilon: Double = 1e-5, rectified: Bool = false
  ) throws(TensorError) -> Tensor {
    try shim {
      ct_batch_norm(
        handle, weight?.handle, bias?.handle, mean.handle, variance.handle, 0, rectified ? 1 : 0, 0,
        epsilon, &$0, &$1)
    }
  }

  /// The sum with a tensor of the same shape, zero where that is below zero.
  public func addingRectified(_ other: Tensor) throws(TensorError) -> Tensor {
    try shim { ct_add_rectified(handle, other.handle, &$0, &$1) }
  }

  /// As `batchNorm`, with the batch's own statistics; the running ones move towards them, in place.
  ///
  /// Momentum is the share of the new: 0.1 keeps nine tenths. The running variance is the unbiased
  /// one.
  package func trainingBatchNorm(
    runningMean: Tensor?, runningVariance: Tensor?, weight: Tensor?, bias: Tensor?,
    momentum: Double = 0.1, epsilon: Double = 1e-5, rectified: Bool = false
  ) throws(TensorError) -> Tensor {
    try shim {
      ct_batch_norm(
        handle, weight?.handle, bias?.handle, runningMean?.handle, runningVariance?.handle, 1,
        rectified ? 1 : 0, momentum, epsilon, &$0, &$1)
    }
  }

  /// The columns a convolution would multiply: N × (C · size) × places.
  public func unfolded(
    _ size: Extent, stride: Extent = 1, padding: Extent = 0, dilation: Extent = 1
  ) throws(TensorError) -> Tensor {
    let window = ct_window(size: size, stride: stride, padding: padding, dilation: dilation)
    return try shim { ct_unfold(handle, window, &$0, &$1) }
  }

  /// Elements set to zero with this probability, the others scaled up by as much as is lost.
  public func dropout(_ probability: Double, seed: UInt64) throws(TensorError) -> Tensor {
    try shim { ct_dropout(handle, probability, seed, &$0, &$1) }
  }

  /// How badly logits (N × classes × …) tell labels (N × …, uint8 or int64), on average.
  ///
  /// Labels equal to `ignored` do not count; each other counts as much as its class weighs.
  public func crossEntropy(
    _ labels: Tensor, weights: Tensor? = nil, ignoring ignored: Int = -100
  ) throws(TensorError) -> Tensor {
    try shim {
      ct_cross_entropy(handle, labels.handle, weights?.handle, Int64(ignored), &$0, &$1)
    }
  }
}

extension ct_window {
  init(size: Extent, stride: Extent, padding: Extent = 0, dilation: Extent = 1) {
    self.init(size: size.pair, stride: stride.pair, padding: padding.pair, dilation: dilation.pair)
  }
}

extension Extent {
  /// The same for both.
  public init(_ size: Int) { self.init(height: size, width: size) }
}
