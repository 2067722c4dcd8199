// SPDX-License-Identifier: Apache-2.0

internal import Specification

extension Recipe {
  /// Video Semantic Segmentation with Distortion-Aware Feature Correction (Zhuang et al., TCSVT
  /// 2020, section III).
  ///
  ///     every 5th frame is key
  ///     elsewhere:   d = where the warp is wrong, told by both pictures;
  ///                  scores = (1 - d) · warp(the key's, M) + d · light(I_t)
  public static let davss = Recipe(
    "davss", "a light network's scores where the warp is wrong (Zhuang et al., TCSVT 2020)"
  ) { models in
    PipelineSpec(scheduler: "every:5", propagator: models.trained("guided"))
  }
}
