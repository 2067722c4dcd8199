// SPDX-License-Identifier: Apache-2.0

internal import Specification

extension Recipe {
  /// Dynamic Video Segmentation Network (Xu et al., CVPR 2018, section 3).
  ///
  ///     for each of 2 × 2 regions:
  ///       if the decision network says that what is carried has lost too much:   key
  ///       else:   scores = warp(scores of the region's key, M)
  ///
  /// The decision network looks at the motion and what it leaves unexplained; the paper's at
  /// features of its flow network. One limit for all regions is moved so that a share of them is
  /// key, as the paper's dynamic threshold does. The network has seen regions.
  public static let dvsNet = Recipe(
    "dvsnet", "regions with learned key frames of their own, scores warped (Xu et al., CVPR 2018)"
  ) { models in
    PipelineSpec(
      backbone: PartSpec("network", ["path": .text(models.regionBackbone)]),
      scheduler: PartSpec("learned", ["folder": .text(models["change"]), "rate": 0.1]),
      flow: "chained:dis:ultrafast",
      regions: .quarters)
  }
}
