// SPDX-License-Identifier: Apache-2.0

internal import Outputs
internal import Recipes
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
  /// Told what is odd and goes on.
  public var warn: @Sendable (String) -> Void = { _ in }
  /// Told whether all that was done is on the disk just now, so that a process may end at once.
  public var isSaved: @Sendable (Bool) -> Void = { _ in }
  private let model: ModelFolder
  private let sources: TrainingSources
  private let kinds: TrainingKinds

  /// Every file that is read, but for the frames of data sets.
  public var inputs: [String] {
    let (registries, grammar) = (sources.registries, sources.registries.grammar)
    var files = SpecificationFiles()
    files.add(model.specificationFile)
    files.add(specification: model.specification, in: model.path)
    for name in sources.data + [sources.validation].compactMap(\.self) {
      guard let data = try? grammar.parse(name, as: registries.datasets.role) else { continue }
      files.add(data, as: registries.datasets.role, by: grammar)
    }
    if let teacher = sources.teacher { files.add(teacher.folder) }
    return files.paths
  }

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
  ///   that do not go with it; `TrainingError` where another training has the folder.
  public func run(
    isStopped: () -> Bool = { false }, prepare: () -> Void = {},
    warn: ([String]) -> Void = { _ in },
    report: (Report) -> Void = { _ in }
  ) throws {
    let (lock, made) = try lockFolder()
    // A training that is refused leaves nothing behind.
    defer { withExtendedLifetime(lock) { removeEmptyFolders(made) } }
    isSaved(true)
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
  /// The folder's lock, and the folders that were made for it.
  private func lockFolder() throws(TrainingError) -> (lock: FolderLock, made: [String]) {
    do throws(OutputError) {
      let made = try makeFolder(folder)
      if let lock = try FolderLock(folder) { return (lock, made) }
    } catch { throw TrainingError(error) }
    throw TrainingError(.busy, "\(folder): another training is writing there")
  }

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
    (trainer.warn, trainer.isSaved) = (warn, isSaved)
    isSaved(false)
    try writeProvenance(beside: task.networks.map { "\(folder)/\($0.prefix)" } + [folder])
    _ = try trainer.run(resuming: isResuming, until: isStopped) { step in
      report(
        Report(
          stage: step.stage, step: step.step, steps: step.steps, loss: step.loss,
          secondsPerStep: step.secondsPerStep, scores: step.scores))
    }
  }

  /// Notes what weights are fitted to, in each folder that will hold some.
  private func writeProvenance(beside folders: [String]) throws(TrainingError) {
    do throws(OutputError) {
      for folder in folders {
        try makeFolder(folder)
        try PendingFile.write(
          [UInt8](sources.provenance.yaml.utf8), to: Provenance.path(in: folder))
      }
    } catch { throw TrainingError(error) }
  }
}
