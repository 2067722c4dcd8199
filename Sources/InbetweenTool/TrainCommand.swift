// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Backbone
internal import Foundation
internal import Tensors
internal import Training

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a network as a specification says.",
    discussion: """
      Writes checkpoint.safetensors, metrics.jsonl, events for TensorBoard and, when done, \
      weights.safetensors to the folder. An interrupted training is taken up by --resume and ends as \
      an unbroken one does.
      """)

  @Argument(help: "The specification: Models/NAME/spec.yaml.")
  var spec: String

  @Option(
    help: """
      What to train on: camvid:DIR or another labelled data set, streets:SEED for rendered ones. \
      Networks of flow, what carries features and what schedules take several: stills are set in motion, and \
      video:FILE, davis:DIR and cityscapes:DIR are taken as they were filmed.
      """)
  var data: [String]

  @Option(help: "What to measure on while training; by default the validation part of the data.")
  var validation: String?

  @Option(help: "The folder for checkpoints, log and weights.")
  var out: String

  @Flag(help: "Go on from the checkpoint in the folder, if there is one.")
  var resume = false

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

  @OptionGroup var threading: ThreadOptions

  func validate() throws {
    guard evaluateEvery >= 0, checkpointEvery >= 1 else {
      throw ValidationError("--evaluate-every needs 0 or more, --checkpoint-every at least 1")
    }
    guard Device(device) != nil else {
      throw ValidationError("--device needs cpu, cuda or cuda:N, not '\(device)'")
    }
    guard !data.isEmpty else { throw ValidationError("--data must be given at least once") }
  }

  func run() throws {
    let signals = Signals()
    let job = try TrainingJob(specification: spec, seed: seed)
    try refuseToOverwrite()
    try threading.apply()
    let device = Device(device) ?? .cpu
    try device.requirePresence()
    let sources = TrainingSources(
      data: data, validation: validation, threads: threading.threads, device: device,
      teacher: teacher.map { ($0, "\(out)/labels") })
    switch job {
    case .segmentation(let specification):
      let task = try sources.task(for: specification)
      try train(task, specification.plan, specification.fingerprint, until: signals)
    case .flow(let specification):
      let task = try sources.task(for: specification)
      try train(task, specification.plan, specification.fingerprint, until: signals)
    case .propagation(let specification):
      let task = try sources.task(for: specification)
      try train(task, specification.plan, specification.fingerprint, until: signals)
    case .changeScore(let specification):
      let task = try sources.task(for: specification)
      try train(task, specification.plan, specification.fingerprint, until: signals)
    case .policy(let specification):
      let task = try sources.task(for: specification, keeping: "\(out)/episodes") {
        signals.wantsStop
      }
      if let failure = signals.failure { throw failure }
      guard let task else { return }
      try train(task, specification.plan, specification.fingerprint, until: signals)
    case .head(let specification):
      try train(specification, on: sources, until: signals)
    }
  }

  private func train(
    _ specification: HeadTrainingSpecification, on sources: TrainingSources,
    until signals: Signals
  ) throws {
    switch specification.head.kind {
    case .depth:
      let task = try sources.depthTask(for: specification)
      try train(task, specification.plan, specification.fingerprint, until: signals)
    case .detection:
      let task = try sources.detectionTask(for: specification)
      try train(task, specification.plan, specification.fingerprint, until: signals)
    }
  }

  private func train<Task: TrainingTask>(
    _ task: Task, _ plan: TrainingPlan, _ fingerprint: TrainingFingerprint,
    until signals: Signals
  ) throws {
    // Other data make another training.
    let others = [teacher.map { "taught by \($0)" }, seed.map { "from seed \($0)" }]
    let name = (data + others.compactMap(\.self)).joined(separator: " ")
    var trainer = Trainer(task, plan: plan, folder: out, fingerprint: fingerprint.with(name))
    trainer.evaluationInterval = evaluateEvery
    trainer.checkpointInterval = checkpointEvery
    var progress = TrainingProgress()
    defer { progress.end() }
    _ = try trainer.run(resuming: resume, until: { signals.wantsStop }) { progress.show($0) }
    if let failure = signals.failure { throw failure }
  }

  private func refuseToOverwrite() throws {
    guard !resume, FileManager.default.fileExists(atPath: "\(out)/checkpoint.safetensors") else {
      return
    }
    throw Failure(
      .cannotCreate, "\(out) holds a training already: go on with --resume, or give another folder")
  }
}
