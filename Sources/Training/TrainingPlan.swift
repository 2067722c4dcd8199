// SPDX-License-Identifier: Apache-2.0

public import Specification
public import Tensors

/// The stages of a training, one after another.
public struct TrainingPlan: Hashable, Sendable {
  /// What is done, first to last.
  public var stages: [TrainingStage]
  /// What weights, batches and all else that is random follow from.
  public var seed: UInt64

  /// A plan of these stages.
  public init(stages: [TrainingStage], seed: UInt64 = 1) {
    (self.stages, self.seed) = (stages, seed)
  }

  /// The plan in the group `training` of a specification: its `seed` and its `stages`.
  ///
  /// Files that it names lie in `folder`. Other keys of the group are the task's.
  ///
  /// - Throws: `SpecificationError` with the key that is missing, unknown or of the wrong type.
  public init(yaml: String, folder: String) throws(SpecificationError) {
    self = try DescriptionReader(yaml: yaml).group("training").plan(in: folder)
  }

  /// Steps of all stages, and of what an optimiser may count, at most.
  static let mostSteps = 1 << 40

  /// Steps of all stages together.
  public var steps: Int {
    stages.reduce(0) { min($0 + min($1.steps, Self.mostSteps), Self.mostSteps) }
  }
}

/// What trains for a number of steps, and how.
public struct TrainingStage: Hashable, Sendable {
  /// What reports and logs call it.
  public var name: String
  /// How many steps it takes.
  public var steps: Int
  /// How gradients change parameters.
  public var optimizer: OptimizerKind
  /// How the learning rate runs over the stage's steps.
  public var rate: LearningRateSchedule
  /// Parts whose parameters stay as they are, normalisations with their statistics.
  ///
  /// A part is named by the beginning of its parameters' names: `encoder`, `encoder.layer1`.
  public var frozen: [String] = []
  /// What the learning rate of a part is multiplied by; the longest name that fits counts.
  public var rateScales: [String: Double] = [:]
  /// A safetensors file whose parameters the stage begins with, where the names and shapes are the
  /// same; others stay as they are.
  public var startingWeights: String?
  /// The largest joint norm of all gradients; nil for any.
  public var largestGradient: Double?
  /// How much of the averaged weights each step keeps; 0 for no averaging.
  public var averaging: Double = 0
  /// What convolutions are computed in.
  public var precision: ElementType = .float32

  /// A stage that trains everything at one rate in single precision; the other properties change
  /// that.
  public init(
    _ name: String, steps: Int, optimizer: OptimizerKind, rate: LearningRateSchedule
  ) {
    (self.name, self.steps, self.optimizer, self.rate) = (name, steps, optimizer, rate)
  }

  /// Whether the stage changes the parameter called `name`.
  public func trains(_ name: String) -> Bool {
    !frozen.contains { name.isPart(of: $0) }
  }

  /// What the rate of the parameter called `name` is multiplied by.
  public func scale(of name: String) -> Double {
    let parts = rateScales.keys.filter { name.isPart(of: $0) }
    return parts.max { $0.count < $1.count }.flatMap { rateScales[$0] } ?? 1
  }
}

extension TrainingPlan {
  /// Checks that each part that a stage names is one of what is trained.
  ///
  /// - Throws: `TrainingError` with the first that is none, and some that there are.
  func checkParts(among names: [String]) throws(TrainingError) {
    for stage in stages {
      for (key, parts) in [("frozen", stage.frozen), ("rates", stage.rateScales.keys.sorted())] {
        for part in parts where !names.contains(where: { $0.isPart(of: part) }) {
          let known = Set(names.compactMap { $0.split(separator: ".").first.map(String.init) })
          throw TrainingError(
            "stage '\(stage.name)': \(key) names '\(part)', and nothing of that is trained; there "
              + "are \(known.sorted().joined(separator: ", ")), and their parts")
        }
      }
    }
  }

  /// Steps done in all stages.
  func step(at position: Checkpoint.Position) -> Int {
    stages.prefix(position.stage).reduce(position.step) { $0 + $1.steps }
  }
}

extension String {
  /// Whether this is the name of a part, or of something in it.
  fileprivate func isPart(of part: String) -> Bool { self == part || hasPrefix(part + ".") }
}
