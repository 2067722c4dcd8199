// SPDX-License-Identifier: Apache-2.0

internal import Layers
internal import Tensors

/// How much of a frame does not get its own class from where the motion reads in another.
///
/// Labels are ones and zeros, averaged over blocks so that a motion that is a few pixels off is
/// told which way is better. Rare classes count more than their share of cells. Where a thing comes
/// into view there is no true motion to learn from, but a place to read the same class from there
/// often is.
struct CarriedLabels {
  let classes: Int

  /// `motion` is N × 2 × h × w in cells of the labels' grid, divided by `factor`; labels are N × h
  /// × w class numbers of which `classes` means none.
  func loss(
    current: Tensor, reference: Tensor, motion: Tensor, dividedBy factor: Int
  ) throws(TensorError) -> Tensor {
    let (here, there) = (try planes(current, factor), try planes(reference, factor))
    return try loss(of: there.warped(along: motion), from: here)
  }

  /// Both are `planes` of labels.
  func loss(of carried: Tensor, from here: Tensor) throws(TensorError) -> Tensor {
    let present = try here.slice(axis: 1, 0..<classes)
    let agreement = try (carried.slice(axis: 1, 0..<classes) * present).sum(axes: [0, 2, 3])
    // A block of one class agrees wholly with itself; one of several can do no better than this.
    let whole = try (present * present).sum(axes: [0, 2, 3])
    let weights = try (present.sum(axes: [0, 2, 3]) + 1).power(-0.5)
    return try ((whole - agreement) * weights).sum() / ((whole * weights).sum() + 1e-3)
  }

  /// N × (`classes` + 1) × h × w: the share of each class in blocks of `factor` × `factor`.
  func planes(_ labels: Tensor, _ factor: Int) throws(TensorError) -> Tensor {
    try labels.cast(to: .int64).oneHot(classes: classes + 1).permuted(0, 3, 1, 2)
      .cast(to: .float32).reduced(by: factor).detached()
  }
}
