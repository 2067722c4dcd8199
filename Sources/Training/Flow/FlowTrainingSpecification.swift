// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Flow
internal import Layers
public import Specification
public import Tensors
internal import Video

/// A flow network and how it is trained, as one YAML file says.
///
/// Beside the keys of `FlowNetSpecification`:
/// ```yaml
/// name: flownet-s
/// training:
///   seed: 1
///   batch: 8
///   crop: [240, 320]      # height, width, in pixels of the frame
///   pairs: 800            # how many are made of each source, and then seen again and again
///   colour: 0.3           # how far contrast, brightness and channels stray, alike in both frames
///   difference: 0.04      # the same, for each frame on its own
///   noise: 4              # of 255
///   exponent: 1           # of distances: below 1, what is far off counts little more
///   labels: 1             # what carried labels count beside pixels of distance
///   stages: …             # as for any other network
/// ```
public struct FlowTrainingSpecification: Sendable {
  /// What the network is called.
  public let name: String
  /// What the network consists of.
  public let network: FlowNetSpecification
  /// The stages and the seed.
  public var plan: TrainingPlan
  /// How pairs are changed before they are seen.
  public let augmentation: FlowAugmentation
  /// What is brought down.
  public let objective: FlowObjective
  /// Pairs a step.
  public let batchSize: Int
  /// How many pairs are made of each source.
  public let pairCount: Int
  /// Tells this specification from any other.
  public let fingerprint: TrainingFingerprint
  private let window: PixelSize

  /// Whether the file at `path` describes a flow network rather than another.
  public static func describes(_ yaml: String) -> Bool {
    let kind = try? DescriptionReader(yaml: yaml).group("network").string("kind")
    return kind == "flownet-s"
  }

  /// Reads a description; `folder` is where the files it names lie.
  ///
  /// - Throws: `SpecificationError` with the key that is missing, unknown or of the wrong type.
  public init(yaml: String, folder: String) throws(SpecificationError) {
    let root = try DescriptionReader(yaml: yaml)
    try root.allow(["name", "about", "input", "network", "training"])
    name = try root.string("name")
    let network = try FlowNetSpecification(root)
    self.network = network
    let training = try root.group("training")
    try training.allow([
      "seed", "batch", "crop", "pairs", "colour", "difference", "noise", "exponent", "labels",
      "stages",
    ])
    batchSize = try training.integer("batch", in: 1...1024)
    pairCount = try training.integer("pairs", in: 1...1_000_000)
    let crop = try training.integers("crop", in: 8...8192)
    let division = FlowTask.division(of: network)
    guard crop.count == 2, crop.allSatisfy({ $0 >= 16 && $0 % division == 0 }) else {
      throw training.complaint("crop", "must be sizes that the network's steps divide")
    }
    window = PixelSize(width: crop[1], height: crop[0])
    augmentation = FlowAugmentation(
      colour: try training.number("colour", in: 0...1, usual: 0),
      difference: try training.number("difference", in: 0...1, usual: 0),
      noise: try training.number("noise", in: 0...64, usual: 0))
    objective = FlowObjective(
      exponent: Float(try training.number("exponent", in: 0.1...2, usual: 1)),
      labels: try training.number("labels", in: 0...1000, usual: 0))
    let seed = training.has("seed") ? try training.integer("seed", in: 0...Int.max) : 1
    plan = TrainingPlan(
      stages: try training.groups("stages").map { (stage) throws(SpecificationError) in
        try TrainingStage(stage, folder: folder)
      }, seed: UInt64(seed))
    guard !plan.stages.isEmpty else { throw training.complaint("stages", "must name at least one") }
    fingerprint = try TrainingFingerprint(of: root, stages: plan.stages.count)
  }

  /// The task that this describes, with weights drawn by the plan's seed.
  public func task(
    on sources: [PairSource], evaluation: FlowEvaluation? = nil, device: Device = .cpu
  ) throws -> FlowTask {
    let network = try FlowNetwork(network, parameters: Parameters(seed: plan.seed, device: device))
    var task = FlowTask(
      network, sources: sources, batchSize: batchSize, window: window, seed: plan.seed)
    (task.augmentation, task.objective) = (augmentation, objective)
    task.evaluation = evaluation
    return task
  }
}
