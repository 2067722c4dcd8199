// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Backbone
internal import Flow
internal import Foundation
internal import Pipeline
internal import Recipes
internal import Specification
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
  var temporalSmoothing: String?

  @Option(
    help: """
      Give regions of the frame keys of their own: ROWSxCOLUMNS, or ROWSxCOLUMNS:PIXELS for how far they reach \
      over their borders.
      """)
  var regions: String?

  @OptionGroup var threading: ThreadOptions

  func validate() throws {
    do {
      try composition().validate()
    } catch let error as CatalogueError {
      throw ValidationError(error.message)
    } catch let error as SpecificationError { throw ValidationError(error.message) }
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
    if let temporalSmoothing { parts.smoothing = temporalSmoothing }
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
    -> KeyframePipeline<Image>
  {
    do {
      return try composition().pipeline(around: backbone, head: head, threads: threading.threads)
    } catch let error as CatalogueError { throw Failure(.usage, error.message) }
  }

  /// The same pipeline for each region, where regions are wanted.
  func regional(_ pipeline: KeyframePipeline<Image>) throws -> any PredictionPipeline<Image> {
    do { return try composition().regional(pipeline) } catch let error as IncompatibleParts {
      throw Failure(.usage, error.description)
    }
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
    names["temporal_smoothing"] = parts.smoothing
    return names
  }

  private func estimator() throws -> any FlowEstimator {
    try [Card<any FlowEstimator>].flows(threads: threading.threads).part(composition().flow)
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
