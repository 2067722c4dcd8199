// SPDX-License-Identifier: Apache-2.0

internal import Specification

extension Recipe {
  /// Budget-Aware Deep Semantic Video Segmentation (Mahasseni et al., CVPR 2017, section 3).
  ///
  ///     of every 20 frames 9 are key, which ones a recurrent policy says
  ///     elsewhere:   scores = one convolution of [I_t - I_k; the key's probabilities]
  ///
  /// The policy is trained by policy gradient, as the paper's, and spends a hard budget; unlike the
  /// paper's it is causal, and its frames borrow from keys before them only.
  public static let budgetAware = Recipe(
    "budget-aware",
    "a hard budget of key frames, one convolution elsewhere (Mahasseni et al., CVPR 2017)"
  ) { models in
    PipelineSpec(
      scheduler: PartSpec("policy", ["folder": .text(models["policy"]), "budget": [9, 20]]),
      propagator: models.trained("difference"), flow: "zero")
  }
}
