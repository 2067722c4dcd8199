// SPDX-License-Identifier: Apache-2.0
public import Tensors

/// How differently two pictures look along the motion between them, for flow without ground truth.
///
/// The mean of the generalised Charbonnier penalty (x² + ε²)^α of I_t - warp(I_r), over the
/// channels of the places that are known and lie inside the reference (Yu et al., ECCV 2016
/// workshops: α 0.25, ε 0.001); 0 where there are none. Gradients flow to the motion and the
/// pictures.
public struct PhotometricLoss: Sendable, Hashable {
  /// The ε of the penalty, in the pictures' unit; above 0.
  public var epsilon: Float
  /// The α of the penalty; 0.5 is nearly the absolute difference.
  public var exponent: Float

  /// A penalty with an ε above 0, and the paper's numbers unless said otherwise.
  public init(epsilon: Float = 0.001, exponent: Float = 0.25) {
    precondition(epsilon > 0, "without an epsilon the gradient has no bounds")
    (self.epsilon, self.exponent) = (epsilon, exponent)
  }

  /// The loss of a motion, which says where in `reference` each cell of `current` is.
  ///
  /// Pictures are N × C × H × W, motion is N × 2 × H × W, (dx, dy) in their cells. Cells with
  /// `known` 0 (N × H × W bytes), such as hidden ones, do not count.
  public func callAsFunction(
    _ current: Tensor, _ reference: Tensor, along motion: Tensor, known: Tensor? = nil
  ) throws(TensorError) -> Tensor {
    try requireEqualShapes(current, reference, "PhotometricLoss")
    let difference = try current - reference.warped(along: motion, known: known)
    let penalty = try (difference * difference + epsilon * epsilon).power(exponent)
    var counted = try inside(motion)
    if let known { counted = try counted * known.notEqual(to: 0) }
    return try penalty.mean(axes: [1]).weightedMean(counted)
  }

  /// 1 for each cell whose place is in the grid, N × H × W: there a field of ones reads one.
  private func inside(_ motion: Tensor) throws(TensorError) -> Tensor {
    let shape = motion.shape
    let ones = try Tensor.ones([shape[0], 1, shape[2], shape[3]])
    let read = try ones.warped(along: motion.detached(), border: .zero).squeezed(axis: 1)
    return try (read .> 0.999).cast(to: .float32)
  }
}
