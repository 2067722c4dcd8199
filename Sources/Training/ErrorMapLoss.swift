// SPDX-License-Identifier: Apache-2.0
internal import Layers
public import Tensors

/// How far an error map is from where propagated labels are wrong, as DAVSS teaches its distortion
/// map (Zhuang et al., TCSVT 2021).
///
/// The binary cross-entropy on the map's grid, of the share of each cell's pixels whose propagated
/// label is not the frame's; its mean over the cells, each counting the share of it that is
/// `known`. The map is N × 1 × h × w, from 0 to 1, `propagated` N × classes × H × W scores, labels
/// N × height × width bytes without void, `known` N × height × width, 1 or 0. Gradients flow into
/// the map alone.
public func errorMapLoss(
  _ map: Tensor, of propagated: Tensor, labels: Tensor, known: Tensor? = nil
) throws(TensorError) -> Tensor {
  let grid = Extent(height: map.shape[2], width: map.shape[3])
  func pooled(_ pixels: Tensor) throws(TensorError) -> Tensor {
    try pixels.cast(to: .float32).unsqueezed(axis: 1).adaptiveAveragePool(grid)
  }
  let told = try propagated.detached()
    .argmaxLabels(resizedToHeight: labels.shape[1], width: labels.shape[2])
  let wrong = try pooled(told.notEqual(to: labels))
  let least: Float = 1e-6
  let losses = try -(wrong * (map + least).log() + (1 - wrong) * (1 - map + least).log())
  guard let known else { return try losses.mean() }
  return try losses.squeezed(axis: 1).weightedMean(pooled(known).squeezed(axis: 1))
}
