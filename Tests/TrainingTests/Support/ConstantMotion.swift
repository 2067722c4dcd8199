// SPDX-License-Identifier: Apache-2.0

import Layers
import Tensors

extension Parameters {
  /// Makes a FlowNet-S whose motions are in units of 4 and whose pictures are halved give `dx` and
  /// `dy` pixels everywhere; its parameters lie under `prefix`.
  func setMotion(_ dx: Int, _ dy: Int, under prefix: String = "") throws {
    for parameter in all where parameter.name.hasPrefix(prefix) {
      try parameter.tensor.assign(.zeros(parameter.tensor.shape))
      if parameter.name == prefix + "conv2.0.bias" {
        try parameter.tensor.assign(.ones(parameter.tensor.shape))
      }
      guard parameter.name == prefix + "predict_flow2.weight" else { continue }
      var weights = [Float](repeating: 0, count: parameter.tensor.count)
      // An output of 1 is 4 pixels of the halved picture.
      (weights[4], weights[weights.count / 2 + 4]) = (Float(dx) / 8, Float(dy) / 8)
      try parameter.tensor.assign(Tensor(weights, shape: parameter.tensor.shape))
    }
  }
}
