// SPDX-License-Identifier: Apache-2.0

import Backbone
import Layers
import Specification
import Tensors
import TestSupport

/// One of each kind of encoder and context; of odd sizes, so that windows overlap.
let smallNetworks: [String] = [
  """
    encoder: {kind: resnet, depth: 10, width: 0.125, stride: 16}
    context: {kind: pyramid, channels: 8, bins: [1, 2, 3]}
    decoder: [{stride: 4, channels: 8}, {stride: 2, channels: 4}]
  """,
  """
    encoder: {kind: resnet, depth: 50, width: 0.0625, stride: 8}
    context: {kind: atrous, channels: 8, rates: [2, 3]}
  """,
  """
    encoder: {kind: light, width: 0.5, stride: 32}
    context: {kind: linear, channels: 8}
    decoder: [{stride: 8, channels: 8}]
  """,
  """
    encoder: {kind: resnet, depth: 10, width: 0.125, stride: 16}
    context: {kind: linear, channels: 8}
    score_heads: [layer3, layer2]
  """,
]

/// A network of the eleven classes of CamVid, drawn, its statistics as they are after training.
func smallNetwork(_ text: String, color: String = "rgb") throws -> SegmentationNetwork {
  let yaml = """
    name: small
    input: {color: \(color), mean: [110, 108, 105], std: [72, 72, 69]}
    classes: camvid11
    network:
    \(text)
    """
  let reader = try DescriptionReader(yaml: yaml)
  let parameters = Parameters(seed: 7)
  let network = try SegmentationNetwork(NetworkSpecification(reader), parameters: parameters)
  // Statistics and offsets as they are after training: what is folded must count.
  for (index, parameter) in parameters.all.enumerated() where parameter.kind != .weight {
    try parameter.tensor.assign(parameter.tensor * (1 + 0.01 * Float(index % 7)) + 0.03)
  }
  // And heads, which begin at zero.
  for parameter in parameters.all where parameter.name.hasPrefix("scores.") {
    let shape = parameter.tensor.shape
    try parameter.tensor.assign(drawn(shape, seed: UInt64(parameter.tensor.count)))
  }
  return network
}

/// Numbers evenly out of a range.
func drawn(_ shape: Shape, seed: UInt64, in range: ClosedRange<Float> = -1...1) throws -> Tensor {
  var draws = Draws(seed: seed)
  return try Tensor(draws.floats(shape.dimensions.reduce(1, *), in: range), shape: shape)
}

/// The largest difference of two tensors' numbers, as a share of the largest number.
func gap(_ one: Tensor, _ other: Tensor) throws -> Float {
  guard one.shape == other.shape else { return .infinity }
  let (left, right) = (try one.floats(), try other.floats())
  let largest: Float = right.reduce(1) { max($0, abs($1)) }
  // What is not a number must not pass for near.
  return zip(left, right).reduce(0) {
    let furthest = abs($1.0 - $1.1)
    return furthest.isFinite ? max($0, furthest / largest) : .infinity
  }
}
