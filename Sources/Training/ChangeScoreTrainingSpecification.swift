// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Flow
internal import Layers
public import Scheduler
public import Specification
public import Tensors

/// A change score and how it is trained, as one YAML file says.
///
/// Beside the keys of `ChangeScoreSpecification`:
/// ```yaml
/// training:
///   seed: 1
///   aim: loss            # the share of propagated labels that are wrong (DVSNet); or change
///   batch: 8
///   crop: [240, 320]     # height, width; scale, rotation and colour as for segmentation networks
///   pairs: 400           # how many are made of each source, and then seen again and again
///   gaps: [1, 20]        # frames from the key to the other
///   degradation: {noise: 4, exposure: 0.05, blur: 0.8, quality: [50, 95]}   # of each frame
///   stages: …            # as for any other network
/// ```
public struct ChangeScoreTrainingSpecification: Sendable {
  /// The change score that is trained.
  public let changeScore: ChangeScoreSpecification
  /// The stages and the seed.
  public var plan: TrainingPlan
  /// What the change score is to tell.
  public let aim: ChangeScoreTask.Aim
  /// How pairs are changed before they are seen.
  public let augmentation: Augmentation
  /// Pairs a step.
  public let batchSize: Int
  /// How many pairs are made of each source, and how many frames lie from one to the other.
  public let pairCount: Int, gaps: ClosedRange<Int>
  /// What each frame suffers on its own.
  public let degradation: Degradation
  /// Tells this specification from any other.
  public let fingerprint: TrainingFingerprint

  /// Reads a description; `folder` is where the files it names lie.
  ///
  /// - Throws: `SpecificationError` with the key that is missing, unknown or of the wrong type.
  public init(yaml: String, folder: String) throws(SpecificationError) {
    let root = try DescriptionReader(yaml: yaml)
    changeScore = try ChangeScoreSpecification(root, folder: folder)
    let training = try root.group("training")
    try training.allow([
      "seed", "aim", "batch", "crop", "scale", "rotation", "colour", "pairs", "gaps", "degradation",
      "stages",
    ])
    let lesson = try StageConfiguration(training, usually: training)
    (augmentation, batchSize) = (lesson.augmentation, lesson.batchSize)
    try training.check("aim", isOneOf: ChangeScoreTask.Aim.allCases.map(\.rawValue))
    aim = ChangeScoreTask.Aim(rawValue: try training.string("aim")) ?? .loss
    pairCount = try training.integer("pairs", in: 1...1_000_000)
    gaps = try training.gaps(usual: 1...20)
    degradation = try training.degradation()
    plan = try training.plan(in: folder)
    fingerprint = try TrainingFingerprint(of: root, stages: plan.stages.count)
  }

  /// The task that this describes, with weights drawn by the plan's seed.
  ///
  /// - Precondition: there is a source.
  public func task(
    behind backbone: SegmentationNetwork, on sources: [PairSource], along flow: some FlowEstimator,
    validation: PairSource? = nil, device: Device = .cpu
  ) throws -> ChangeScoreTask {
    try ChangeScoreTask(
      LearnedChangeScore(
        changeScore, channels: { try backbone.channels(after: $0) },
        parameters: Parameters(seed: plan.seed, device: device)),
      to: aim, behind: backbone, on: sources, along: flow, augmentation: augmentation,
      batchSize: batchSize, degradation: degradation, validation: validation, seed: plan.seed)
  }
}

extension DescriptionReader {
  /// The smallest and the largest gap between the frames of a pair.
  func gaps(usual: ClosedRange<Int>) throws(SpecificationError) -> ClosedRange<Int> {
    guard has("gaps") else { return usual }
    let bounds = try integers("gaps", in: 1...1000)
    guard bounds.count == 2, bounds[0] <= bounds[1] else {
      throw complaint("gaps", "must be the smallest and the largest")
    }
    return bounds[0]...bounds[1]
  }

  /// The plan that a group `training` holds.
  func plan(in folder: String) throws(SpecificationError) -> TrainingPlan {
    let plan = TrainingPlan(
      stages: try groups("stages").map { (stage) throws(SpecificationError) in
        try TrainingStage(stage, folder: folder)
      }, seed: UInt64(try integer("seed", in: 0...Int.max, usual: 1)))
    guard !plan.stages.isEmpty else { throw complaint("stages", "must name at least one") }
    return plan
  }
}
