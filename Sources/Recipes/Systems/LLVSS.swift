// SPDX-License-Identifier: Apache-2.0

internal import Specification

extension Recipe {
  /// Low-Latency Video Semantic Segmentation (Li et al., CVPR 2018, section 3).
  ///
  ///     low features of every frame
  ///     if the change score predicted from them is too large:   key, high features too
  ///     else:   high features = spatially variant convolution(the key's,
  ///             kernels from both frames' low ones)
  public static let llvss = Recipe(
    "llvss", "predicted kernels propagate, predicted deviation schedules (Li et al., CVPR 2018)"
  ) { models in
    PipelineSpec(
      scheduler: PartSpec("learned", ["folder": .text(models["deviation"]), "rate": 0.2]),
      propagator: models.trained("variant"))
  }

  /// The same in its low-latency mode (section 3.3): no frame waits for a key, which is used from
  /// the next frame on.
  public static let lowLatency = Recipe(
    "llvss-low-latency", "the same, key frames computed in the background (Li et al., CVPR 2018)"
  ) { models in
    var pipeline = Recipe.llvss.pipeline(of: models)
    pipeline.scheduler = PartSpec("background", ["frames": 1], parts: ["base": pipeline.scheduler])
    return pipeline
  }
}
