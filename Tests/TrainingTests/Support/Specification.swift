// SPDX-License-Identifier: Apache-2.0

/// A specification of a small network, with lines of its own in the training and for its stages.
func specificationText(training: String = "", stages: String) -> String {
  """
  name: small
  input: {color: bgr, mean: [110, 108, 105], std: [72, 72, 69]}
  classes: camvid11
  network:
    encoder: {kind: resnet, depth: 10, width: 0.125, stride: 16}
    context: {kind: pyramid, channels: 8, bins: [1, 2]}
    decoder: [{stride: 4, channels: 8}]
  training:
    batch: 3
    crop: [32, 48]
    soft_iou: 0.5
  \(training)
    stages:
  \(stages)
  """
}
