// SPDX-License-Identifier: Apache-2.0

internal import Specification

extension Recipe {
  /// Deep Feature Flow for Video Recognition (Zhu et al., CVPR 2017, section 3).
  ///
  ///     every 5th frame is key:   F_k = N(I_k)
  ///     elsewhere:                (M, S) = flow network(I_t, I_k);  F_t = warp(F_k, M) ⊙ S
  ///
  /// The flow network belongs to what is trained: no other motion is asked for.
  public static let deepFeatureFlow = Recipe(
    "dff", "key frames' features along learned motion, times a scale field (Zhu et al., CVPR 2017)"
  ) { models in
    PipelineSpec(scheduler: "every:5", propagator: models.trained("dff"))
  }
}
