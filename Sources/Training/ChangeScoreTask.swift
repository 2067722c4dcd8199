// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Datasets
public import Flow
public import Layers
public import Scheduler
internal import Tensors
internal import Video

/// Training a change score behind a network that stays as it is, by what the network itself says of
/// both frames of a pair: labels by hand are not needed.
public struct ChangeScoreTask: TrainingTask {
  /// What the change score is to tell.
  public enum Aim: String, Sendable, Hashable, CaseIterable {
    /// The share of labels that are not the key's (LLVSS).
    case change
    /// The share of labels that are not those propagated from the key along the motion (DVSNet).
    case loss
  }

  /// The network behind which it is trained, which stays as it is.
  public let backbone: SegmentationNetwork
  /// The change score that is trained.
  public let changeScore: LearnedChangeScore
  /// What the change score is to tell.
  public let aim: Aim
  private let pairs: AugmentedRuns
  private let validation: (pairs: AugmentedRuns, count: Int)?

  /// Pairs of frames in one view, with the motion between them.
  public typealias Batch = AugmentedRuns.Batch

  /// A task on pairs out of `sources`, along the motion that `flow` finds.
  ///
  /// `degradation` is what each frame suffers on its own while it learns. It is measured on as many
  /// whole pairs of `validation` as it counts, where there is one.
  ///
  /// - Precondition: there is a source.
  public init(
    _ changeScore: LearnedChangeScore, to aim: Aim, behind backbone: SegmentationNetwork,
    on sources: [PairSource], along flow: some FlowEstimator, augmentation: Augmentation,
    batchSize: Int, degradation: Degradation = Degradation(), validation: PairSource? = nil,
    seed: UInt64 = 1
  ) throws {
    (self.backbone, self.changeScore, self.aim) = (backbone, changeScore, aim)
    let void = backbone.specification.ignoredLabel
    pairs = AugmentedRuns(
      sources, along: flow, augmentation: augmentation, batchSize: batchSize, void: void,
      seed: seed, degradation: degradation)
    self.validation = try validation.map { source in
      let size = try source.pairs.pair(0).current.size
      let whole = AugmentedRuns(
        [source], along: flow, augmentation: Augmentation(crop: size, flips: false),
        batchSize: 1, void: void, seed: seed)
      return (whole, source.count)
    }
  }

  /// What training changes: the change score's parameters.
  public var parameters: Parameters { changeScore.parameters }

  /// The pairs of a step, which follow from the step and the seed.
  public func batch(at step: Int) throws -> Batch {
    try pairs.batch(at: step, on: parameters.device)
  }

  /// The mean square of what the change score is off by.
  public func loss(of batch: Batch, at _: Int, in pass: ForwardContext) throws -> Loss {
    let (change, truth) = try withoutGradients { try lesson(of: batch) }
    let error = try changeScore.predict(change, in: pass) - truth
    return Loss(try (error * error).mean())
  }

  /// The mean of what the change score is off by, and how it correlates with what it is to tell,
  /// which is what matters to a limit.
  public func evaluate() throws -> [String: Double] {
    guard let validation else { return [:] }
    var found: [(said: Double, true: Double)] = []
    for index in 0..<validation.count {
      let batch = try validation.pairs.batch(at: index, on: parameters.device)
      let (change, truth) = try lesson(of: batch)
      let said = try changeScore.predict(change, in: .inference).item()
      found.append((Double(said), Double(try truth.item())))
    }
    let count = Double(max(1, found.count))
    let error = found.reduce(0) { $0 + abs($1.said - $1.true) } / count
    return ["val/error": error, "val/correlation": Self.correlation(of: found)]
  }

  /// Pearson's; 0 where one of the two never varies.
  private static func correlation(of pairs: [(Double, Double)]) -> Double {
    let count = Double(max(1, pairs.count))
    let means = pairs.reduce((0, 0)) { ($0.0 + $1.0 / count, $0.1 + $1.1 / count) }
    let sums = pairs.reduce((0.0, 0.0, 0.0)) { sums, pair in
      let (x, y) = (pair.0 - means.0, pair.1 - means.1)
      return (sums.0 + x * y, sums.1 + x * x, sums.2 + y * y)
    }
    let spread = (sums.1 * sums.2).squareRoot()
    return spread > 0 ? sums.0 / spread : 0
  }

  /// What the network is shown of a batch's pairs, and what it is to say of each.
  private func lesson(of batch: Batch) throws -> (change: Tensor, truth: Tensor) {
    let run = BatchedRun(batch, behind: backbone, on: parameters.device)
    let all = backbone.stages.count
    let scores = try run.features(of: 1, through: all).main
    var before = try run.features(of: 0, through: all).main
    if aim == .loss {
      let (flow, _) = try batch.flow(
        height: before.shape[2], width: before.shape[3], on: parameters.device)
      before = try before.warped(along: flow)
    }
    let same = try scores.argmaxLabels().equal(to: before.argmaxLabels()).cast(to: .float32)
    return (
      try change(in: run), try 1 - same.mean(axes: [1, 2])
    )
  }

  private func change(in run: BatchedRun) throws -> Tensor {
    switch changeScore.sight {
    case .features(let stage):
      let count = try backbone.index(ofStage: stage) + 1
      return try run.features(of: 1, through: count).main
        - run.features(of: 0, through: count).main
    case .motion:
      let (cell, batch) = (LearnedChangeScore.cell, run.batch)
      let shape = batch.current.shape
      let grid = Extent(height: (shape[2] + cell - 1) / cell, width: (shape[3] + cell - 1) / cell)
      let (flow, valid) = try batch.flow(
        height: grid.height, width: grid.width, on: parameters.device)
      return try LearnedChangeScore.change(
        from: batch.keyframe.adaptiveAveragePool(grid),
        to: batch.current.adaptiveAveragePool(grid), along: flow, known: valid)
    }
  }
}
