// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Layers
internal import Specification

/// What of a pipeline is trained to propagate features: a propagator, or a fusion or a decoder
/// behind one that is not.
public enum TrainablePropagation: Sendable {
  /// A propagator that is trained.
  case propagator(any LearnedPropagator)
  /// A fusion that is trained, behind a propagator that is not.
  case fusion(any LearnedFusion, behind: any Propagator)
  /// The network's stages after the tap as they are trained for propagated features, behind a
  /// propagator that is not: non-key frames alone run them.
  case decoder(SegmentationNetwork, behind: any Propagator)

  /// What training changes: those of the propagator, of the fusion or of the decoder.
  public var parameters: Parameters {
    switch self {
    case .propagator(let propagator): propagator.parameters
    case .fusion(let fusion, _): fusion.parameters
    case .decoder(let decoder, _): decoder.parameters
    }
  }

  /// What propagates, whether it is trained or not.
  public var propagator: any Propagator {
    switch self {
    case .propagator(let propagator): propagator
    case .fusion(_, let propagator), .decoder(_, let propagator): propagator
    }
  }

  /// Whether it finds the motion itself, which its training may then be told of.
  public var findsMotion: Bool {
    if case .propagator(let propagator) = self { propagator.findsMotion } else { false }
  }

  /// What is fused with what was propagated; nil where there is none.
  public var fusion: (any Fusion)? {
    if case .fusion(let fusion, _) = self { fusion } else { nil }
  }

  /// The same in fewer operations, to be used and no longer trained.
  public func folded() throws -> TrainablePropagation {
    switch self {
    case .propagator: self
    case .fusion(let fusion, let propagator): .fusion(try fusion.folded(), behind: propagator)
    case .decoder(let decoder, let propagator): .decoder(try decoder.folded(), behind: propagator)
    }
  }

  /// What runs after the tap on non-key frames; nil for the backbone's own stages.
  public var decoder: SegmentationNetwork? {
    if case .decoder(let decoder, _) = self { decoder } else { nil }
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
    var context = BuildContext()
    context[TrainablePropagations.self] = known
    context[PropagationSite.self] = PropagationSite(
      backbone: backbone, folder: self.backbone, tap: tap, parameters: parameters)
    return try known.kinds.build(part, in: context)
  }
}
