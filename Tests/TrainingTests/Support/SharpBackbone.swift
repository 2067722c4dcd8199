// SPDX-License-Identifier: Apache-2.0
import Backbone
import Layers
import Tensors
import Training

/// A small network with drawn weights whose scores tell places apart.
func sharpBackbone() throws -> SegmentationNetwork {
  let yaml = specificationText(stages: "    - {name: a, steps: 1, optimizer: sgd, rate: 0.1}")
  let network = try SegmentationNetwork(
    SegmentationSpecification(yaml: yaml, folder: "").network, parameters: Parameters(seed: 1))
  for parameter in network.parameters.all where parameter.name == "classifier.weight" {
    try parameter.tensor.assign(parameter.tensor * 100)
  }
  return network
}
