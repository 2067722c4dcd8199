// SPDX-License-Identifier: Apache-2.0
internal import CTorch

// What losses over classes are made of. Logits are N × C × H × W; labels are N × H × W, uint8 or
// int64, where `ignored` marks void and any other number that is no class is refused
// (`.badArgument`).
extension Tensor {
  /// The cross-entropy of each cell of these logits with its label, N × H × W; 0 where void.
  ///
  /// With a radius, any class that is the label of a cell at most so many rows and columns away is
  /// as good as the cell's own: -log Σ p (Zhu et al., CVPR 2019, section 3.3). Away from boundaries
  /// that changes nothing.
  public func crossEntropies(
    _ labels: Tensor, ignoring ignored: Int = -100, radius: Int = 0
  ) throws(TensorError) -> Tensor {
    try shim { ct_cross_entropies(handle, labels.handle, Int64(ignored), Int64(radius), &$0, &$1) }
  }

  /// How much each of these labels counts, N × H × W: 0 where void, else what its class weighs, or
  /// 1.
  public func labelWeights(
    classes: Int, weights: Tensor? = nil, ignoring ignored: Int = -100
  ) throws(TensorError) -> Tensor {
    try shim { ct_label_weights(handle, Int64(classes), weights?.handle, Int64(ignored), &$0, &$1) }
  }

  /// Sums over all labelled cells, for each class, of its probability, everywhere and where it is
  /// the label, and how many cells have that label; C elements each.
  public func classSums(
    _ labels: Tensor, ignoring ignored: Int = -100
  ) throws(TensorError) -> (everywhere: Tensor, atLabel: Tensor, cells: Tensor) {
    let sums = try shim("classSums(_:ignoring:)") {
      ct_class_sums(handle, labels.handle, Int64(ignored), &$0, &$1)
    }
    return (
      try sums.select(axis: 0, index: 0), try sums.select(axis: 0, index: 1),
      try sums.select(axis: 0, index: 2).detached()
    )
  }

  /// The Kullback-Leibler divergence of each cell's softmax from a teacher's, Σ q log(q / p), N × H
  /// × W.
  ///
  /// Both are taken of logits (N × C × H × W) divided by `temperature`. No gradient flows to the
  /// teacher.
  public func divergences(
    from teacher: Tensor, temperature: Double = 1
  ) throws(TensorError) -> Tensor {
    try shim { ct_divergences(handle, teacher.handle, temperature, &$0, &$1) }
  }
}
