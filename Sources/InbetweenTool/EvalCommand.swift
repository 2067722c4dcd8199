// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Backbone
internal import Datasets
internal import Evaluation
internal import Foundation
internal import Pipeline
internal import Recipes
internal import Scheduler
internal import Video

struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval", abstract: "Measure a pipeline on a labelled clip.",
    discussion: """
      Prints mIoU over the schedule, at each distance from the key frame and of each class, temporal \
      consistency, the key rate, and latency split into key and propagated frames and into stages.
      """)

  @Argument(help: "The labelled clip: camvid:DIR or street:SEED.")
  var data: String

  @Option(help: "Which part of the data set: train, val or test.")
  var split = "val"

  @Option(help: "Stop after so many frames.")
  var frames: Int?

  @Option(help: "A TorchScript network with its .yaml beside it, or 'truth' for the true labels.")
  var backbone: String

  @OptionGroup var parts: PartOptions

  @Option(help: "Write the result there as JSON.")
  var json: String?

  func validate() throws {
    if let frames, frames < 1 { throw ValidationError("--frames needs at least 1, not \(frames)") }
  }

  func run() throws {
    let make = try [Card<ClipMaker>].clips.part(data)
    let output = try json.map { try OutputFile($0) }
    let clip = try make(ClipRequest(split: split, limit: frames, threads: parts.threading.threads))
    try parts.threading.apply()
    let pipeline = try makePipeline(for: clip)
    let (signals, measurement) = try measure(pipeline, on: clip)
    let result = RunResult(
      status: signals.wantsStop ? .cancelled : .ok, pipeline: parts.names(backbone: backbone),
      accuracy: measurement.accuracy, speed: measurement.speed, cost: .now,
      input: .init(path: data, framesDecoded: measurement.speed.frames),
      environment: Surroundings.facts(threads: parts.threading.threads))
    print(ResultTable(result, title: clip.name))
    try output?.write(json: result)
    if let failure = signals.failure { throw failure }
  }

  private func measure(_ pipeline: KeyframePipeline, on clip: any Clip) throws -> (
    Signals, RunMeasurement
  ) {
    let signals = Signals()
    var progress = Progress(total: clip.count)
    defer { progress.end() }
    let measurement = try Evaluator(pipeline, on: clip).run { _, result in
      progress.advance(isKey: result.trace.role == .key)
      return !signals.wantsStop
    }
    return (signals, measurement)
  }

  private func makePipeline(for clip: any Clip) throws -> KeyframePipeline {
    guard backbone != "truth" else {
      let truth = TrueLabels(of: clip)
      return try parts.pipeline(truth, truth.head)
    }
    let network = try ImportedNetwork(contentsOf: backbone)
    guard network.head.classes.names == clip.classes.names else {
      throw Failure(
        .badInput,
        "\(backbone) tells \(network.head.classes.name) apart, "
          + "\(clip.name) is labelled with \(clip.classes.name)")
    }
    return try parts.pipeline(network, network.head)
  }
}
