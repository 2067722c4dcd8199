// SPDX-License-Identifier: Apache-2.0

internal import Specification

/// Clockwork Convnets for Video Semantic Segmentation (Shelhamer et al., ECCV 2016 workshops,
/// section 4): stages with clocks of their own. Shallow stages run on every frame; what the deep
/// ones gave last is copied. Nothing is trained.
extension Recipe {
  /// The deep stages on every other frame.
  public static let clockwork = Recipe(
    "clockwork", "deep stages on every other frame, shallow ones on all (Shelhamer et al., 2016)"
  ) { _ in
    PipelineSpec(scheduler: "every:2", propagator: "copy", tap: "context")
  }

  /// The deep stages once the strongest channel of shallow features has changed in too many places:
  /// as often as on every other frame.
  public static let adaptiveClockwork = Recipe(
    "clockwork-adaptive", "deep stages once shallow ones have changed (Shelhamer et al., 2016)"
  ) { _ in
    PipelineSpec(
      scheduler: "labels:layer2,rate=0.5", propagator: "copy", tap: "context")
  }

  /// A clock for each of three stages with heads of scores, as in FCN-8s: those after `layer3` on
  /// every fourth frame, that on every other one, those before it on all.
  public static let threeClocks = Recipe(
    "clockwork-three", "scores of three stages, each on its own clock (Shelhamer et al., 2016)"
  ) { models in
    PipelineSpec(
      backbone: PartSpec("network", ["path": .text(models["fcn"])]),
      scheduler: "middle:layer3,2,every:4", propagator: "copy", tap: "layer3,classifier")
  }

  /// The deep stages on every frame, while the next one is worked on: what they give is a frame
  /// old, and nothing waits for it.
  public static let pipelinedClockwork = Recipe(
    "clockwork-pipelined", "deep stages a frame behind, in the background (Shelhamer et al., 2016)"
  ) { _ in
    PipelineSpec(
      scheduler: "background:1,every:1", propagator: "copy", tap: "context")
  }
}
