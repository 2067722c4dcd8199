// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// What the taps of a neighbourhood that lie outside the image are.
public enum TapBorder: String, Sendable, Hashable, CaseIterable {
  /// Zero: they are weighed like any other, so what they weigh is lost.
  case zero
  /// Left out: the weights of those inside are divided by their sum, so nothing is lost.
  case validWeights

  var code: ct_tap_border_kind {
    switch self {
    case .zero: ct_tap_border_zero
    case .validWeights: ct_tap_border_valid
    }
  }
}

extension Tensor {
  /// These N × C × H × W features, each position summed with its neighbours by a kernel of its own.
  ///
  /// Spatially variant convolution (Li et al., Low-Latency Video Semantic Segmentation, CVPR 2018):
  ///
  ///     out[n, c, y, x] = Σ kernels[n, (u + r) · k + (v + r), y, x] · self[n, c, y + u, x + v]
  ///
  /// over u and v from -r to r, with k = 2r + 1 odd, from 1 to 25. `kernels` is N × k² × H × W, or
  /// 1 × … for all; its taps are in row-major order, u downwards and v to the right. All channels
  /// share them. With `.validWeights` each kernel is divided by the sum of its taps that lie
  /// inside, wherever it is, so that it is meant for weights that are not negative; where that sum
  /// is 0, so are the result and its gradients. A value that is not finite spoils every position
  /// whose kernel reaches it. Gradients flow to the features and to the kernels; neither way holds
  /// k² copies of the features. The memory format is kept, and both formats give the same bits.
  public func convolved(
    withKernels kernels: Tensor, border: TapBorder = .zero
  ) throws(TensorError) -> Tensor {
    try shim { ct_variant_convolution(handle, kernels.handle, border.code, &$0, &$1) }
  }

  /// These N × C × H × W features where the motion says, each from a neighbourhood around that
  /// place.
  ///
  /// Spatially displaced convolution (Reda et al., SDC-Net, ECCV 2018):
  ///
  ///     out[n, c, y, x] = Σ vertical[n, u + r, y, x] · horizontal[n, v + r, y, x]
  ///                         · self[n, c, y + dy + u, x + dx + v]
  ///
  /// over u and v from -r to r, blended bilinearly. `motion`, `border` and `known` are as for
  /// `warped(along:border:known:)`, where each tap is a place of its own; both kernels are N × k ×
  /// H × W, or 1 × … for all, with k = 2r + 1 odd, from 1 to 25. Kernels of one tap of 1 make it
  /// that warp, and zero motion with a zero border makes it `convolved(withKernels:border:)` by the
  /// products of the two, both to the last bit. A cell of weight 0 does no harm, were it NaN.
  /// Gradients flow to the features, the motion and both kernels; where the motion is whole, to it
  /// from the right and below. The memory format is kept; features that are not channels-last are
  /// turned on the way.
  public func displaced(
    along motion: Tensor, vertical: Tensor, horizontal: Tensor, border: Border = .clamp,
    known: Tensor? = nil
  ) throws(TensorError) -> Tensor {
    try shim {
      ct_displaced_convolution(
        handle, motion.handle, known?.handle, vertical.handle, horizontal.handle, border.code, &$0,
        &$1)
    }
  }

  /// For each position, the values around it, weighed by how like these queries their keys are.
  ///
  /// Cross-resolution feature fusion's local attention (Hu et al., AR-Seg, CVPR 2023):
  ///
  ///     out[:, p] = Σ softmax(⟨self[:, p], keys[:, p + t]⟩)(t) · values[:, p + t]
  ///
  /// over the `size` × `size` neighbourhood t, with no scale before the soft-max. Queries and keys
  /// are N × C × H × W, values N × D × H × W; `size` is odd, from 1 to 25. With a `.zero` border,
  /// as in the paper's code, keys and values outside are zero: such a tap has similarity 0, takes
  /// its share of the soft-max and gives nothing. With `.validWeights` the soft-max is over those
  /// inside. Gradients flow to all three; one weight a tap and position is kept for them, and no
  /// copy of any channel. The values' memory format is kept.
  public func attending(
    to keys: Tensor, values: Tensor, size: Int = 7, border: TapBorder = .zero
  ) throws(TensorError) -> Tensor {
    try shim {
      ct_local_attention(
        handle, keys.handle, values.handle, Int64(size), border.code, &$0, &$1)
    }
  }
}
