// SPDX-License-Identifier: Apache-2.0

internal import Layers
internal import Tensors

/// Adds the scores of a stage's features to coarser ones, which are brought to their grid.
///
/// The convolution begins at zero, so that a network begins as the one without it (FCN, Long et
/// al., CVPR 2015, §4.2).
struct StageScores: Sendable {
  /// Which stage of the encoder gives the features.
  let stage: Int
  let convolution: Conv2d

  init(from stage: Int, channels: Int, scores: Int, in scope: ParameterScope) throws {
    self.stage = stage
    convolution = try Conv2d(
      channels, scores, kernel: 1, initialisation: .constant(0), in: scope)
  }

  /// Scores in single precision: N × scores × h × w at the grid of `fine`, N × channels × h × w.
  func callAsFunction(
    _ coarse: Tensor, joining fine: Tensor, in pass: ForwardContext
  ) throws(TensorError) -> Tensor {
    let own = try convolution(fine, in: pass).cast(to: .float32)
    return try own + coarse.resized(like: own, in: pass)
  }
}
