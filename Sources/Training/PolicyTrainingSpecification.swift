// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Layers
public import Scheduler
public import Specification
public import Tensors

/// A policy and how it is trained, as one YAML file says.
///
/// Beside the keys of `PolicySpecification`:
/// ```yaml
/// training:
///   seed: 1
///   frames: 100          # how many of each clip are measured from every key before them
///   horizon: 30          # how far from a key
///   length: 60           # frames of a rollout; 4 stretches a step, 16 schedules of each
///   budgets: [0.05, 0.5] # shares of the frames that may be key
///   entropy: 0.01        # keeps choices open
///   stages: …            # as for any other network
/// ```
public struct PolicyTrainingSpecification: Sendable {
  /// The policy that is trained.
  public let policy: PolicySpecification
  /// The stages and the seed.
  public var plan: TrainingPlan
  /// What is played in each step.
  public let practice: PolicyTask.RolloutConfiguration
  /// Frames of each clip, and from how far they are carried to.
  public let frames: Int, horizon: Int
  /// Tells this specification from any other.
  public let fingerprint: TrainingFingerprint

  /// Reads a description; `folder` is where the files it names lie.
  ///
  /// - Throws: `SpecificationError` with the key that is missing, unknown or of the wrong type.
  public init(yaml: String, folder: String) throws(SpecificationError) {
    let root = try DescriptionReader(yaml: yaml)
    policy = try PolicySpecification(root, folder: folder)
    let training = try root.group("training")
    try training.allow([
      "seed", "frames", "horizon", "length", "budgets", "entropy", "stages",
    ])
    frames = try training.integer("frames", in: 2...10_000, usual: 100)
    horizon = try training.integer("horizon", in: 2...1000, usual: 30)
    var practice = PolicyTask.RolloutConfiguration()
    practice.length = try training.integer("length", in: 2...10_000, usual: 60)
    practice.entropy = try training.number("entropy", in: 0...10, usual: 0.01)
    if training.has("budgets") {
      let bounds = try training.numbers("budgets", count: 2)
      guard bounds[0] > 0, bounds[0] <= bounds[1], bounds[1] <= 1 else {
        throw training.complaint("budgets", "must be the smallest and the largest share, up to 1")
      }
      practice.budgets = bounds[0]...bounds[1]
    }
    self.practice = practice
    plan = try training.plan(in: folder)
    fingerprint = try TrainingFingerprint(of: root, stages: plan.stages.count)
  }

  /// The task that this describes, with weights drawn by the plan's seed.
  ///
  /// - Precondition: there is an episode.
  public func task(
    on episodes: [PolicyEpisode], validation: [PolicyEpisode] = [], device: Device = .cpu
  ) throws -> PolicyTask {
    try PolicyTask(
      PolicyNetwork(size: policy.size, parameters: Parameters(seed: plan.seed, device: device)),
      on: episodes, validation: validation, practice: practice, seed: plan.seed)
  }
}
