// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Layers
public import Specification
public import Tensors
public import Video

/// A head and how it is trained, as one YAML file says.
///
/// Beside the keys of `HeadSpecification`:
/// ```yaml
/// training:
///   seed: 1
///   batch: 4
///   crop: [360, 480]    # height, width; scale and colour as for segmentation networks
///   pictures: 400       # how many are rendered, and then seen again and again
///   loss: {variance: 0.5, gradient: 0.5, scales: 4}   # of depth: see DepthLoss
///   # of fcos: {alpha: 0.25, gamma: 2, radius: 1.5, boxes: 1, centreness: 1}
///   stages: …           # as for any other network
/// ```
public struct HeadTrainingSpecification: Sendable {
  /// The head, and where its backbone lies.
  public let head: HeadSpecification
  /// The stages of the training, and its seed.
  public var plan: TrainingPlan
  /// How pictures are changed before they are seen.
  public let augmentation: Augmentation
  /// How many pictures a step sees.
  public let batchSize: Int
  /// How many pictures are rendered.
  public let pictureCount: Int
  /// The loss of a head for depth.
  public let depthLoss: DepthLoss
  /// How the cells of a head for detection learn.
  public let detection: DetectionObjective.Settings
  /// Tells this specification from any other.
  public let fingerprint: TrainingFingerprint

  /// Reads a description; `folder` is where the files it names lie.
  ///
  /// - Throws: `SpecificationError` with the key that is missing, unknown or of the wrong type.
  public init(yaml: String, folder: String) throws(SpecificationError) {
    let root = try DescriptionReader(yaml: yaml)
    head = try HeadSpecification(root, folder: folder)
    let training = try root.group("training")
    try training.allow([
      "seed", "batch", "crop", "scale", "colour", "pictures", "loss", "stages",
    ])
    let lesson = try StageConfiguration(training, usually: training)
    (augmentation, batchSize) = (lesson.augmentation, lesson.batchSize)
    pictureCount = try training.integer("pictures", in: 1...1_000_000)
    let loss = training.has("loss") ? try training.group("loss") : nil
    switch head.kind {
    case .depth: (depthLoss, detection) = (try DepthLoss(loss), .init())
    case .detection: (depthLoss, detection) = (DepthLoss(), try .init(loss))
    }
    plan = try training.plan(in: folder)
    fingerprint = try TrainingFingerprint(of: root, stages: plan.stages.count)
  }

  /// The task of a head for depth, with weights drawn by the plan's seed.
  ///
  /// - Throws: `BackboneError` where the specification describes another head.
  public func depthTask(
    behind backbone: some Backbone, on samples: HeadSamples<DepthMap>,
    validation: HeadSamples<DepthMap>? = nil, device: Device = .cpu
  ) throws -> HeadTask<DepthObjective> {
    guard case .depth(let head) = try drawn(behind: backbone, on: device) else {
      throw SpecificationError(.badDescription, "\(head.name) is no head for depth")
    }
    return HeadTask(
      DepthObjective(head, loss: depthLoss), behind: backbone, on: samples,
      augmentation: augmentation, batchSize: batchSize, validation: validation, seed: plan.seed)
  }

  /// The task of a head for detection, with weights drawn by the plan's seed.
  ///
  /// - Throws: `BackboneError` where the specification describes another head.
  public func detectionTask(
    behind backbone: some Backbone, on samples: HeadSamples<[GroundTruthBox]>,
    validation: HeadSamples<[GroundTruthBox]>? = nil, device: Device = .cpu
  ) throws -> HeadTask<DetectionObjective> {
    guard case .detection(let head) = try drawn(behind: backbone, on: device) else {
      throw SpecificationError(.badDescription, "\(head.name) is no head for detection")
    }
    return HeadTask(
      DetectionObjective(head, settings: detection), behind: backbone, on: samples,
      augmentation: augmentation, batchSize: batchSize, validation: validation, seed: plan.seed)
  }

  private func drawn(behind backbone: some Backbone, on device: Device) throws -> StoredHead {
    try head.head(behind: backbone, parameters: Parameters(seed: plan.seed, device: device))
  }
}

extension DepthLoss {
  fileprivate init(_ reader: DescriptionReader?) throws(SpecificationError) {
    self.init()
    guard let reader else { return }
    try reader.allow(["variance", "gradient", "scales"])
    variance = Float(try reader.number("variance", in: 0...1, usual: Double(variance)))
    gradient = try reader.number("gradient", in: 0...1000, usual: gradient)
    scales = try reader.integer("scales", in: 1...8, usual: scales)
  }
}

extension DetectionObjective.Settings {
  fileprivate init(_ reader: DescriptionReader?) throws(SpecificationError) {
    self.init()
    guard let reader else { return }
    try reader.allow(["alpha", "gamma", "radius", "boxes", "centreness"])
    focal.alpha = Float(try reader.number("alpha", in: 0...1, usual: Double(focal.alpha)))
    focal.gamma = Float(try reader.number("gamma", in: 0...10, usual: Double(focal.gamma)))
    radius = try reader.number("radius", in: 0...1000, usual: radius)
    boxes = try reader.number("boxes", in: 0...1000, usual: boxes)
    centreness = try reader.number("centreness", in: 0...1000, usual: centreness)
  }
}
