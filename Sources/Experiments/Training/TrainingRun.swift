// SPDX-License-Identifier: Apache-2.0

public import Specification
internal import Training

/// A training as its specification says, whatever is trained.
public struct TrainingRun: Sendable {
  /// Where checkpoints, log and weights go.
  public var folder: String
  /// Draw weights and batches from this seed, not from the specification's.
  public var seed: UInt64?
  /// Steps between two evaluations; 0 for one at the end only.
  public var evaluationInterval = 1000
  /// Steps between two checkpoints.
  public var checkpointInterval = 250
  /// Whether to go on from a checkpoint in the folder.
  public var isResuming = false
  private let model: ModelFolder
  private let sources: TrainingSources
  private let kinds: TrainingKinds

  /// What a training tells of its progress.
  public struct Report: Sendable {
    /// The name of the plan's stage that is under way.
    public let stage: String
    /// Steps done, in all stages together.
    public let step: Int
    /// Steps of the whole plan.
    public let steps: Int
    /// The loss of the step.
    public let loss: Double
    /// The time a step takes at present.
    public let secondsPerStep: Double
    /// What was measured after the step; empty where nothing was.
    public let scores: [String: Double]
  }

  /// A training of what `model` specifies, on some data, into a folder.
  public init(
    _ model: ModelFolder, on sources: TrainingSources, into folder: String,
    kinds: TrainingKinds = .standard
  ) {
    (self.model, self.sources, self.folder, self.kinds) = (model, sources, folder, kinds)
  }

  /// Trains to the end, or until `isStopped` says so.
  ///
  /// `prepare` is called after each step of what comes before the first one, `warn` then with what
  /// is odd, `report` after each step.
  ///
  /// - Throws: `SpecificationError` for a specification of nothing that can be trained, or data
  ///   that do not go with it.
  public func run(
    isStopped: () -> Bool = { false }, prepare: () -> Void = {},
    warn: ([String]) -> Void = { _ in },
    report: (Report) -> Void = { _ in }
  ) throws {
    try withoutActuallyEscaping(isStopped) { isStopped in
      try withoutActuallyEscaping(prepare) { prepare in
        let request = TrainingRequest(
          model: model, sources: sources, folder: folder, isStopped: isStopped, advance: prepare,
          seed: seed)
        guard let training = try kinds.maker(for: model)(request) else { return }
        warn(training.warnings)
        try train(training.task, training, isStopped: isStopped, report: report)
      }
    }
  }
}

extension TrainingRun {
  private func train<Task: TrainingTask>(
    _ task: Task, _ training: PreparedTraining, isStopped: () -> Bool, report: (Report) -> Void
  ) throws {
    // Other data make another training.
    let others = [sources.teacher.map { "taught by \($0.folder)" }, seed.map { "from seed \($0)" }]
    let name = (sources.data + others.compactMap(\.self)).joined(separator: " ")
    var trainer = Trainer(
      task, plan: training.plan, folder: folder, fingerprint: training.fingerprint.with(name))
    trainer.evaluationInterval = evaluationInterval
    trainer.checkpointInterval = checkpointInterval
    _ = try trainer.run(resuming: isResuming, until: isStopped) { step in
      report(
        Report(
          stage: step.stage, step: step.step, steps: step.steps, loss: step.loss,
          secondsPerStep: step.secondsPerStep, scores: step.scores))
    }
  }
}
