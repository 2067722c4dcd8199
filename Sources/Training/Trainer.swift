// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Layers
internal import Outputs
internal import Tensors

/// Trains a task by a plan, in a folder where it can be taken up again.
///
/// The folder holds `checkpoint.safetensors`, all that an unbroken run would know at that step, and
/// the one before; `metrics.jsonl`; and, once it is done, `weights.safetensors`. A run that was
/// killed at any moment and resumed ends with the same weights as one that was not, given the same
/// number of threads.
public struct Trainer<Task: TrainingTask> {
  /// What is trained.
  public let task: Task
  /// The stages and the seed.
  public let plan: TrainingPlan
  /// Where checkpoints, log and weights go.
  public let folder: String
  /// Tells what is trained; a checkpoint of anything else is refused.
  public let fingerprint: TrainingFingerprint
  /// Steps between two checkpoints, between two evaluations (0: at the end only), between two lines
  /// of the log.
  public var checkpointInterval = 250, evaluationInterval = 1000, logInterval = 20
  /// Told what is odd and goes on: a checkpoint that cannot be read, where one before it can.
  public var warn: @Sendable (String) -> Void = { _ in }
  /// Told whether all that was learned is on the disk just now, so that a process may end at once:
  /// it is while an evaluation lasts.
  public var isSaved: @Sendable (Bool) -> Void = { _ in }
  /// Threads that make batches.
  public var loaders = 1

  /// A trainer into `folder`, which is made if need be when it runs.
  public init(
    _ task: Task, plan: TrainingPlan, folder: String, fingerprint: TrainingFingerprint
  ) {
    (self.task, self.plan, self.folder, self.fingerprint) = (task, plan, folder, fingerprint)
  }

  /// Where a training is.
  public struct Report: Sendable {
    /// The name of the stage that is under way.
    public let stage: String
    /// Steps done in all stages, and how many there are.
    public let step: Int, steps: Int
    /// The last loss that was measured; not a number before the first.
    public let loss: Double
    /// The learning rate of the last step.
    public let rate: Double
    /// The mean time of a step since the report before.
    public let secondsPerStep: Double
    /// What an evaluation gave; empty at other steps.
    public let scores: [String: Double]
  }

  /// Trains to the end of the plan, or until `stop` says so; goes on from the checkpoint if there
  /// is one and `resuming`.
  ///
  /// - Returns: Whether the plan was done.
  public func run(
    resuming: Bool, until stop: () -> Bool = { false }, report: (Report) -> Void = { _ in }
  ) throws -> Bool {
    do throws(OutputError) { try makeFolder(folder) } catch { throw TrainingError(error) }
    var run = try TrainingRun(self, resuming: resuming)
    return try run.advance(until: stop, report: report)
  }
}

/// A training under way.
private struct TrainingRun<Task: TrainingTask> {
  let trainer: Trainer<Task>
  let checkpoint: Checkpoint
  let all: [Parameter]
  let log: MetricsLog
  let events: TensorBoardEvents
  var position = Checkpoint.Position(stage: 0, step: 0)
  var optimizer: Optimizer
  /// The running average of all parameters, in their order; empty where none is kept.
  var average: [Tensor] = []
  var trained: [Tensor] = []
  /// Whether the evaluation at this step is still to come.
  private var evaluationIsDue = false
  private var loss = Double.nan

  init(_ trainer: Trainer<Task>, resuming: Bool) throws {
    self.trainer = trainer
    checkpoint = Checkpoint(in: trainer.folder)
    all = trainer.task.parameters.all
    try trainer.plan.checkParts(among: all.map(\.name))
    optimizer = try Optimizer(.sgd(momentum: 0, decay: 0, nesterov: false), of: [])
    let found = resuming && checkpoint.exists
    let opened =
      try !found
      ? nil : checkpoint.open(expecting: trainer.fingerprint, trainer.plan, warn: trainer.warn)
    if let opened { (position, evaluationIsDue) = (opened.position, opened.evaluationIsDue) }
    let done = opened == nil ? nil : trainer.plan.step(at: position)
    log = try MetricsLog(in: trainer.folder, after: done, evaluatingAgain: evaluationIsDue)
    events = try TensorBoardEvents(in: trainer.folder, resumingAfter: done)
    if let file = opened?.file {
      for parameter in all { try parameter.tensor.assign(file.tensor("model.\(parameter.name)")) }
    }
    guard position.stage < trainer.plan.stages.count else { return }
    // A stage that has not begun may be another by now than when it was saved.
    try enterStage(afresh: position.step == 0)
    if position.step > 0, let opened {
      try restore(opened.file, optimizerStep: opened.optimizerStep)
    }
  }

