// SPDX-License-Identifier: Apache-2.0
public import Tensors

/// How far logarithms of depths are from true ones, where these are known.
///
/// Two terms over R = log of the prediction - log of the truth. One is the scale-invariant error
/// (Eigen et al., NeurIPS 2014, equation 4): mean(R²) - λ · mean(R)², for each picture on its own.
/// The other is gradient matching (Li and Snavely, "MegaDepth", CVPR 2018, equation 11): the mean
/// of |∇R| on the grid and on every second, fourth, … of its rows and columns, which sharpens
/// edges.
public struct DepthLoss: Sendable, Hashable {
  /// λ: 1 does not mind a wrong scale of the whole picture, 0 minds it as any other error.
  public var variance: Float
  /// What gradient matching counts beside the scale-invariant error.
  public var gradient: Double
  /// On how many grids gradients are matched.
  public var scales: Int

  /// The two papers' terms; λ is 0.5 as in the first.
  public init(variance: Float = 0.5, gradient: Double = 0.5, scales: Int = 4) {
    (self.variance, self.gradient, self.scales) = (variance, gradient, scales)
  }

  /// The loss of logarithms of depths with true depths, both N × 1 × H × W; 0 is an unknown depth.
  ///
  /// Where no depth is known the loss is 0, and so is its gradient.
  public func callAsFunction(
    _ logDepth: Tensor, _ depth: Tensor
  ) throws(TensorError) -> Tensor {
    let known = try (depth .> 0).cast(to: .float32)
    let truth = try depth.filled(with: 1, where: depth .<= 0).log()
    let error = try (logDepth - truth) * known
    var loss = try invariantError(error, known: known)
    for scale in 0..<(gradient > 0 ? scales : 0) {
      let matched = try gradients(error, known: known, every: 1 << scale)
      loss = try loss + matched * Float(gradient)
    }
    return loss
  }

  /// The mean over the pictures of mean(R²) - λ · mean(R)².
  private func invariantError(
    _ error: Tensor, known: Tensor
  ) throws(TensorError) -> Tensor {
    let count = try known.sum(axes: [1, 2, 3]).maximum(Tensor(1).to(known.device))
    let mean = try error.sum(axes: [1, 2, 3]) / count
    let square = try (error * error).sum(axes: [1, 2, 3]) / count
    return try (square - mean * mean * variance).mean()
  }

  /// The mean of |∂R/∂x| + |∂R/∂y| over the cells of a coarser grid where R is known.
  private func gradients(
    _ error: Tensor, known: Tensor, every step: Int
  ) throws(TensorError) -> Tensor {
    let (coarse, mask) = (try coarser(error, step), try coarser(known, step))
    let count = try mask.sum().maximum(Tensor(1).to(known.device))
    var sum = try Tensor(0).to(known.device)
    for axis in [2, 3] where coarse.shape[axis] > 1 {
      let last = coarse.shape[axis]
      let difference =
        try coarse.slice(axis: axis, 1..<last) - coarse.slice(axis: axis, 0..<last - 1)
      let both = try mask.slice(axis: axis, 1..<last) * mask.slice(axis: axis, 0..<last - 1)
      sum = try sum + (difference.abs() * both).sum()
    }
    return try sum / count
  }

  private func coarser(_ map: Tensor, _ step: Int) throws(TensorError) -> Tensor {
    if step == 1 { return map }
    return try map.slice(axis: 2, 0..<map.shape[2], step: step)
      .slice(axis: 3, 0..<map.shape[3], step: step)
  }
}
