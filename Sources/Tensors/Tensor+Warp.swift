// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// What a place outside the grid reads.
public enum Border: String, Sendable, Hashable, CaseIterable {
  /// The nearest cell of the edge.
  case clamp
  /// Zero: each of the four cells around a place that lies outside counts as 0 (Deep Feature Flow).
  case zero

  var code: ct_border_kind {
    switch self {
    case .clamp: ct_border_clamp
    case .zero: ct_border_zero
    }
  }
}

extension Tensor {
  /// These N × C × H × W features where the motion says: the result at p is what is here at p +
  /// motion.
  ///
  /// `motion` is N × 2 × H × W, (dx, dy) in cells of this very grid, x to the right and y
  /// downwards; one of N = 1 serves all. In between cells the four around are blended bilinearly. A
  /// cell that is not `known` (N × H × W bytes, 0 where it is not), or whose motion is not finite,
  /// reads its own place. Zero motion is the identity to the last bit; a cell that takes no part in
  /// a blend, were it NaN, does no harm. Gradients flow to the features and to the motion; where
  /// the motion is whole, to the latter from the right and below. The memory format is kept.
  public func warped(
    along motion: Tensor, border: Border = .clamp, known: Tensor? = nil
  ) throws(TensorError) -> Tensor {
    try shim { ct_warp(handle, motion.handle, known?.handle, border.code, &$0, &$1) }
  }

  /// The labels, N × H × W bytes, of these N × C × H × W scores along the motion.
  ///
  /// It is `warped(along:border:known:)` and then `argmaxLabels()`, to the last bit, without the
  /// tensor between them.
  public func warpedLabels(
    along motion: Tensor, border: Border = .clamp, known: Tensor? = nil
  ) throws(TensorError) -> Tensor {
    try shim { ct_warp_argmax(handle, motion.handle, known?.handle, border.code, &$0, &$1) }
  }

  /// These scores, N × C × H × W, mixed with earlier ones along the motion, the more the less the
  /// pictures differ.
  ///
  ///     self + g ⊙ (carried - self)        g = weight · exp(-change / tolerance)
  ///
  /// `carried` is `before.warped(along: motion, known: known)`, `before` of the same shape as
  /// these; `change` the mean over the channels of the absolute difference of the pictures `here`
  /// and, carried too, `there`, both N × P × H × W. g is 0 where the motion is not known.
  ///
  /// - Throws: `.badShape` where the two do not lie on one grid, `.badArgument` for a weight that
  ///   is not from 0 to 1 or a tolerance that is not above 0.
  public func mixed(
    with before: Tensor, along motion: Tensor, known: Tensor? = nil, here: Tensor, there: Tensor,
    weight: Double, tolerance: Double
  ) throws(TensorError) -> Tensor {
    try shim {
      ct_remember(
        handle, before.handle, here.handle, there.handle, motion.handle, known?.handle, weight,
        tolerance, &$0, &$1)
    }
  }

  /// The channel with the highest score at each place of N × C × H × W, as N × H × W bytes.
  ///
  /// Of equal scores the lowest channel wins; a NaN never does.
  ///
  /// - Throws: `.badShape` where there are more than 256 channels, or none.
  public func argmaxLabels() throws(TensorError) -> Tensor {
    try shim { ct_argmax_labels(handle, &$0, &$1) }
  }

  /// The channel with the highest score where N × C × H × W are interpolated to another height and
  /// width, half-pixel centres: N × height × width bytes.
  ///
  /// It is `resizedBilinear(height:width:grid:)` and then `argmaxLabels()`, but for the rounding of
  /// sums, and where the size is a whole multiple without the tensor between them.
  public func argmaxLabels(resizedToHeight height: Int, width: Int) throws(TensorError) -> Tensor {
    try shim { ct_resized_argmax(handle, Int64(height), Int64(width), &$0, &$1) }
  }

  /// The labels of `argmaxLabels(resizedToHeight:width:)`, and the scores that they have there: N ×
  /// height × width.
  public func bestLabels(
    resizedToHeight height: Int, width: Int
  ) throws(TensorError) -> (labels: Tensor, scores: Tensor) {
    let both = try shims(capacity: 2) { outs, _, failure in
      ct_resized_best(handle, Int64(height), Int64(width), outs, &failure)
    }
    return (both[0], both[1])
  }

  /// These labels, N × H × W bytes, where the motion says, each from the nearest cell.
  ///
  /// Half-way between two cells it is the one to the right or below. Motion and `known` are as for
  /// `warped(along:border:known:)`; with a zero border, places outside give `outside`.
  public func carryingLabels(
    along motion: Tensor, border: Border = .clamp, known: Tensor? = nil, outside: UInt8 = 255
  ) throws(TensorError) -> Tensor {
    try shim {
      ct_warp_labels(handle, motion.handle, known?.handle, border.code, outside, &$0, &$1)
    }
  }
}
