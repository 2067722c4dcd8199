// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Evaluation
internal import Experiments
internal import Foundation
internal import Recipes
internal import Specification

struct ScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score", abstract: "Measure label maps that were saved.",
    discussion: """
      A PNG of class ids for each frame, as eval --labels and run --labels write them, is measured \
      against the clip's labels with the figures and intervals of eval. Maps bear the names or the \
      six-digit numbers of frames, or are as many as there are frames and in their order.
      """)

  @Argument(help: "The folder of the label maps.")
  var labels: String

  @Argument(
    help: "The labelled clip, as in eval: camvid:DIR, folder:DIR, street:SEED, …",
    completion: .custom { _, _, _ in Parts.registries.datasets.descriptors.map(\.kind) })
  var clip: String

  @Option(help: "Which part of the data set: train, val or test. Usually val.")
  var split: String?

  @Option(help: "Stop after so many frames.")
  var frames: Int?

  @Option(help: "The optical flow used for temporal consistency, as in eval. Usually farneback.")
  var consistency: String?

  @Option(
    name: [.customLong("metric")], help: "Measure this too; may be given several times; see list.",
    completion: .custom { _, _, _ in Parts.registries.metrics.descriptors.map(\.kind) })
  var metrics: [String] = []

  @Option(help: "Write the result there as JSON; - for standard output, without the table.")
  var json: String?

  @Option(help: "Keep the result in this folder, for compare and report.")
  var out: String?

  @OptionGroup var threading: ThreadOptions

  private func specification() throws -> ExperimentSpec {
    try DataArgument.check(clip)
    let grammar = Parts.registries.grammar
    do {
      var spec = ExperimentSpec(
        data: try grammar.parse(clip, as: Parts.registries.datasets.role), split: split ?? "val",
        frames: frames)
      if consistency == "none" {
        spec.consistency = .left
      } else {
        spec.consistency = try consistency.map {
          .along(try grammar.parse($0, as: Parts.registries.flows.role))
        }
      }
      spec.metrics = try metrics.map { try grammar.parse($0, as: Parts.registries.metrics.role) }
      return try spec.canonical(in: Parts.registries)
    } catch let error as SpecificationError { throw ValidationError(error.message) }
  }

  func run() throws {
    let signals = Signals()
    let (spec, threads) = (try specification(), threading.threads)
    let saved = try SavedLabels(
      in: labels, against: spec, in: Parts.registries, threads: threads)
    let kept = out.map { RunFolder($0) }
    try Overwriting.check(
      outputs: ["--json": json, "--out": kept?.resultPath, "--out": kept?.framesPath],
      inputs: saved.files)
    let output = try json.map { (path) throws(Failure) in try OutputFile(path) }
    if let out { try OutputFile.make(folder: out) }
    try threading.apply()
    signals.keepsWork()
    var progress = Progress(total: spec.frames)
    defer { progress.end() }
    let run = try saved.measure(
      environment: { Surroundings.facts(threads: threads, files: $0) },
      isStopped: { signals.wantsStop }, advance: { progress.advance() })
    progress.end()
    Warnings.say(run.result.warnings)
    if !run.frames.isEmpty, output?.isStandardOutput != true {
      print(ResultTable(run.result, title: saved.clipName))
    }
    try output?.write(json: run.result)
    if let out { try RunFolder(out).write(run.result, frames: run.frames) }
    if let failure = signals.failure { throw failure }
  }
}
