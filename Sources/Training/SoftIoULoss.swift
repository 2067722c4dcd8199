// SPDX-License-Identifier: Apache-2.0
public import Tensors

/// One minus the overlap of probabilities with labels, the mean over the classes of a batch.
///
/// Sums go over all labelled pixels of the batch (Rahman and Wang, ISVC 2016, equations 3 to 5:
/// `.iou`), void ones left out; only classes that are the label of a pixel count. Where there are
/// none, the loss is 0, and so is its gradient.
public struct SoftIoULoss: Sendable, Hashable {
  /// How overlap is measured; p is a probability, y is 1 where the label is the class and else 0.
  public enum Measure: String, Sendable, Hashable, CaseIterable {
    /// Σ p·y / Σ (p + y - p·y).
    case iou
    /// 2 Σ p·y / Σ (p + y).
    case dice
  }

  /// How overlap is measured.
  public var measure: Measure
  /// The label that marks void.
  public var void: Int

  /// A loss by intersection over union unless said otherwise.
  public init(_ measure: Measure = .iou, void: Int = 255) {
    (self.measure, self.void) = (measure, void)
  }

  /// The loss of logits (N × C × H × W) with labels (N × H × W, uint8 or int64).
  public func callAsFunction(
    _ logits: Tensor, _ labels: Tensor
  ) throws(TensorError) -> Tensor {
    let mass = try logits.classSums(labels, ignoring: void)
    let both = try mass.everywhere + mass.cells
    // Of an absent class the denominator may be 0 too.
    let (present, absent) = (try mass.cells .> 0, try mass.cells.equal(to: 0))
    let overlap =
      switch measure {
      case .iou: try mass.atLabel / (both - mass.atLabel).filled(with: 1, where: absent)
      case .dice: try mass.atLabel * 2 / both.filled(with: 1, where: absent)
      }
    return try (1 - overlap).weightedMean(present.cast(to: .float32))
  }
}
