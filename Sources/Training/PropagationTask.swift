// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Flow
internal import Frames
public import Layers
public import Propagation
internal import Tensors
internal import Video

/// Training what propagates features behind a network that stays as it is, or is trained with it.
///
/// Of a run of frames the first is the keyframe: the network's features of it at the tap are
/// propagated to the last, by way of those between where the part goes from frame to frame. The
/// rest of the network makes scores of them, and the loss flows back through that rest and all
/// steps of the way. Two frames, unless said otherwise, are a pair. Where frames have no labels,
/// the network's own scores of the last frame are the target: an objective whose teaching is by
/// `backbone`.
public struct PropagationTask: TrainingTask {
  /// The network behind which it is trained.
  public let backbone: SegmentationNetwork
  /// Whether the network is trained too, all but the statistics of its normalisations: it is where
  /// it is among the `networks`.
  public var trainsBackbone: Bool { !networks.isEmpty }
  /// What the loss of the network's own scores of the last frame counts, without the part: it keeps
  /// a network that is trained too good at key frames.
  public var perFrame = 0.0
  /// What is trained.
  public let part: TrainablePropagation
  /// How frames are changed before they are seen, and what is brought down.
  public let lesson: StageConfiguration
  /// What the mean square difference of what is propagated from the last frame's own features at
  /// the tap counts (the feature similarity of AR-Seg; Hu et al., CVPR 2023, section 3.3).
  public var similarity = 0.0
  /// What the error map of a fusion counts that tells one (`LearnedFusion.fuseTellingErrors`),
  /// taught by where the propagated labels are wrong.
  public var errors = 0.0
  /// What the key frame's labels count, carried along the motion that a propagator finds itself
  /// (`LearnedPropagator.findsMotion`), where they are not those of the last frame.
  public var carried = 0.0
  /// Whether labels are learned from, where there are some; else the network's own scores alone.
  public var usesLabels = true
  /// What measures the part as it stands; nil for nothing.
  public var evaluation: (@Sendable () throws -> [String: Double])?
  private let cachedStages: Int
  private let runs: AugmentedRuns

  /// Runs of frames in one view, with the motion between them.
  public typealias Batch = AugmentedRuns.Batch

  /// A task on runs of `frames` frames out of `sources`, along the optical flow that `flow` finds.
  ///
  /// `tap` names the stage whose output is propagated; the last one if none is named.
  /// `degradation` is what each frame suffers on its own.
  ///
  /// - Precondition: there is a source, and there are two frames.
  /// - Throws: `BackboneError` where the backbone has no such stage.
  public init(
    _ part: TrainablePropagation, behind backbone: SegmentationNetwork, tap: String? = nil,
    on sources: [PairSource], along flow: some FlowEstimator, lesson: StageConfiguration,
    frames: Int = 2, degradation: Degradation = Degradation(), seed: UInt64 = 1
  ) throws {
    (self.part, self.backbone, self.lesson) = (part, backbone, lesson)
    cachedStages = try tap.map { try backbone.index(ofStage: $0) + 1 } ?? backbone.stages.count
    runs = AugmentedRuns(
      sources, along: flow, augmentation: lesson.augmentation, batchSize: lesson.batchSize,
      void: backbone.specification.ignoredLabel, seed: seed, frames: frames,
      reference: part.propagator.readsKeyframeDirectly ? .keyframe : .previous,
      degradation: degradation)
  }

  /// What training changes: the part's parameters, and with them the backbone's where it is trained
  /// too.
  public var parameters: Parameters { part.parameters }
  /// The backbone, where it is trained too, with the prefix of its parameters among the part's;
  /// empty where it stays as it is.
  public var networks: [TrainedNetwork] = []

  /// The runs of a step, which follow from the step and the seed.
  public func batch(at step: Int) throws -> Batch {
    let batch = try runs.batch(at: step, on: parameters.device)
    return usesLabels
      ? batch : try batch.unlabelled(void: Float(backbone.specification.ignoredLabel))
  }

  /// What the propagated scores of the last frames lose, and what their features are off by.
  public func loss(of batch: Batch, at _: Int, in pass: ForwardContext) throws -> Loss {
    let run = BatchedRun(
      batch, behind: backbone, isTrained: trainsBackbone, on: parameters.device)
    let keyframe = try run.features(of: 0, through: cachedStages)
    let (propagated, others) = try propagate(keyframe.main, along: run, of: batch, in: pass)
    let skips = try run.skips(keyframe.skips.count)
    let rest = try (part.decoder ?? backbone).run(
      cachedStages..<backbone.stages.count, on: Features(propagated, skips: skips), in: .inference)
    var loss = try self.loss(ofScores: rest.main, of: batch)
    if perFrame > 0 {
      let own = try run.features(of: run.last, through: backbone.stages.count).main
      try loss.add(
        self.loss(ofScores: own, of: batch).total, named: "per_frame", counting: perFrame)
    }
    for (name, other, weight) in others { try loss.add(other, named: name, counting: weight) }
    if similarity > 0 {
      let own = try run.features(of: run.last, through: cachedStages).main
      let known = try batch.known?.unsqueezed(axis: 1)
        .adaptiveAveragePool(Extent(height: own.shape[2], width: own.shape[3]))
        .squeezed(axis: 1)
      try loss.add(
        featureDistance(propagated, from: own, weights: known), named: "similarity",
        counting: similarity)
    }
    return loss
  }

