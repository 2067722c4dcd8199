// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Experiments
internal import Foundation
internal import Outputs
internal import Specification
internal import Tensors

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a network as a specification says.",
    discussion: """
      Writes checkpoint.safetensors, metrics.jsonl, events for TensorBoard and, when done, \
      weights.safetensors to the folder. An interrupted training is taken up by --resume and ends \
      as an unbroken one does.
      """)

  @Argument(help: "The specification: Models/NAME/spec.yaml.")
  var spec: String

  @Option(
    name: [.customLong("set")],
    help: "Change one key of the specification, as Hydra writes it: training.batch=2.")
  var overrides: [String] = []

  @Option(
    help: """
      What to train on: camvid:DIR or another labelled data set, streets:SEED for rendered ones. \
      Flow networks, propagation and change scores take several: stills are set in motion, and \
      video:FILE, davis:DIR and cityscapes:DIR are taken as they were filmed.
      """)
  var data: [String]

  @Option(help: "What to measure on while training; by default the validation part of the data.")
  var validation: String?

  @Option(help: "The folder for checkpoints, log and weights.")
  var out: String

  @Flag(help: "Go on from the checkpoint in the folder, if there is one.")
  var resume = false

  @Flag(help: "Begin anew in a folder that holds a training, or finished weights, already.")
  var overwrite = false

  @Option(help: "Steps between two evaluations; 0 for one at the end only.")
  var evaluateEvery = 1000

  @Option(help: "Steps between two checkpoints.")
  var checkpointEvery = 250

  @Option(
    help: """
      A trained network whose labels the data get, in the folder OUT/labels, instead of their own: \
      video:FILE has none.
      """)
  var teacher: String?

  @Option(help: "Where to compute: cpu; cuda or cuda:N where LibTorch has it.")
  var device = "cpu"

  @Option(help: "Draw weights and batches from this seed, not from the specification's.")
  var seed: UInt64?

  @OptionGroup var cluster: LauncherOptions

  @Flag(help: "slurm: print the job script and do nothing.")
  var dryRun = false

  @OptionGroup var threading: ThreadOptions

  private func check() throws {
    guard evaluateEvery >= 0, checkpointEvery >= 1 else {
      throw ValidationError("--evaluate-every needs 0 or more, --checkpoint-every at least 1")
    }
    guard Device(device) != nil else {
      throw ValidationError("--device needs cpu, cuda or cuda:N, not '\(device)'")
    }
    guard !(resume && overwrite) else {
      throw ValidationError("--resume goes on with what --overwrite would begin anew")
    }
    guard !data.isEmpty else { throw ValidationError("--data must be given at least once") }
    guard cluster.launcher == .slurm || !dryRun else {
      throw ValidationError("--dry-run prints the script of --launcher slurm")
    }
    guard cluster.launcher == .local || !overwrite else {
      throw ValidationError("jobs go on with what is there: empty the folder first")
    }
  }

  func run() throws {
    try check()
    let signals = Signals()
    let model = try ModelFolder(ofSpecification: spec, changedBy: overrides)
    try refuseToOverwrite()
    if cluster.launcher == .slurm { return try launch(signals) }
    try threading.apply()
    let device = Device(device) ?? .cpu
    try device.requirePresence()
    let sources = TrainingSources(
      data: data, validation: validation, teacher: teacher.map { ($0, "\(out)/labels") },
      threads: threading.threads, device: device, in: Parts.registries)
    var run = TrainingRun(model, on: sources, into: out, kinds: Parts.trainings)
    (run.seed, run.isResuming) = (seed, resume)
    (run.evaluationInterval, run.checkpointInterval) = (evaluateEvery, checkpointEvery)
    try checkPaths(run.inputs)
    run.warn = { Warnings.say([$0]) }
    run.isSaved = { signals.keepsWork(!$0) }
    let preparation = SharedProgress()
    var progress = TrainingProgress()
    defer { progress.end() }
    try run.run(
      isStopped: { signals.wantsStop }, prepare: { preparation.advance() },
      warn: { warnings in
        preparation.end()
        Warnings.say(warnings)
      }, report: { progress.show($0) })
    if let failure = signals.failure { throw failure }
  }

  private func refuseToOverwrite() throws {
    func holds(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
    guard !overwrite else { return }
    let isBegun = [ModelFolder.checkpointPath(in: out), ModelFolder.formerCheckpointPath(in: out)]
      .contains(where: holds)
    if isBegun && !resume {
      throw Failure(
        .cannotCreate,
        "\(out) holds a training already: go on with --resume, begin anew with --overwrite, or "
          + "give another folder")
    }
    if !isBegun && holds(ModelFolder.weightsPath(in: out)) {
      throw Failure(
        .cannotCreate,
        "\(out) holds finished weights and no training to go on with: give another folder, or "
          + "write over them with --overwrite")
    }
  }

  /// Refuses to write over what is read: a teacher's weights, those that a stage begins with.
  private func checkPaths(_ inputs: [String]) throws {
    let own = [
      ModelFolder.weightsPath(in: out), ModelFolder.checkpointPath(in: out),
      ModelFolder.formerCheckpointPath(in: out), "\(out)/metrics.jsonl",
      ModelFolder.weightsPath(in: "\(out)/backbone"),
    ].map(FileIdentity.init)
    for input in inputs where own.contains(FileIdentity(input)) {
      guard case .there = FileIdentity(input) else { continue }
      throw Failure(.usage, "--out \(out) would overwrite \(input), which is read")
    }
  }
}

// On a cluster.
extension TrainCommand {
  /// The training as a job, which goes on from the last checkpoint, whoever wrote it.
  private var job: SlurmJob {
    var words = ["train", spec, "--out", out, "--resume", "--device", device]
    words += data.flatMap { ["--data", $0] } + overrides.flatMap { ["--set", $0] }
    for (name, value) in [
      ("--validation", validation), ("--teacher", teacher), ("--seed", seed.map { "\($0)" }),
    ] { words += value.map { [name, $0] } ?? [] }
    words += ["--evaluate-every", "\(evaluateEvery)", "--checkpoint-every", "\(checkpointEvery)"]
    return SlurmJob(
      name: "train", folder: out, arguments: words + ["--threads", "\(threading.threads)"],
      threads: threading.threads, options: cluster)
  }

  /// Submits the training until its weights are there: a job that is preempted, or whose node is
  /// lost, is followed by another.
  private func launch(_ signals: Signals) throws {
    if dryRun { return print(job.script, terminator: "") }
    signals.keepsWork()
    func isDone() -> Bool {
      FileManager.default.fileExists(atPath: ModelFolder.weightsPath(in: out))
    }
    func state() -> Date? {
      let path = ModelFolder.checkpointPath(in: out)
      return try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
    }
    var idle = 0
    while !isDone() {
      let before = state()
      try job.run(until: { signals.wantsStop }, tell: {})
      if let failure = signals.failure { throw failure }
      idle = state() == before ? idle + 1 : 0
      guard idle < 2 || isDone() else {
        throw Failure(
          .failed, "two jobs in a row came no further; their logs are in \(out)/slurm")
      }
    }
  }
}
