// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Backbone
internal import Datasets
internal import Foundation
internal import Recipes
internal import Tensors
internal import Training

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a network as a specification says.",
    discussion: """
      Writes checkpoint.safetensors, metrics.jsonl and, when done, weights.safetensors to the folder. \
      An interrupted training is taken up by --resume and ends as an unbroken one does.
      """)

  @Argument(help: "The specification: Models/NAME/spec.yaml.")
  var spec: String

  @Option(help: "What to train on: camvid:DIR or street:SEED.")
  var data: String

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

  @OptionGroup var threading: ThreadOptions

  func run() throws {
    let signals = Signals()
    let specification = try SegmentationSpecification(contentsOf: spec)
    try refuseToOverwrite()
    try threading.apply()
    let request = ClipRequest(split: "train", threads: threading.threads)
    let clip = try [Card<ClipMaker>].clips.part(data)(request)
    let measured = try [Card<ClipMaker>].clips.part(validation ?? data)(
      ClipRequest(split: "val", threads: threading.threads))
    let samples = SegmentationSamples(clip)
    let task = try specification.task(on: samples, validation: measured)
    var trainer = Trainer(
      task, plan: specification.plan, folder: out, fingerprint: specification.fingerprint)
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

/// Tells how far a training is: one line that redraws itself on a terminal, a line now and then
/// elsewhere.
struct TrainingProgress {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var secondsPerStep: Double?

  mutating func show(_ report: Trainer<SegmentationTask>.Report) {
    let smooth = secondsPerStep.map { 0.9 * $0 + 0.1 * report.secondsPerStep }
    secondsPerStep = smooth ?? report.secondsPerStep
    let left = Double(report.steps - report.step) * (secondsPerStep ?? 0)
    var line = String(
      format: "%@ %d/%d, loss %.4f, %.2f s a step, %.0f min left", report.stage, report.step,
      report.steps, report.loss, report.secondsPerStep, (left / 60).rounded(.up))
    if let miou = report.scores["val/miou"] { line += String(format: ", mIoU %.4f", miou) }
    if isTerminal && report.scores.isEmpty {
      write("\r\u{1B}[K\(line)")
    } else if !report.scores.isEmpty || report.step % 200 == 0 {
      write((isTerminal ? "\r\u{1B}[K" : "") + line + "\n")
    }
  }

  func end() { if isTerminal { write("\n") } }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
