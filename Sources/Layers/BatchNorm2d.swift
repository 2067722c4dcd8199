// SPDX-License-Identifier: Apache-2.0

public import Tensors

/// Brings each channel to mean 0 and variance 1, then scales and shifts it (Ioffe and Szegedy,
/// 2015).
///
/// While it is trained it takes the batch's own statistics and moves the running ones towards them;
/// when it is used, or while its weight is frozen, it takes the running ones. Parameters are
/// `weight`, `bias`, `running_mean` and `running_var`.
public struct BatchNorm2d: Layer {
  /// What each channel is multiplied by, and what is then added: one number a channel each.
  public let weight: Tensor, bias: Tensor
  /// The statistics that are used outside training: one number a channel each.
  public let runningMean: Tensor, runningVariance: Tensor
  /// The share of a new batch in the running statistics.
  public let momentum: Double
  /// What is added to the variance before its root is taken.
  public let epsilon: Double
  /// Whether what is below zero becomes zero, which costs nothing here.
  public let isRectified: Bool

  /// Normalises `channels` channels; `scale` is what the weight is where it is drawn, not read.
  public init(
    _ channels: Int, momentum: Double = 0.1, epsilon: Double = 1e-5, scale: Double = 1,
    rectified: Bool = false, in scope: ParameterScope
  ) throws {
    weight = try scope.parameter("weight", [channels], .offset, .constant(scale))
    bias = try scope.parameter("bias", [channels], .offset, .constant(0))
    runningMean = try scope.parameter("running_mean", [channels], .statistic, .constant(0))
    runningVariance = try scope.parameter("running_var", [channels], .statistic, .constant(1))
    (self.momentum, self.epsilon, isRectified) = (momentum, epsilon, rectified)
  }

  /// N × C × H × W, normalised; a training pass also moves the running statistics.
  public func callAsFunction(_ input: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor
  {
    guard pass.isTraining, weight.requiresGradient else {
      return try input.batchNorm(
        mean: runningMean, variance: runningVariance, weight: weight, bias: bias, epsilon: epsilon,
        rectified: isRectified)
    }
    // The variance of a single number would make the running one NaN.
    guard input.count > input.shape[1] else {
      throw TensorError(
        .badShape, in: "BatchNorm2d", "\(input.shape) has one number a channel: no statistics")
    }
    return try input.trainingBatchNorm(
      runningMean: runningMean, runningVariance: runningVariance, weight: weight, bias: bias,
      momentum: momentum, epsilon: epsilon, rectified: isRectified)
  }

  /// What each channel is multiplied by, and what is then added, by the running statistics.
  package func affine() throws(TensorError) -> (scale: Tensor, shift: Tensor) {
    let scale = try weight / (runningVariance + Float(epsilon)).sqrt()
    return (scale, try bias - runningMean * scale)
  }
}
