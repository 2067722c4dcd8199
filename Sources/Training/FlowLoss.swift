// SPDX-License-Identifier: Apache-2.0
public import Tensors

/// The end-point errors of motion that is estimated at several sizes at once (FlowNet; Dosovitskiy et
/// al., ICCV 2015).
///
/// The true motion is averaged down to the size of each estimate, its unit unchanged: every estimate
/// is in `unit` pixels of the true motion's grid. Unknown motion takes no part.
public struct FlowLoss: Sendable {
  /// How errors are added up.
  public enum Reduction: String, Sendable, Hashable {
    /// Summed over the cells of an image, averaged over the batch, as the weights of FlowNet want.
    case imageSum
    /// Averaged over the cells, which makes a level's weight independent of its size.
    case mean
  }

  /// What each size counts, the finest first.
  public var weights: [Float]
  /// Pixels that an estimate of 1 stands for; 20 in FlowNet.
  public var unit: Float
  public var reduction: Reduction
  /// Nil: |d|, the end-point error; else (|d| + ε)^q, which minds outliers less.
  public var robustness: Robustness?

  /// (|d| + ε)^q of an error, as PWC-Net is fine-tuned with (Sun et al., CVPR 2018: 0.01 and 0.4).
  public struct Robustness: Sendable, Hashable {
    public var epsilon: Float
    public var exponent: Float
    public init(epsilon: Float = 0.01, exponent: Float = 0.4) {
      (self.epsilon, self.exponent) = (epsilon, exponent)
    }
  }

  /// FlowNet's, for estimates of a quarter of the size down to a 64th.
  public init(
    weights: [Float] = [0.005, 0.01, 0.02, 0.08, 0.32], unit: Float = 20,
    reduction: Reduction = .imageSum, robustness: Robustness? = nil
  ) {
    (self.weights, self.unit) = (weights, unit)
    (self.reduction, self.robustness) = (reduction, robustness)
  }

  /// The loss of estimates (N × 2 × h × w each, the finest first).
  ///
  /// The true motion is N × 2 × H × W, (dx, dy) in pixels of its own grid; `known` (N × H × W bytes) is 0
  /// where it means nothing.
  ///
  /// - Throws: `.badArgument` where there are more or fewer estimates than weights.
  public func callAsFunction(
    _ estimates: [Tensor], of motion: Tensor, known: Tensor? = nil
  ) throws(TensorError) -> Tensor {
    guard estimates.count == weights.count else {
      throw TensorError(
        .badArgument, in: "FlowLoss",
        "\(estimates.count) estimates do not go with \(weights.count) weights")
    }
    var total = try Tensor(0).to(motion.device)
    for (estimate, weight) in zip(estimates, weights) where weight != 0 {
      total = try total + level(estimate, of: motion, known: known) * weight
    }
    return total
  }

  private func level(
    _ estimate: Tensor, of motion: Tensor, known: Tensor?
  ) throws(TensorError) -> Tensor {
    let size = Extent(height: estimate.shape[2], width: estimate.shape[3])
    let truth = try averagedMotion(motion, known: known, to: size)
    try requireEqualShapes(estimate, truth.motion, "FlowLoss")
    // The norm's gradient is 0, not NaN, where the error is.
    var errors = try (estimate - truth.motion / unit).norm(axes: [1])
    if let robustness { errors = try (errors + robustness.epsilon).power(robustness.exponent) }
    switch reduction {
    case .imageSum: return try (errors * truth.share).sum() / Float(max(estimate.shape[0], 1))
    case .mean: return try errors.weightedMean(truth.share)
    }
  }
}

/// Motion (N × 2 × H × W) averaged over the known cells of windows, as many as `size` has cells.
///
/// Its unit stays what it was. `share`, N × h × w, is how much of each window is known, from 0 to 1;
/// where that is nothing, the motion is 0.
public func averagedMotion(
  _ motion: Tensor, known: Tensor? = nil, to size: Extent
) throws(TensorError) -> (motion: Tensor, share: Tensor) {
  guard let known else {
    let ones = try Tensor.ones([motion.shape[0], size.height, size.width]).to(motion.device)
    return (try motion.adaptiveAveragePool(size), ones)
  }
  let unknown = try known.equal(to: 0).unsqueezed(axis: 1)
  // Whatever stands for unknown motion, be it NaN, goes before anything is added to it.
  let sum = try motion.filled(with: 0, where: unknown).adaptiveAveragePool(size)
  let share = try known.notEqual(to: 0).unsqueezed(axis: 1).cast(to: .float32)
    .adaptiveAveragePool(size)
  let mean = try sum / share.filled(with: 1, where: share.equal(to: 0))
  return (mean, try share.squeezed(axis: 1))
}
