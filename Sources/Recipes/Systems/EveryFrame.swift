// SPDX-License-Identifier: Apache-2.0

internal import Specification

/// Systems that run the backbone on every frame, and gain accuracy or flicker less by what they
/// propagate from the frame before.
///
/// The propagator asks for the features of every frame. A key frame forgets what was propagated.
/// There is one every hundred frames, so that no error lasts.
extension Recipe {
  /// Semantic Video Segmentation by Gated Recurrent Flow Propagation (Nilsson and Sminchisescu,
  /// CVPR 2018, section 3).
  ///
  ///     scores_t = gated recurrent unit(scores of I_t, warp(scores_{t-1}, M)),
  ///                shut where the pictures disagree
  public static let grfp = Recipe(
    "grfp", "each frame's scores and those warped, through a gated unit (Nilsson et al., CVPR 2018)"
  ) { models in
    PipelineSpec(scheduler: "every:100", propagator: models.trained("grfp"))
  }

  /// Semantic Video CNNs through Representation Warping (Gadde et al., ICCV 2017, section 3).
  ///
  ///     F_t = w_1 ⊙ N(I_t) + w_2 ⊙ warp(F_{t-1}, refined M)    at each of two taps
  public static let netWarp = Recipe(
    "netwarp", "every frame's features and those warped, blended (Gadde et al., ICCV 2017)"
  ) { models in
    PipelineSpec(scheduler: "every:100", propagator: models.trained("netwarp"))
  }
}