  /// What scores of the last frames lose.
  private func loss(ofScores scores: Tensor, of batch: Batch) throws -> Loss {
    try lesson.objective.loss(
      of: scores.resizedBilinear(
        height: batch.labels.shape[1], width: batch.labels.shape[2], grid: .halfPixel),
      labels: batch.labels, void: Int(backbone.specification.ignoredLabel),
      images: batch.current.scaled(by: backbone.specification.input.scaling).channelsLast(),
      known: batch.known)
  }

  /// A loss beside that of the scores.
  private typealias Other = (name: String, loss: Tensor, weight: Double)

  /// The key frame's map at the last frame of a run, and what else the way there loses: a fusion's
  /// error map, or the key frame's labels along the motion, where these are taught.
  private func propagate(
    _ keyframe: Tensor, along run: BatchedRun, of batch: Batch, in pass: ForwardContext
  ) throws -> (map: Tensor, others: [Other]) {
    // What reads the key frame itself asks nothing of the frames between.
    let first = part.propagator.readsKeyframeDirectly ? run.last : 1
    let contexts = (first...run.last).map { run.context(of: $0) }
    switch part {
    case .propagator(let propagator)
    where carried > 0 && propagator.findsMotion && propagator.readsKeyframeDirectly:
      let lesson = CarriedLabels(classes: backbone.specification.classes.count)
      let (map, planes) = try propagator.propagate(
        propagator.prepared(keyframe), beside: planes(batch.keyframeLabels, in: lesson),
        given: contexts[0], in: pass)
      guard let planes else { return (map, []) }
      let lost = try lesson.loss(of: planes, from: self.planes(batch.labels, in: lesson))
      return (map, [("carried", lost, carried)])
    case .propagator(let propagator):
      return (
        try propagator.propagate(propagator.prepared(keyframe), through: contexts, in: pass), []
      )
    case .fusion(let fusion, let propagator):
      let propagated = try carry(keyframe, through: contexts, of: run, by: propagator)
      let context = run.context(of: run.last)
      guard errors > 0 else {
        return (try fusion.fuse(propagated, given: context, in: pass), [])
      }
      let (fused, told) = try fusion.fuseTellingErrors(propagated, given: context, in: pass)
      guard let map = told else { return (fused, []) }
      let lost = try errorMapLoss(
        map, of: propagated, labels: labels(of: batch, in: run), known: batch.known)
      return (fused, [("errors", lost, errors)])
    case .decoder(_, let propagator):
      return (try carry(keyframe, through: contexts, of: run, by: propagator), [])
    }
  }

  /// Labels of whole blocks of four pixels each way, with what is void in a class of its own.
  private func planes(_ labels: Tensor, in lesson: CarriedLabels) throws -> Tensor {
    let isVoid = try labels.equal(to: Float(backbone.specification.ignoredLabel))
    return try lesson.planes(labels.filled(with: Float(lesson.classes), where: isVoid), 4)
  }

  /// The labels of the last frames; where nobody labelled them, the network's own.
  private func labels(of batch: Batch, in run: BatchedRun) throws -> Tensor {
    let shape = batch.labels.shape, void = Float(backbone.specification.ignoredLabel)
    let own = try run.features(of: run.last, through: backbone.stages.count).main.detached()
      .resizedBilinear(height: shape[1], width: shape[2], grid: .halfPixel)
      .argmaxLabels()
    let isVoid = try batch.labels.equal(to: void)
    return try .choose(where: isVoid, own, otherwise: batch.labels)
  }

  /// The key frame's map, brought through successive frames by a propagator without parameters.
  private func carry(
    _ keyframe: Tensor, through contexts: [FrameContext], of run: BatchedRun,
    by propagator: some Propagator
  ) throws -> Tensor {
    var (propagator, propagated) = (propagator, keyframe)
    let tap = backbone.stages[cachedStages - 1].name
    try propagator.keyframe(FeatureMaps(keyframe, after: tap), in: run.context(of: 0))
    for context in contexts { propagated = try propagator.propagate(to: context).only() }
    return propagated
  }

  /// What `evaluation` measures; empty without it.
  public func evaluate() throws -> [String: Double] { try evaluation?() ?? [:] }
}

extension LearnedPropagator {
  /// A key frame's map at the last of successive frames.
  fileprivate func propagate(
    _ keyframe: Tensor, through contexts: [FrameContext], in pass: ForwardContext
  ) throws -> Tensor {
    var (map, propagated) = (keyframe, keyframe)
    for context in contexts {
      propagated = try propagate(map, given: context, in: pass)
      map = try next(after: map, propagated: propagated, given: context)
    }
    return propagated
  }
}