  private mutating func restore(_ file: SafetensorsFile, optimizerStep: Int) throws {
    for (index, parameter) in all.enumerated() where !average.isEmpty {
      try average[index].assign(file.tensor("average.\(parameter.name)"))
    }
    try optimizer.restore(step: optimizerStep) { try file.tensor("optimizer.\($0)") }
  }

  var stage: TrainingStage { trainer.plan.stages[position.stage] }
  var step: Int { trainer.plan.step(at: position) }

  /// Sets up what trains; `afresh`, the weights and the average it begins with.
  private mutating func enterStage(afresh: Bool) throws {
    if afresh, let path = stage.startingWeights { try load(path) }
    for parameter in all where parameter.kind != .statistic {
      try parameter.tensor.setRequiresGradient(stage.trains(parameter.name))
    }
    let trained = all.filter { $0.tensor.requiresGradient }
    guard !trained.isEmpty else { throw TrainingError("stage '\(stage.name)' trains nothing") }
    self.trained = trained.map(\.tensor)
    optimizer = try Optimizer(stage.optimizer, of: trained, scale: stage.scale(of:))
    average = stage.averaging > 0 ? try all.map { try $0.tensor.detached() + 0 } : []
  }

  private func load(_ path: String) throws {
    let file = try SafetensorsFile(contentsOf: path)
    var taken = 0
    for parameter in all where file[parameter.name]?.shape == parameter.tensor.shape {
      try parameter.tensor.assign(file.tensor(parameter.name).cast(to: .float32))
      taken += 1
    }
    guard taken > 0 else { throw TrainingError("\(path) has none of the network's parameters") }
  }

  mutating func advance(
    until stop: () -> Bool, report: (Trainer<Task>.Report) -> Void
  ) throws -> Bool {
    while position.stage < trainer.plan.stages.count {
      guard try finishStage(until: stop, report: report) else { return false }
      try useAverage()
      position = .init(stage: position.stage + 1, step: 0)
      if position.stage < trainer.plan.stages.count { try enterStage(afresh: true) }
      try save()
    }
    try checkStatistics()
    try trainer.writeWeights(all)
    return true
  }

  private mutating func finishStage(
    until stop: () -> Bool, report: (Trainer<Task>.Report) -> Void
  ) throws -> Bool {
    let (task, begin) = (trainer.task, step - position.step)
    let loader = Prefetcher(
      from: step, to: begin + stage.steps, threads: trainer.loaders
    ) { try task.batch(at: $0) }
    defer { loader.cancel() }
    let clock = ContinuousClock()
    var (mark, marked) = (clock.now, step)
    func tell(_ scores: [String: Double], at rate: Double) {
      let seconds = (clock.now - mark) / .seconds(1) / Double(max(step - marked, 1))
      (mark, marked) = (clock.now, step)
      report(
        .init(
          stage: stage.name, step: step, steps: trainer.plan.steps, loss: loss, rate: rate,
          secondsPerStep: seconds, scores: scores))
    }
    if evaluationIsDue {
      let rate = stage.rate.rate(at: max(position.step - 1, 0), of: stage.steps)
      tell(try evaluateAndRecord(), at: rate)
    }
    while position.step < stage.steps {
      guard !stop(), let batch = try loader.take(unless: stop) else {
        try save()
        return false
      }
      let rate = stage.rate.rate(at: position.step, of: stage.steps)
      let isLogged = (step + 1) % trainer.logInterval == 0 || position.step + 1 == stage.steps
      try takeStep(batch, rate: rate, isLogged: isLogged)
      evaluationIsDue = isDue(trainer.evaluationInterval) || position.step == stage.steps
      let scores = evaluationIsDue ? try evaluateAndRecord() : [:]
      if isLogged || !scores.isEmpty { tell(scores, at: rate) }
      if isDue(trainer.checkpointInterval) { try save() }
    }
    return true
  }

