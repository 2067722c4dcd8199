// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Flow
internal import Layers
public import Propagation
public import Specification
public import Tensors

/// A part that propagates features and how it is trained, as one YAML file says.
///
/// Beside the keys of `PropagationSpecification`:
/// ```yaml
/// training:
///   seed: 1
///   batch: 4
///   crop: [240, 320]     # height, width; scale, rotation and colour as for segmentation networks
///   pairs: 800           # how many are made of each source, and then seen again and again
///   gaps: [1, 10]        # frames from the key frame to the one that is propagated to
///   frames: 2            # successive ones, each that far from the one before; 2 if left out
///   degradation: {noise: 4, exposure: 0.05, blur: 0.8, quality: [50, 95]}   # of each frame
///   distillation: 1      # the weight of agreement with the backbone's own scores
///   labels: none         # agreement alone, whatever the data's labels say; else they count: given
///   similarity: 1        # the weight of feature similarity to the later frame (AR-Seg)
///   errors: 0.5          # the weight of a fusion's error map, taught by what is wrong (DAVSS)
///   carried: 1           # the weight of the key frame's labels, carried along the motion that a
///                        # part finds itself (DFF's flow network)
///   backbone: trained    # it too, but for the statistics of its normalisations; stages may say
///                        # `rates: {backbone: 0.1}`. Else it stays as it is: frozen
///   per_frame: 1         # the weight of the loss of per-frame inference
///   soft_iou: 0.5        # relaxed, ohem: as for segmentation networks
///   stages: …            # as for any other network
/// ```
public struct PropagationTrainingSpecification: Sendable {
  /// The part that is trained.
  public let part: PropagationSpecification
  /// The stages and the seed.
  public var plan: TrainingPlan
  /// How frames are changed before they are seen, and what is brought down.
  public let lesson: StageConfiguration
  /// What agreement with the backbone counts.
  public let agreement: Double
  /// Whether it learns from labels, where the data have some; else from the backbone alone.
  public let usesLabels: Bool
  /// What similarity of the features counts.
  public let similarity: Double
  /// What the error map of a fusion counts.
  public let errors: Double
  /// What the key frame's labels count, carried along the motion that the part finds.
  public let carried: Double
  /// Whether the backbone is trained too, and what the loss of its own scores counts.
  public let trainsBackbone: Bool, perFrame: Double
  /// How many pairs are made of each source, and how many frames lie from one to the other.
  public let pairCount: Int, gaps: ClosedRange<Int>
  /// How many successive frames are seen at once, the key frame included.
  public let frames: Int
  /// What each frame suffers on its own.
  public let degradation: Degradation
  /// Tells this specification from any other.
  public let fingerprint: TrainingFingerprint

  private static let lessonKeys = [
    "batch", "crop", "scale", "rotation", "colour", "relaxed", "ohem", "soft_iou",
  ]

  /// Reads a description; `folder` is where the files it names lie, `known` what it may name.
  ///
  /// - Throws: `SpecificationError` with the key that is missing, unknown or of the wrong type.
  public init(
    yaml: String, folder: String, in known: TrainablePropagations = .standard
  ) throws(SpecificationError) {
    let root = try DescriptionReader(yaml: yaml)
    part = try PropagationSpecification(root, folder: folder, in: known)
    let training = try root.group("training")
    try training.allow(
      Self.lessonKeys + [
        "seed", "pairs", "gaps", "frames", "degradation", "distillation", "similarity", "errors",
        "carried", "backbone", "per_frame", "labels", "stages",
      ])
    lesson = try StageConfiguration(training, usually: training)
    agreement = try training.number("distillation", in: 0...1000, usual: 1)
    usesLabels = try training.choice("labels", usual: LabelUse.given) == .given
    similarity = try training.number("similarity", in: 0...1000, usual: 0)
    errors = try training.number("errors", in: 0...1000, usual: 0)
    carried = try training.number("carried", in: 0...1000, usual: 0)
    trainsBackbone = try training.choice("backbone", usual: BackboneUse.frozen) == .trained
    perFrame = try training.number("per_frame", in: 0...1000, usual: 0)
    guard trainsBackbone || perFrame == 0 else {
      throw training.complaint("per_frame", "says nothing of a backbone that stays as it is")
    }
    guard usesLabels || carried == 0 else {
      throw training.complaint("carried", "counts labels, and 'labels: none' has them left out")
    }
    pairCount = try training.integer("pairs", in: 1...1_000_000)
    gaps = try training.gaps(usual: 1...10)
    frames = try training.integer("frames", in: 2...32, usual: 2)
    degradation = try training.degradation()
    plan = try training.plan(in: folder)
    fingerprint = try TrainingFingerprint(of: root, stages: plan.stages.count)
  }

