// SPDX-License-Identifier: Apache-2.0

import Backbone
import Engines
import Flow
import Frames
import Layers
import Propagation
import Tensors
import Testing

/// A part that propagates, with what it is written behind.
struct PropagationCase: Sendable, CustomTestStringConvertible {
  /// What is propagated with, fused, and decoded with.
  typealias Parts = (
    propagator: any Propagator, fusion: (any Fusion)?, decoder: SegmentationNetwork?
  )

  let testDescription: String
  let tap: String?
  /// Which of the small networks it stands behind.
  var network = 0
  let make: @Sendable (SegmentationNetwork, Parameters) throws -> Parts

  private init(
    _ title: String, tap: String? = nil,
    _ make: @escaping @Sendable (SegmentationNetwork, Parameters) throws -> Parts
  ) { (testDescription, self.tap, self.make) = (title, tap, make) }

  private static func learned(
    _ title: String, tap: String? = nil,
    _ make: @escaping @Sendable (SegmentationNetwork, Parameters) throws -> any Propagator
  ) -> Self { Self(title, tap: tap) { (try make($0, $1), nil, nil) } }

  private static func fused(
    _ title: String, tap: String? = nil, behind carrier: any Propagator = Warp(),
    _ make: @escaping @Sendable (SegmentationNetwork, Parameters) throws -> any Fusion
  ) -> Self { Self(title, tap: tap) { (carrier, try make($0, $1), nil) } }

  private static func decoded(_ title: String, tap: String) -> Self {
    Self(title, tap: tap) { network, parameters in
      let decoder = try network.withStages(
        after: tap, parameters: parameters, in: parameters.root)
      return (Warp(), nil, decoder)
    }
  }

  /// The same behind another of the small networks.
  private func behind(_ network: Int) -> Self {
    var other = self
    other.network = network
    return other
  }

  private static func branch(scale: Double = 1) throws -> NetworkBranch {
    try NetworkBranch(smallNetwork(smallNetworks[2], color: "bgr"), scale: scale)
  }

  private static func independent(
    _ network: SegmentationNetwork, _ parameters: Parameters, _ scope: ParameterScope? = nil
  ) throws -> IndependentFusion {
    try IndependentFusion(
      channels: 8, after: "layer1", giving: 8, stride: 4, width: 6, parameters: parameters,
      in: scope)
  }

  /// Every kind there is.
  static let all: [Self] = [
    fused("copy", tap: "context", behind: Copy()) { _, _ in Unchanged() },
    learned("warp", tap: "context") { _, _ in Warp() },
    learned("warp:previous,zero", tap: "layer2") { _, _ in Warp(from: .previous, border: .zero) },
    fused("correction") { _, parameters in
      try CorrectiveFusion(classes: 11, with: branch(), start: .noise, parameters: parameters)
    },
    fused("error-guided") { _, parameters in
      let fusion = try ErrorGuidedFusion(
        classes: 11, with: branch(scale: 0.6), width: 5, parameters: parameters)
      // Half of what is seen counts, not a fiftieth.
      for parameter in parameters.all where parameter.name == "error.bias" {
        try parameter.tensor.assign(parameter.tensor + 3.9)
      }
      return fusion
    },
    fused("independent", tap: "context", behind: Copy()) { try independent($0, $1) },
    fused("independent, comparing", tap: "context", behind: Warp()) { _, parameters in
      try IndependentFusion(
        channels: 8, after: "layer1", giving: 8, stride: 4, width: 6, compares: true,
        parameters: parameters)
    },
    decoded("decoder after context", tap: "context"),
    decoded("decoder after the encoder", tap: "layer4"),
    learned("scores of the deepest stage", tap: "classifier") { _, _ in Warp() }.behind(3),
    decoded("heads after the classifier", tap: "classifier").behind(3),
    fused("attention", tap: "decoder") { network, parameters in
      try CrossResolutionAttention(
        channels: 4, with: NetworkBranch(network, through: "decoder", scale: 0.5), size: 5,
        parameters: parameters)
    },
    learned("gated-recurrence") { _, parameters in
      try GatedRecurrence(classes: 11, scoresAfter: "classifier", parameters: parameters)
    },
    learned("tap-blend", tap: "decoder") { _, parameters in
      try NetWarpBlend(channels: 4, after: "decoder", start: 0.6, parameters: parameters)
    },
    learned("tap-blend with skips", tap: "context") { _, parameters in
      try NetWarpBlend(
        channels: 8, after: "context", start: 0.6, refinesMotion: false, parameters: parameters)
    },
    learned("scaled-warp", tap: "decoder") { _, parameters in
      try ScaledWarp(
        channels: 4, flow: FlowNetSpecification(width: 0.05), parameters: parameters)
    },
    learned("scaled-warp in two steps", tap: "context") { _, parameters in
      try ScaledWarp(
        channels: 8, flow: FlowNetSpecification(width: 0.05, isNormalised: true, steps: [3, 1]),
        parameters: parameters)
    },
    learned("difference") { _, parameters in
      try DifferenceConvolution(classes: 11, size: 5, parameters: parameters)
    },
    learned("displaced-convolution", tap: "decoder") { _, parameters in
      try DisplacedConvolution(size: 3, width: 4, parameters: parameters)
    },
    learned("variant-convolution", tap: "context") { network, parameters in
      try VariantConvolution(
        channels: 8, after: "layer1", size: 5, width: 6, centre: 0.3,
        adaptor: independent(network, parameters, parameters.root["adaptor"]),
        parameters: parameters)
    },
  ]
}

/// A fusion that changes nothing, which a user wrote.
struct Unchanged: LearnedFusion, OnnxPart {
  let parameters = Parameters(seed: 1)

  func fuse(
    _ propagated: Tensor, given _: FrameContext, in _: ForwardContext
  ) -> Tensor { propagated }

  func write(_ map: OnnxValue, given _: inout OnnxFrame) -> OnnxValue { map }
}
