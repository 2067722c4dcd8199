// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Flow
public import Layers
public import Propagation
internal import Tensors

/// Training what carries features behind a network that stays as it is.
///
/// Of a pair of frames the earlier one is the key: the network's features of it at the tap are carried to
/// the other, the rest of the network makes scores of them, and the loss flows back through that rest and
/// the carrying. Where frames have no labels, the network's own scores of the later frame are the target:
/// an objective whose teaching is by `backbone`.
public struct PropagationTask: TrainingTask {
  public let backbone: SegmentationNetwork
  public let part: TrainablePropagation
  public let lesson: StageConfiguration
  /// What the mean square difference of what is carried from the later frame's own features at the tap counts
  /// (the feature similarity of AR-Seg; Hu et al., CVPR 2023, section 3.3).
  public var similarity = 0.0
  public var evaluation: (@Sendable () throws -> [String: Double])?
  private let cachedStages: Int
  private let pairs: AugmentedPairs

  public typealias Batch = AugmentedPairs.Batch

  /// A task on pairs out of `sources`, along the motion that `flow` finds.
  ///
  /// `tap` names the stage whose output is carried; the last one if none is named.
  ///
  /// - Precondition: there is a source.
  /// - Throws: `BackboneError` where the backbone has no such stage.
  public init(
    _ part: TrainablePropagation, behind backbone: SegmentationNetwork, tap: String? = nil,
    on sources: [PairSource], along flow: some FlowEstimator, lesson: StageConfiguration,
    seed: UInt64 = 1
  ) throws {
    (self.part, self.backbone, self.lesson) = (part, backbone, lesson)
    cachedStages = try tap.map { try backbone.index(ofStage: $0) + 1 } ?? backbone.stages.count
    pairs = AugmentedPairs(
      sources, along: flow, augmentation: lesson.augmentation, batchSize: lesson.batchSize,
      void: backbone.specification.ignoredLabel, seed: seed)
  }

  public var parameters: Parameters { part.parameters }

  public func batch(at step: Int) throws -> Batch {
    try pairs.batch(at: step, on: parameters.device)
  }

  public func loss(of batch: Batch, at _: Int, in pass: ForwardContext) throws -> Loss {
    let scaling = backbone.specification.input.scaling
    let seen = try batch.current.scaled(by: scaling).channelsLast()
    let current = FeatureCache(seen, backbone)
    let reference = FeatureCache(
      try batch.reference.scaled(by: scaling).channelsLast(), backbone)
    let evidence = Evidence(
      motion: { try batch.motion(height: $0, width: $1, on: parameters.device) },
      picture: { $0 == .current ? batch.current : batch.reference },
      features: { stage, side in
        let count = try backbone.index(ofStage: stage) + 1
        return try (side == .current ? current : reference).features(through: count).main
      })
    let cached = try reference.features(through: cachedStages)
    let carried = try carry(cached.main, given: evidence, in: pass)
    let skips = try current.skips(cached.skips.count)
    let rest = try backbone.run(
      cachedStages..<backbone.stages.count, on: Features(carried, skips: skips), in: .inference)
    let scores = try rest.main.resizedBilinear(
      height: batch.labels.shape[1], width: batch.labels.shape[2], grid: .halfPixel)
    var loss = try lesson.objective.loss(
      of: scores, labels: batch.labels, void: Int(backbone.specification.ignoredLabel),
      images: seen)
    if similarity > 0 {
      let own = try current.features(through: cachedStages).main
      try loss.add(
        featureDistance(carried, from: own), named: "similarity", counting: similarity)
    }
    return loss
  }

  private func carry(_ cached: Tensor, given evidence: Evidence, in pass: ForwardContext) throws -> Tensor {
    switch part {
    case .propagator(let propagator):
      return try propagator.carry(propagator.prepare(cached), given: evidence, in: pass)
    case .fusion(let fusion, let propagator):
      let carried = try propagator(propagator.prepare(cached), given: evidence)
      return try fusion.fuse(carried, given: evidence, in: pass)
    }
  }

  public func evaluate() throws -> [String: Double] { try evaluation?() ?? [:] }
}

/// What a network that is not trained makes of pictures, stage by stage as it is asked for.
final class FeatureCache {
  private let backbone: SegmentationNetwork
  private var known: [Features]

  init(_ pictures: Tensor, _ backbone: SegmentationNetwork) {
    self.backbone = backbone
    known = [Features(pictures)]
  }

  func features(through count: Int) throws -> Features {
    while known.count <= count {
      let stage = known.count - 1
      let next = try withoutGradients {
        try backbone.run(stage..<stage + 1, on: known[stage], in: .inference)
      }
      known.append(next)
    }
    return known[count]
  }

  /// The first `count` outputs of stages that later ones read too.
  func skips(_ count: Int) throws -> [Tensor] {
    var stages = 0
    while try features(through: stages).skips.count < count { stages += 1 }
    return try features(through: stages).skips
  }
}
