// SPDX-License-Identifier: Apache-2.0

extension Recipe {
  /// Low-Latency Video Semantic Segmentation (Li et al., CVPR 2018, section 3).
  ///
  ///     low features of every frame
  ///     if the change score predicted from them is too large:   key, high features too
  ///     else:   high features = spatially variant convolution(the key's, kernels from both frames' low ones)
  public static let llvss = Recipe(
    "llvss", "predicted kernels carry, predicted changeScore schedules (Li et al., CVPR 2018)"
  ) { models in
    Composition(
      scheduler: "learned:\(models["change_score"]),rate=0.2",
      propagation: "trained:\(models["variant"])")
  }

  /// The same in its low-latency mode (section 3.3): no frame waits for a key, which is used from the next frame on.
  public static let lowLatency = Recipe(
    "llvss-low-latency", "the same, keys computed in the background (Li et al., CVPR 2018)"
  ) { models in
    var composition = Recipe.llvss.composition(of: models)
    composition.scheduler = "background:1,\(composition.scheduler)"
    return composition
  }
}
