// SPDX-License-Identifier: Apache-2.0

internal import Specification

extension Recipe {
  /// Deep Common Feature Mining for Efficient Video Semantic Segmentation (TCSVT 2024,
  /// arXiv:2403.02689).
  ///
  ///     every 5th frame is key
  ///     elsewhere:   deep features = the key's, copied, + a light part of the frame's own
  public static let dcfm = Recipe(
    "dcfm", "deep features copied, a light independent part of each frame (DCFM, TCSVT 2024)"
  ) { models in
    PipelineSpec(scheduler: "every:5", propagator: models.trained("common"))
  }
}
