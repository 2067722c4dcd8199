// SPDX-License-Identifier: Apache-2.0
public import Tensors

/// A cross-entropy of single classes in which what is easily told counts little (Lin et al., ICCV
/// 2017, equation 5).
///
/// FL = -α_t (1 - p_t)^γ log p_t, where p_t is p for objects and 1 - p for the rest, and α_t
/// likewise.
public struct FocalLoss: Sendable, Hashable {
  /// What objects count; the rest counts 1 - α.
  public var alpha: Float
  /// How much less counts what is easily told; 0 for a plain cross-entropy.
  public var gamma: Float

  /// The paper's choice unless told otherwise.
  public init(alpha: Float = 0.25, gamma: Float = 2) { (self.alpha, self.gamma) = (alpha, gamma) }

  /// The sum over all elements of logits, with targets 0 or 1 and weights of the same shape, or one
  /// that is broadcast to it.
  public func callAsFunction(
    _ logits: Tensor, _ targets: Tensor, weights: Tensor
  ) throws(TensorError) -> Tensor {
    let entropy = try logits.binaryCrossEntropies(targets)
    let probability = try logits.sigmoid()
    // 1 - p_t, and α_t.
    let missed = try probability + targets - probability * targets * 2
    let balance = try targets * (2 * alpha - 1) + (1 - alpha)
    return try (balance * missed.power(gamma) * entropy * weights).sum()
  }
}

extension Tensor {
  /// -t log σ(x) - (1 - t) log(1 - σ(x)) for every logit x, with targets t from 0 to 1.
  func binaryCrossEntropies(_ targets: Tensor) throws(TensorError) -> Tensor {
    // log(1 + eˣ), without overflow.
    let softplus = try Tensor.stack([self, self * 0]).logSumExp(axes: [0])
    return try softplus - self * targets
  }
}

/// One minus the generalised intersection over union of boxes (Rezatofighi et al., CVPR 2019,
/// algorithm 1), for each of M boxes: 0 to 2.
///
/// Boxes are M × 4: the distances, above 0, from a place inside both boxes to the left, upper,
/// right and lower sides. Their common part is what the smaller distances enclose, the smallest
/// box around both what the larger ones do (as for UnitBox; Yu et al., ACM Multimedia 2016,
/// algorithm 1).
public func generalisedIoULoss(
  _ predicted: Tensor, _ target: Tensor
) throws(TensorError) -> Tensor {
  let common = try area(predicted.minimum(target)), around = try area(predicted.maximum(target))
  let union = try area(predicted) + area(target) - common
  return try 1 - common / union + (around - union) / around
}

/// (left + right) · (top + bottom) of M × 4 distances.
private func area(_ distances: Tensor) throws(TensorError) -> Tensor {
  let sides = try distances.slice(axis: 1, 0..<2) + distances.slice(axis: 1, 2..<4)
  return try sides.select(axis: 1, index: 0) * sides.select(axis: 1, index: 1)
}
