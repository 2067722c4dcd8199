// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Layers
internal import Recipes
internal import Scheduler
public import Specification
public import Training

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

  /// What a training tells of its progress.
  public struct Report: Sendable {
    public let stage: String
    public let step: Int
    public let steps: Int
    public let loss: Double
    public let secondsPerStep: Double
    /// What was measured after the step; empty where nothing was.
    public let scores: [String: Double]
  }

  /// A training of what `model` specifies, on some data, into a folder.
  public init(_ model: ModelFolder, on sources: TrainingSources, into folder: String) {
    (self.model, self.sources, self.folder) = (model, sources, folder)
  }

  /// Trains to the end, or until `isStopped` says so.
  ///
  /// `prepare` is called after each step of what comes before the first one, `report` after each
  /// step.
  ///
  /// - Throws: `SpecificationError` for a specification of nothing that can be trained, or data
  ///   that do not go with it.
  public func run(
    isStopped: () -> Bool = { false }, prepare: () -> Void = {},
    report: (Report) -> Void = { _ in }
  ) throws {
    try withoutActuallyEscaping(isStopped) { isStopped in
      try withoutActuallyEscaping(report) { report in
        let runner = Runner(run: self, isStopped: isStopped, report: report)
        try run(by: runner, isStopped: isStopped, prepare: prepare)
      }
    }
  }

  private func run(
    by runner: Runner, isStopped: () -> Bool, prepare: () -> Void
  ) throws {
    if model.has("propagation") {
      let known = sources.registries.trainablePropagations
      let spec = try specification {
        try PropagationTrainingSpecification(yaml: $0, folder: $1, in: known)
      }
      try runner.train(sources.task(for: seeded(spec)), seeded(spec).plan, spec.fingerprint)
    } else if model.has("change_score") {
      let spec = try specification { try ChangeScoreTrainingSpecification(yaml: $0, folder: $1) }
      try runner.train(sources.task(for: seeded(spec)), seeded(spec).plan, spec.fingerprint)
    } else if model.has("policy") {
      let spec = try specification { try PolicyTrainingSpecification(yaml: $0, folder: $1) }
      let task = try sources.task(
        for: seeded(spec), keeping: "\(folder)/episodes", isStopped: isStopped, advance: prepare)
      if let task { try runner.train(task, seeded(spec).plan, spec.fingerprint) }
    } else if model.has("head") {
      try trainHead(by: runner)
    } else if try model.hasFlowNetwork() {
      let spec = try specification { try FlowTrainingSpecification(yaml: $0, folder: $1) }
      try runner.train(sources.task(for: seeded(spec)), seeded(spec).plan, spec.fingerprint)
    } else {
      let spec = try specification { try SegmentationSpecification(yaml: $0, folder: $1) }
      try runner.train(sources.task(for: seeded(spec)), seeded(spec).plan, spec.fingerprint)
    }
  }

  private func trainHead(by runner: Runner) throws {
    let spec = try specification { try HeadTrainingSpecification(yaml: $0, folder: $1) }
    switch spec.head.kind {
    case .depth:
      try runner.train(sources.depthTask(for: seeded(spec)), seeded(spec).plan, spec.fingerprint)
    case .detection:
      try runner.train(
        sources.detectionTask(for: seeded(spec)), seeded(spec).plan, spec.fingerprint)
    }
  }

  private func specification<Read>(
    _ read: (_ yaml: String, _ folder: String) throws -> Read
  ) throws -> Read {
    do { return try read(model.specification, model.path) } catch let error as SpecificationError {
      throw error.located(in: model.specificationPath)
    }
  }

  private func seeded<Read: PlannedTraining>(_ specification: Read) -> Read {
    var specification = specification
    if let seed { specification.plan.seed = seed }
    return specification
  }
}

/// A specification of a training, whose plan has a seed.
private protocol PlannedTraining {
  var plan: TrainingPlan { get set }
}

extension PropagationTrainingSpecification: PlannedTraining {}
extension ChangeScoreTrainingSpecification: PlannedTraining {}
extension PolicyTrainingSpecification: PlannedTraining {}
extension HeadTrainingSpecification: PlannedTraining {}
extension FlowTrainingSpecification: PlannedTraining {}
extension SegmentationSpecification: PlannedTraining {}

extension TrainingRun {
  /// Runs a trainer of any task.
  fileprivate struct Runner {
    let run: TrainingRun
    let isStopped: () -> Bool
    let report: (Report) -> Void

    func train<Task: TrainingTask>(
      _ task: Task, _ plan: TrainingPlan, _ fingerprint: TrainingFingerprint
    ) throws {
      // Other data make another training.
      let others = [
        run.sources.teacher.map { "taught by \($0.folder)" }, run.seed.map { "from seed \($0)" },
      ]
      let name = (run.sources.data + others.compactMap(\.self)).joined(separator: " ")
      var trainer = Trainer(
        task, plan: plan, folder: run.folder, fingerprint: fingerprint.with(name))
      trainer.evaluationInterval = run.evaluationInterval
      trainer.checkpointInterval = run.checkpointInterval
      _ = try trainer.run(resuming: run.isResuming, until: isStopped) { step in
        report(
          Report(
            stage: step.stage, step: step.step, steps: step.steps, loss: step.loss,
            secondsPerStep: step.secondsPerStep, scores: step.scores))
      }
    }
  }
}
