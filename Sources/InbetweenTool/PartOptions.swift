// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Backbone
internal import Flow
internal import Foundation
internal import Pipeline
internal import Propagation
internal import Recipes
internal import Scheduler
internal import Tensors
internal import Video

/// The parts of a pipeline, by name; `inbetween list` shows what there is.
struct PartOptions: ParsableArguments {
  @Option(help: "When the network runs: every:N, moved:PIXELS, moved:rate=R, …; see list.")
  var scheduler = "every:5"

  @Option(help: "How its output is carried to other frames: copy, warp, trained:FOLDER.")
  var propagation = "warp"

  @Option(help: "How motion is estimated: dis:PRESET, farneback, codec.")
  var flow = "dis:medium"

  @Option(
    help: """
      The backbone's stage whose output is carried; if left out, its last one, or what was trained for.
      """)
  var tap: String?

  @OptionGroup var threading: ThreadOptions

  func validate() throws {
    do {
      _ = try ([Card<any KeyframeScheduler>].schedulers.part(scheduler), strategy(), estimator())
    } catch let error as CatalogueError { throw ValidationError(error.message) }
  }

  /// The pipeline of these parts around a backbone.
  func pipeline(_ backbone: some Backbone, _ head: some SegmentationHead) throws
    -> KeyframePipeline
  {
    let strategy = try strategy()(backbone)
    if let tap, let wanted = strategy.tap, tap != wanted {
      throw Failure(.usage, "\(propagation) carries the output of '\(wanted)', not of '\(tap)'")
    }
    return try KeyframePipeline(
      backbone: backbone, head: head,
      scheduler: [Card<any KeyframeScheduler>].schedulers.part(scheduler),
      propagator: strategy.propagator, fusion: strategy.fusion, flow: estimator(),
      tap: tap ?? strategy.tap)
  }

  /// Whether frames must carry the codec's motion vectors.
  func needsMotionVectors() throws -> Bool { try estimator().needsMotionVectors }

  /// The parts by name, as results record them.
  func names(backbone: String) -> [String: String] {
    var names = [
      "backbone": backbone, "scheduler": scheduler, "propagation": propagation, "flow": flow,
    ]
    names["tap"] = tap
    return names
  }

  private func strategy() throws -> StrategyMaker {
    try [Card<StrategyMaker>].strategies.part(propagation)
  }

  private func estimator() throws -> any FlowEstimator {
    try [Card<any FlowEstimator>].flows(threads: threading.threads).part(flow)
  }
}

/// One setting for every pool of threads in the process.
struct ThreadOptions: ParsableArguments {
  @Option(help: "Threads for everything: tensors, matrix products, flow, decoding, encoding.")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  func validate() throws {
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads needs a whole number from 1 to 1024, not \(threads)")
    }
  }

  /// Sets the pools of the libraries that are in use; decoders and encoders are told when opened.
  func apply(tensors: Bool = true) throws {
    try OpenCV.setThreads(threads)
    if tensors { try TorchRuntime.setThreads(threads) }
  }
}
