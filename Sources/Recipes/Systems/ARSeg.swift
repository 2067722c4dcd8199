// SPDX-License-Identifier: Apache-2.0

internal import Specification

extension Recipe {
  /// Efficient Semantic Segmentation by Altering Resolutions for Compressed Videos (Hu et al., CVPR
  /// 2023, section 3).
  ///
  ///     every 12th frame is key, at full resolution
  ///     elsewhere:   features = attention of the frame at half resolution to the key's,
  ///                  brought along the codec's motion (CReFF)
  public static let arSeg = Recipe(
    "ar-seg",
    "low resolution between key frames, codec motion, local attention (Hu et al., CVPR 2023)"
  ) { models in
    PipelineSpec(
      scheduler: "every:12", propagator: models.trained("creff"),
      flow: "codec:filled,rounded")
  }
}
