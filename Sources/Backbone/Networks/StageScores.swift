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

  /// The stage's own scores in single precision, N × scores × h × w of N × channels × h × w.
  func own(of features: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor {
    try convolution(features, in: pass).cast(to: .float32)
  }

  /// Scores in single precision: N × scores × h × w at the grid of `fine`, N × channels × h × w.
  func callAsFunction(
    _ coarse: Tensor, joining fine: Tensor, in pass: ForwardContext
  ) throws(TensorError) -> Tensor {
    let own = try own(of: fine, in: pass)
    return try own + coarse.resized(like: own, in: pass)
  }
}
