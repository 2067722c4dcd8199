// SPDX-License-Identifier: Apache-2.0
public import Tensors

/// Scores of two frames that do not agree where the same thing is seen (ETC; Liu et al., ECCV
/// 2020).
///
/// mean((V ⊙ S_t - V ⊙ warp(S_{t+k}))²) over all elements, where V is `motionConfidence` and the
/// motion reads, for each cell of frame t, its place in frame t + k. The paper's program takes
/// logits, at the size of the picture, and weighs the loss 0.1; softmaxes will do as well and are
/// bounded. Gradients flow into both frames' scores, and to neither the motion nor the confidence.
///
/// Scores are N × C × H × W, `current` those of frame t; motion is N × 2 × H × W, (dx, dy) in cells
/// of the scores; confidence is N × H × W, from 0 to 1. Cells with `known` 0 (N × H × W bytes),
/// where the motion means nothing, add nothing to the sum.
public func temporalConsistencyLoss(
  _ current: Tensor, _ other: Tensor, along motion: Tensor, confidence: Tensor? = nil,
  known: Tensor? = nil
) throws(TensorError) -> Tensor {
  try requireEqualShapes(current, other, "temporalConsistencyLoss")
  let carried = try other.warped(along: motion.detached(), known: known)
  var difference = try current - carried
  if let confidence { difference = try difference * confidence.detached().unsqueezed(axis: 1) }
  if let known { difference = try difference * known.notEqual(to: 0).unsqueezed(axis: 1) }
  return try (difference * difference).mean()
}

/// How far the motion can be believed: V = exp(-|Σ_c (I_t - warp(I_{t+k}))|), N × H × W.
///
/// Images are N × C × H × W, normalised as the network takes them, motion is as for
/// `temporalConsistencyLoss`. As in the paper's program the channels are summed before the modulus,
/// so that errors of opposite sign cancel; `byChannel` takes the modulus first. Cells that are not
/// `known` have no confidence.
public func motionConfidence(
  _ current: Tensor, _ other: Tensor, along motion: Tensor, known: Tensor? = nil,
  byChannel: Bool = false
) throws(TensorError) -> Tensor {
  try requireEqualShapes(current, other, "motionConfidence")
  let error = try current - other.warped(along: motion, known: known)
  let sum = try byChannel ? error.abs().sum(axes: [1]) : error.sum(axes: [1]).abs()
  let confidence = try (-sum).exp().detached()
  guard let known else { return confidence }
  return try confidence * known.notEqual(to: 0)
}
