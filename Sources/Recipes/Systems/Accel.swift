// SPDX-License-Identifier: Apache-2.0

internal import Specification

extension Recipe {
  /// Accel: A Corrective Fusion Network (Jain et al., CVPR 2019, section 3).
  ///
  ///     every 5th frame is key:   F_k = N(I_k)
  ///     elsewhere:                scores = A · [warp(F_k, M); light(I_t)] + b
  ///
  /// The paper warps features from frame to frame; here the motion of each step is composed and the
  /// key read once, which does as well and does not blur.
  public static let accel = Recipe(
    "accel", "warped scores corrected by a light network's (Jain et al., CVPR 2019)"
  ) { models in
    PipelineSpec(
      scheduler: "every:5", propagator: models.trained("accel"), flow: "chained:dis:medium")
  }
}