  /// The task that this describes, with weights drawn by the plan's seed.
  ///
  /// - Precondition: there is a source.
  /// - Throws: `BackboneError` where there is nothing to learn from: no labels, and no agreement
  ///   asked for.
  public func task(
    behind backbone: SegmentationNetwork, on sources: [PairSource], along flow: some FlowEstimator,
    device: Device = .cpu
  ) throws -> PropagationTask {
    let hasLabels = usesLabels && sources.contains(where: \.isLabelled)
    guard agreement > 0 || similarity > 0 || hasLabels else {
      throw SpecificationError(
        .badDescription,
        (usesLabels ? "the data have no labels of the backbone's classes" : "no labels are used")
          + "; training.distillation: 1 learns from the backbone itself")
    }
    var lesson = lesson
    if agreement > 0 {
      lesson.objective.teaching = try .init(backbone, weights: .init(scores: agreement))
    }
    let parameters = Parameters(seed: plan.seed, device: device)
    let trained = try trainsBackbone ? trainedBackbone(in: parameters) : nil
    let trainable = try part.part(behind: backbone, parameters: parameters)
    let reachesKeyframe = trainable.findsMotion && trainable.propagator.readsKeyframeDirectly
    guard carried == 0 || reachesKeyframe else {
      throw SpecificationError(
        .badDescription,
        "training.carried: this part finds no motion to the key frame itself, as scaled-warp does")
    }
    var task = try PropagationTask(
      trainable,
      behind: trained?.network ?? backbone, tap: part.tap, on: sources, along: flow, lesson: lesson,
      frames: frames, degradation: degradation, seed: plan.seed)
    (task.similarity, task.perFrame, task.errors) = (similarity, perFrame, errors)
    (task.carried, task.usesLabels) = (carried, usesLabels)
    task.networks = trained.map { [$0.folder] } ?? []
    return task
  }

  /// The backbone with parameters that are trained with the part's, and the folder that it becomes.
  private func trainedBackbone(
    in parameters: Parameters
  ) throws -> (network: SegmentationNetwork, folder: TrainedNetwork) {
    let prefix = "backbone"
    let folder = try NetworkFolder(at: part.backbone)
    try parameters.base(on: folder.folder, under: prefix + ".")
    let network = try SegmentationNetwork(
      folder.specification, parameters: parameters, in: parameters.root[prefix])
    return (
      network,
      TrainedNetwork(
        prefix, specification: folder.folder.specification, base: folder.folder.absolutePath)
    )
  }
}

/// Whether a training learns from the data's labels.
private enum LabelUse: String, CaseIterable {
  case given, none
}

extension DescriptionReader {
  /// One of the cases, by its name; `usual` where the key is missing.
  fileprivate func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ key: String, usual: Choice
  ) throws(SpecificationError) -> Choice {
    guard has(key) else { return usual }
    try check(key, isOneOf: Choice.allCases.map(\.rawValue))
    return Choice(rawValue: try string(key)) ?? usual
  }
}

/// What a training does to the backbone behind a part.
private enum BackboneUse: String, CaseIterable {
  case frozen, trained
}
