// SPDX-License-Identifier: Apache-2.0

internal import Specification

/// This package's own: the deep stages on a slow clock, the shallow ones on a fast one, everything
/// carried along motion, and scores that remember. Nothing is trained.
extension Recipe {
  /// Clockwork's stages (Shelhamer et al., 2016) with Deep Feature Flow's warp in the place of
  /// copies, and GRFP's gate in two constants.
  ///
  ///     every 5th frame is key:   D_k = deep stages of I_k
  ///     that, and each 3rd after: S_t = shallow stages of I_t and of warp(D_k, M);
  ///                               S_t += g ⊙ (warp(S before, M) - S_t)
  ///     elsewhere:                S_t = warp(S before, M)
  ///
  /// where M is composed of the motion from each frame to the one before, and g = ½ exp(-|I_t -
  /// warp(I before, M)| / 20).
  public static let twoClocks = Recipe(
    "two-clocks", "deep and shallow stages on clocks of their own, warped, temporal smoothing",
    chosenOn: ["camvid/val"]
  ) { _ in
    PipelineSpec(
      scheduler: "shallow:3,every:5", flow: "chained:dis:medium", tap: "context", smoothing: .half)
  }

  /// The same along the video's own motion vectors, a key every 6th frame: for groups of 12 without
  /// B pictures, as AR-Seg (Hu et al., CVPR 2023) encodes them.
  public static let codecClocks = Recipe(
    "two-clocks-codec", "the same along the codec's motion", chosenOn: ["camvid/val"]
  ) { _ in
    PipelineSpec(
      scheduler: "shallow:2,every:6", flow: "codec:filled,rounded", tap: "context",
      smoothing: .half)
  }
}
