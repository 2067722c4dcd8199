// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Experiments
internal import Foundation
internal import Recipes
internal import Specification

struct CalibrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Find the threshold of a score at which a share of a clip's frames is a key frame.",
    discussion: """
      Prints the scheduler with that threshold, to be used on other clips: moved:rate=0.1 becomes \
      moved:7.31, and moved:latency=20 what takes 20 ms a frame on average here. Labels are not \
      needed.
      """)

  @Argument(help: "The clip: video:FILE, camvid:DIR, street:SEED or another that eval takes.")
  var data: String

  @Option(help: "Which part of the data set: train, val or test.")
  var split: String?

  @Option(help: "Stop after so many frames.")
  var frames = 300

  @Option(
    help: """
      Keep the threshold in this folder, a network's or a part's, from which the scheduler \
      calibrated:FOLDER,moved:rate=0.1 takes it.
      """)
  var keep: String?

  @OptionGroup var parts: PartOptions

  private var own: [(key: String, value: OptionValue)] {
    [("data", .text(data)), ("frames", .integer(frames))]
      + (split.map { [("split", .text($0))] } ?? [])
  }

  /// What is wrong with the arguments, once the parser knows them all.
  private func check() throws {
    try DataArgument.check(data)
    let spec = try parts.validated(own)
    guard spec.pipeline.backbone != nil else {
      throw ValidationError("--backbone must be given, or a --recipe that has one")
    }
    guard Parts.registries.target(of: spec.pipeline.scheduler) != nil else {
      throw ValidationError("--scheduler needs a score at a rate, such as moved:rate=0.1")
    }
  }

  func run() throws {
    try check()
    let signals = Signals()
    let (registries, threads) = (Parts.registries, parts.threading.threads)
    let run = try EvaluationRun(parts.specification(own), in: registries, threads: threads)
    let output = try keep.map { (folder) throws(Failure) in
      try OutputFile(ModelFolder.thresholdsPath(in: folder))
    }
    try Overwriting.check(
      outputs: ["--keep": keep.map { ModelFolder.thresholdsPath(in: $0) }],
      inputs: run.allInputs + [parts.config].compactMap(\.self))
    var thresholds = try keep.map { try StoredThresholds(contentsOf: $0) }
    try parts.threading.apply()
    let progress = SharedProgress()
    defer { progress.end() }
    let found = try ThresholdSearch(run, in: registries, threads: threads) { _, _ in
      progress.advance()
      return !signals.wantsStop
    }
    if let failure = signals.failure { throw failure }
    progress.end()
    signals.keepsWork()
    guard let found else {
      throw Failure(
        .badInput, "\(data): nothing ever changes, so that no threshold tells frames apart")
    }
    Warnings.say(found.warnings)
    thresholds?.keep(found.entry)
    if let thresholds { try output?.write(json: thresholds.entries) }
    let text = registries.grammar.text(of: found.scheduler, as: registries.schedulers.role)
    print(
      text
        + String(
          format: "   %.1f %% of %d frames are key frames", 100 * found.entry.share,
          found.entry.frames))
  }
}
