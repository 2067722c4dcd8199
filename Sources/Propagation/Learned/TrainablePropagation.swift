// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Flow
public import Layers
internal import Specification
internal import Tensors

/// What of a pipeline is trained to propagate features: a propagator, or a fusion behind one that
/// is not.
public enum TrainablePropagation: Sendable {
  case propagator(any LearnedPropagator)
  case fusion(any LearnedFusion, behind: any Propagator)

  public var parameters: Parameters {
    switch self {
    case .propagator(let propagator): propagator.parameters
    case .fusion(let fusion, _): fusion.parameters
    }
  }

  public var propagator: any Propagator {
    switch self {
    case .propagator(let propagator): propagator
    case .fusion(_, let propagator): propagator
    }
  }

  public var fusion: (any Fusion)? {
    if case .fusion(let fusion, _) = self { fusion } else { nil }
  }
}

extension PropagationSpecification {
  /// The part that this describes, for `backbone`, its parameters drawn or read as `parameters`
  /// says.
  ///
  /// Networks that it is made of are read from their folders: those that stay as they are and,
  /// where parameters are drawn, those that training begins with.
  ///
  /// - Throws: `BackboneError` where the backbone lacks a stage, or a network is missing or does
  ///   not fit.
  public func part(behind backbone: any Backbone, parameters: Parameters) throws
    -> TrainablePropagation
  {
    let tap = self.tap ?? backbone.stages[backbone.stages.count - 1].name
    func channels(after stage: String? = nil) throws -> Int {
      try backbone.channels(after: stage ?? tap)
    }
    switch kind {
    case .scaledWarp(let folder):
      let folder = try ModelFolder(at: folder)
      let flow = try folder.read { (root) throws(SpecificationError) in
        try FlowNetSpecification(root)
      }
      let warp = try ScaledWarp(channels: channels(), flow: flow, parameters: parameters)
      try parameters.begin(with: folder, under: "flow.")
      return .propagator(warp)
    case .displacedConvolution(let size, let width):
      return .propagator(
        try DisplacedConvolution(size: size, width: width, parameters: parameters))
    case .variantConvolution(let stage, let size, let width):
      return .propagator(
        try VariantConvolution(
          channels: channels(after: stage), after: stage, size: size, width: width,
          parameters: parameters))
    case .gatedRecurrence(let stage):
      return .propagator(
        try GatedRecurrence(classes: channels(), scoresAfter: stage, parameters: parameters))
    case .tapBlend(let start, let isRefined):
      return .propagator(
        try NetWarpBlend(
          channels: channels(), after: tap, start: start, refinesMotion: isRefined,
          parameters: parameters))
    case .difference(let size):
      return .propagator(
        try DifferenceConvolution(classes: channels(), size: size, parameters: parameters))
    case .correction(let branch, let carrier, let start):
      let network = try branch.branch(parameters)
      return .fusion(
        try CorrectiveFusion(
          classes: channels(), with: network, giving: network.channels(), start: start,
          parameters: parameters), behind: carrier.propagator)
    case .errorGuided(let branch, let carrier, let width):
      let network = try branch.branch(parameters)
      return .fusion(
        try ErrorGuidedFusion(
          classes: channels(), with: network, giving: network.channels(), width: width,
          parameters: parameters), behind: carrier.propagator)
    case .attention(let branch, let carrier, let size):
      let network = try branch.branch(parameters)
      guard try network.channels() == channels() else {
        throw SpecificationError(
          .badDescription,
          "the branch gives \(try network.channels()) channels, \(try channels()) are propagated")
      }
      return .fusion(
        try CrossResolutionAttention(
          channels: channels(), with: network, size: size, parameters: parameters),
        behind: carrier.propagator)
    }
  }
}

extension PropagationSpecification.BranchSpecification {
  fileprivate func branch(_ parameters: Parameters) throws -> NetworkBranch {
    let folder = try NetworkFolder(at: network)
    guard isTrained else {
      return try NetworkBranch(
        folder.network(on: parameters.device).folded(), through: stage, scale: scale)
    }
    let drawn = try SegmentationNetwork(
      folder.specification, parameters: parameters, in: parameters.root["branch"])
    try parameters.begin(with: folder.folder, under: "branch.")
    return try NetworkBranch(drawn, through: stage, scale: scale, isTrained: true)
  }
}

extension NetworkBranch {
  /// How many channels it gives.
  fileprivate func channels() throws -> Int {
    try network.channels(after: network.stages[stages - 1].name)
  }
}

extension Parameters {
  /// Takes over the trained weights of a folder, under the names that begin with `prefix` here,
  /// where parameters are drawn.
  fileprivate func begin(with folder: ModelFolder, under prefix: String) throws {
    guard isDrawn, folder.isTrained else { return }
    let file = try folder.weights()
    for parameter in all where parameter.name.hasPrefix(prefix) {
      let name = String(parameter.name.dropFirst(prefix.count))
      try parameter.tensor.assign(file.tensor(name).cast(to: .float32).to(device))
    }
  }
}
