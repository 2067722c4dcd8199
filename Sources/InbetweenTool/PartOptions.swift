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
  @Option(
    help: """
      A published system: dff, accel, dvsnet, …; a part that is named too takes the place of its own. NAME:DATA \
      takes networks trained on other data than CamVid.
      """)
  var recipe: String?

  @Option(help: "Where a recipe finds what was trained.")
  var models = "Models"

  @Option(
    help: """
      When the network runs: every:N, moved:PIXELS, moved:rate=R, …; see list. Usually every:5.
      """)
  var scheduler: String?

  @Option(
    help: "How its output is carried to other frames: copy, warp, trained:FOLDER. Usually warp.")
  var propagation: String?

  @Option(help: "How motion is estimated: dis:PRESET, farneback, codec. Usually dis:medium.")
  var flow: String?

  @Option(
    help: """
      The backbone's stage whose output is carried; if left out, its last one, or what was trained for.
      """)
  var tap: String?

  @Option(
    help: """
      Where scores are made, mix in a WEIGHT of those before them, less where the picture has changed: WEIGHT or \
      WEIGHT,LEVELS of 255 at which a third of it is left, usually 20.
      """)
  var memory: String?

  @Option(
    help: """
      Give regions of the frame keys of their own: ROWSxCOLUMNS, or ROWSxCOLUMNS:PIXELS for how far they reach \
      over their borders.
      """)
  var regions: String?

  @OptionGroup var threading: ThreadOptions

  func validate() throws {
    do {
      let parts = try composition()
      _ = try (
        [Card<any KeyframeScheduler>].schedulers.part(parts.scheduler), strategy(), estimator()
      )
      _ = try (grid(of: parts), memory(of: parts))
    } catch let error as CatalogueError {
      throw ValidationError(error.message)
    } catch let error as BackboneError { throw ValidationError(error.message) }
  }

  /// The parts as they are written: those that are named, then the recipe's, then the usual ones.
  func composition() throws -> Composition {
    var parts = try recipe.map { try [Card<RecipeMaker>].recipes.part($0)(models).0 } ?? .init()
    if let scheduler { parts.scheduler = scheduler }
    if let propagation {
      parts.propagation = propagation
      // What was trained says itself what it carries.
      if propagation.hasPrefix("trained:") { parts.tap = nil }
    }
    if let flow { parts.flow = flow }
    if let tap { parts.tap = tap }
    if let memory { parts.memory = memory }
    if let regions { parts.regions = regions }
    return parts
  }

  /// The backbone that is named, or that of the recipe.
  func backbone(named name: String?) throws -> String {
    if let name { return name }
    guard let recipe else {
      throw ValidationError("--backbone must be given, or a --recipe that has one")
    }
    return try [Card<RecipeMaker>].recipes.part(recipe)(models).backbone
  }

  /// The pipeline of these parts around a backbone, of a frame as a whole.
  func pipeline(_ backbone: some Backbone, _ head: some SegmentationHead) throws
    -> KeyframePipeline
  {
    let (parts, strategy) = (try composition(), try strategy()(backbone))
    if let tap = parts.tap, let wanted = strategy.tap, tap != wanted {
      throw Failure(
        .usage, "\(parts.propagation) carries the output of '\(wanted)', not of '\(tap)'")
    }
    return try KeyframePipeline(
      backbone: backbone, head: head,
      scheduler: [Card<any KeyframeScheduler>].schedulers.part(parts.scheduler),
      propagator: strategy.propagator, fusion: strategy.fusion, flow: estimator(),
      memory: memory(of: parts), tap: parts.tap ?? strategy.tap)
  }

  /// The same pipeline for each region, where regions are wanted.
  func regional(_ pipeline: KeyframePipeline) throws -> any LabellingPipeline {
    guard let grid = try grid(of: composition()) else { return pipeline }
    do {
      return try RegionPipeline(
        pipeline, rows: grid.rows, columns: grid.columns, overlap: grid.overlap)
    } catch { throw Failure(.usage, error.description) }
  }

  /// Whether frames must carry the codec's motion vectors.
  func needsMotionVectors() throws -> Bool { try estimator().needsMotionVectors }

  /// The parts by name, as results record them.
  func names(backbone: String) throws -> [String: String] {
    let parts = try composition()
    var names = [
      "backbone": backbone, "scheduler": parts.scheduler, "propagation": parts.propagation,
      "flow": parts.flow,
    ]
    (names["tap"], names["regions"], names["recipe"]) = (parts.tap, parts.regions, recipe)
    names["memory"] = parts.memory
    return names
  }

  private func strategy() throws -> StrategyMaker {
    try [Card<StrategyMaker>].strategies.part(composition().propagation)
  }

  private func estimator() throws -> any FlowEstimator {
    try [Card<any FlowEstimator>].flows(threads: threading.threads).part(composition().flow)
  }

  private func memory(of parts: Composition) throws -> PhotometricMemory? {
    guard let text = parts.memory else { return nil }
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map {
      Double($0) ?? .nan
    }
    guard let weight = numbers.first, (0...1).contains(weight), numbers.count <= 2,
      numbers.dropFirst().allSatisfy({ $0 > 0 && $0.isFinite })
    else {
      throw ValidationError(
        "--memory needs WEIGHT from 0 to 1, or WEIGHT,LEVELS above 0, not '\(text)'")
    }
    return PhotometricMemory(weight: weight, tolerance: numbers.dropFirst().first ?? 20)
  }

  private func grid(
    of parts: Composition
  ) throws -> (rows: Int, columns: Int, overlap: Int)? {
    guard let text = parts.regions else { return nil }
    let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let sides = halves[0].split(separator: "x").map { Int($0) ?? 0 }
    let overlap = halves.count > 1 ? Int(halves[1]) ?? -1 : 16
    guard sides.count == 2, sides.allSatisfy((1...64).contains), (0...4096).contains(overlap)
    else {
      throw ValidationError(
        "--regions needs ROWSxCOLUMNS, each 1 to 64, or ROWSxCOLUMNS:PIXELS, not '\(text)'")
    }
    return (sides[0], sides[1], overlap)
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
