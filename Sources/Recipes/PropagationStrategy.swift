// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Layers
public import Propagation
public import Specification

/// How non-key frames come by their scores: what a pipeline has beside backbone, scheduler
/// and flow.
public struct PropagationStrategy: Sendable {
  /// What propagates features to non-key frames.
  public let propagator: any Propagator
  /// What joins them with what is seen of the frame; nil for nothing.
  public let fusion: (any Fusion)?
  /// What runs after the tap on non-key frames; nil for the backbone's own stages.
  public let decoder: SegmentationNetwork?
  /// The stage whose output is propagated; nil where any will do.
  public let tap: String?
  /// The optical flow that it was trained along, as text; nil where nothing was trained.
  public let trainedFlow: String?
  /// What propagates predictions in the place of features; nil where features are propagated.
  public let carrier: PredictionCarrier?

  /// A propagator, with what it was trained for where it was.
  public init(
    _ propagator: any Propagator, fusion: (any Fusion)? = nil, decoder: SegmentationNetwork? = nil,
    tap: String? = nil, trainedFlow: String? = nil
  ) {
    (self.propagator, self.fusion, self.decoder) = (propagator, fusion, decoder)
    self.tap = tap
    (self.trainedFlow, carrier) = (trainedFlow, nil)
  }

  /// What propagates predictions.
  public init(_ carrier: PredictionCarrier) {
    (propagator, fusion, decoder, tap, trainedFlow) = (Copy(), nil, nil, nil, nil)
    self.carrier = carrier
  }

  /// What was trained, in a model folder, for a backbone; its branch sees pictures whose sides are
  /// `scale` times as long as the frame's, where one is given.
  ///
  /// - Throws: `SpecificationError` where a file is missing, or the parts do not fit the backbone.
  public init(
    _ folder: ModelFolder, behind backbone: any Backbone,
    scale: Double? = nil, in known: TrainablePropagations = .standard
  ) throws {
    var specification = try PropagationSpecification(folder, in: known)
    if let scale {
      do { specification = try specification.seeing(scale: scale) } catch {
        throw error.located(in: folder.specificationPath)
      }
    }
    let part = try folder.load {
      try specification.part(behind: backbone, parameters: $0)
    }.folded()
    self.init(
      part.propagator, fusion: part.fusion, decoder: part.decoder,
      tap: specification.tap, trainedFlow: specification.flow)
  }
}

/// A propagator of predictions, for those of its own type.
public struct PredictionCarrier: Sendable {
  private let box: any Sendable

  /// What propagates predictions of its type.
  public init<Prediction>(_ propagator: some PredictionPropagator<Prediction>) {
    box = Box(propagator: propagator)
  }

  /// The propagator; nil where it is for other predictions.
  public func propagator<Prediction>(
    of _: Prediction.Type
  ) -> (any PredictionPropagator<Prediction>)? { (box as? Box<Prediction>)?.propagator }

  private struct Box<Prediction>: Sendable {
    let propagator: any PredictionPropagator<Prediction>
  }
}
