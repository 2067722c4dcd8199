// SPDX-License-Identifier: Apache-2.0

extension Recipe {
  /// Budget-Aware Deep Semantic Video Segmentation (Mahasseni et al., CVPR 2017, section 3).
  ///
  ///     while the budget lasts, frames that have changed are key
  ///     elsewhere:   scores = one convolution of [I_t - I_k; the key's probabilities]
  ///
  /// The paper's policy sees the whole video and is trained by policy gradient; this one is causal: a limit on the warp's
  /// error that holds the rate, under a bound that nothing exceeds.
  public static let budgetAware = Recipe(
    "budget-aware", "a hard budget of keys, one convolution elsewhere (Mahasseni et al., CVPR 2017)"
  ) { models in
    Composition(
      scheduler: "budget:0.5,warp-error:rate=0.45", propagation: "trained:\(models["difference"])")
  }
}