  /// What is learned is saved before, so that the process may end while it lasts.
  private mutating func evaluateAndRecord() throws -> [String: Double] {
    try save()
    trainer.isSaved(true)
    let scores = try evaluate()
    trainer.isSaved(false)
    evaluationIsDue = false
    try record(scores, split: "val")
    return scores
  }

  private func isDue(_ interval: Int) -> Bool { interval > 0 && step % interval == 0 }

  private mutating func takeStep(_ batch: Task.Batch, rate: Double, isLogged: Bool) throws {
    let seed = RandomStream(seed: trainer.plan.seed, step, 0x9A55).firstDraw
    let pass = ForwardContext.training(seed: seed, precision: stage.precision)
    let loss = try trainer.task.loss(of: batch, at: step, in: pass)
    for tensor in trained { try tensor.clearGradient() }
    try loss.total.backward()
    let norm = try TrainingSteps.clipGradients(
      of: trained, toNorm: stage.largestGradient ?? .infinity)
    guard norm.isFinite else {
      throw TrainingError(
        "the loss or its gradient is no finite number at step \(step); the last checkpoint is kept")
    }
    try optimizer.descend(rate: rate)
    position.step += 1
    try moveAverage()
    guard isLogged else { return }
    try checkStatistics()
    self.loss = Double(try loss.total.detached().item())
    var entry = ["loss": self.loss, "rate": rate, "gradient": norm]
    for (name, part) in loss.parts { entry["loss/\(name)"] = Double(try part.detached().item()) }
    try record(entry, split: "train")
  }

  /// What a normalisation has gathered may be no number although losses and gradients are: it is
  /// used only when training is over.
  private func checkStatistics() throws {
    for parameter in all where parameter.kind == .statistic {
      guard try parameter.tensor.isFinite() else {
        throw TrainingError(
          "\(parameter.name) is no finite number at step \(step), so that the network could not be "
            + "used; the last checkpoint is kept")
      }
    }
  }

  /// TensorBoard shows those together that share what is before a `/`.
  private func record(_ values: [String: Double], split: String) throws {
    try log.append(step: step, split: split, values)
    let tagged = values.map { ($0.key.contains("/") ? $0.key : "\(split)/\($0.key)", $0.value) }
    try events.add(Dictionary(uniqueKeysWithValues: tagged), step: step)
  }

  /// Averages follow quickly at first, so that where the weights began is soon forgotten.
  private func moveAverage() throws {
    guard !average.isEmpty else { return }
    let kept = min(stage.averaging, (1 + Double(position.step)) / (10 + Double(position.step)))
    try TrainingSteps.move(average, to: all.map(\.tensor), share: 1 - kept)
  }

  /// Scores of the averaged weights where there are such.
  private func evaluate() throws -> [String: Double] {
    guard !average.isEmpty else { return try trainer.task.evaluate() }
    let own = try all.map { try $0.tensor.detached() + 0 }
    try useAverage()
    defer { for (parameter, value) in zip(all, own) { try? parameter.tensor.assign(value) } }
    return try trainer.task.evaluate()
  }

  private func useAverage() throws {
    guard !average.isEmpty else { return }
    for (parameter, value) in zip(all, average) { try parameter.tensor.assign(value) }
  }

  private func save() throws {
    try checkStatistics()
    try checkpoint.write(
      position, of: trainer.fingerprint, parameters: trainer.task.parameters, average: average,
      optimizer: optimizer, evaluationIsDue: evaluationIsDue)
  }
}

extension RandomStream {
  fileprivate var firstDraw: UInt64 {
    var copy = self
    return copy.next()
  }
}
