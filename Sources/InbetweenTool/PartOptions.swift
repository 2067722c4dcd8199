// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Experiments
internal import Foundation
internal import Recipes
internal import Specification
internal import Tensors
internal import Video

/// The parts of a pipeline: from a file, changed one by one, or named; `inbetween list` shows what
/// there is.
struct PartOptions: ParsableArguments {
  @Option(
    name: [.long],
    help: "Take the pipeline and the data from this YAML file, or repeat the run of a result.json.")
  var config: String?

  @Option(
    name: [.customLong("set")],
    help: "Change one key, as Hydra writes it: scheduler.interval=10, +tap=context, ~tap.")
  var overrides: [String] = []

  @Option(
    help: """
      A published system: dff, accel, dvsnet, …; a part that is named too takes the place of its \
      own. NAME:DATA takes networks trained on other data than CamVid.
      """,
    completion: .custom { _, _, _ in Parts.registries.recipes.all.map(\.name) })
  var recipe: String?

  @Option(help: "Where a recipe finds trained models.")
  var models: String?

  @Option(
    help: """
      The network: an ONNX or TorchScript file with its .yaml beside it, or a folder with \
      spec.yaml; that of the recipe if left out. 'truth' for a clip's own labels, in eval and \
      calibrate.
      """)
  var backbone: String?

  @Option(
    help: """
      What runs an ONNX network: onnxruntime, openvino, or auto for the faster one here, which is \
      measured once and kept. Usually auto.
      """)
  var engine: String?

  @Option(
    help: """
      Where an ONNX network computes: cpu, or cuda, cuda:N, tensorrt or tensorrt:N with an ONNX \
      Runtime that was built for it. Usually cpu.
      """)
  var device: String?

  @Option(
    help: """
      Predict with this head in the place of labels, a folder such as Models/street-depth.
      """)
  var head: String?

  @Option(
    help: """
      When the network runs: every:N, moved:PIXELS, moved:rate=R, …; see list. Usually every:5.
      """,
    completion: .custom { _, _, _ in Parts.registries.schedulers.descriptors.map(\.kind) })
  var scheduler: String?

  @Option(
    help: "How features reach other frames: copy, warp, trained:FOLDER. Usually warp.",
    completion: .custom { _, _, _ in Parts.registries.propagators.descriptors.map(\.kind) })
  var propagator: String?

  @Option(
    help: "What joins propagated features with what is seen of the frame; see list.",
    completion: .custom { _, _, _ in Parts.registries.fusions.descriptors.map(\.kind) })
  var fusion: String?

  @Option(
    help: """
      How optical flow is estimated: dis:PRESET, farneback, codec. Usually what the propagator was \
      trained along, else dis:medium.
      """,
    completion: .custom { _, _, _ in Parts.registries.flows.descriptors.map(\.kind) })
  var flow: String?

  @Option(
    help: """
      The stage whose output is propagated, or several parted by commas; if left out, the last \
      one, or what was trained for.
      """)
  var tap: String?

  @Option(
    help: """
      Where scores are made, mix in a WEIGHT of those before them, less where the picture has \
      changed: WEIGHT or WEIGHT,LEVELS of 255 at which a third of it is left, usually 20.
      """)
  var temporalSmoothing: String?

  @Flag(
    help: """
      Propagate to each frame from the key frame before it and from the one after it. For \
      recordings: frames wait for the next key frame.
      """)
  var bidirectional = false

  @Option(
    help: """
      Give regions of the frame key frames of their own: ROWSxCOLUMNS, or ROWSxCOLUMNS:PIXELS for \
      how far they reach over their borders.
      """)
  var regions: String?

  @Option(help: .hidden) var propagation: String?
  @Option(help: .hidden) var memory: String?

  @OptionGroup var threading: ThreadOptions

  func validate() throws {
    for (old, new, value) in [
      ("propagation", "propagator", propagation), ("memory", "temporal-smoothing", memory),
    ] where value != nil {
      throw ValidationError("--\(old) is now called --\(new)")
    }
  }

  /// What these options say, with some of a command's own.
  func settings(_ others: [(key: String, value: OptionValue)]) -> ExperimentSettings {
    var settings = ExperimentSettings()
    let ran = [("+backbone.engine", engine), ("++backbone.device", device)].compactMap {
      key, name in
      name.map { "\(key)=\($0)" }
    }
    (settings.file, settings.overrides, settings.models) = (config, overrides + ran, models)
    let named: [(String, String?)] = [
      ("recipe", recipe), ("backbone", backbone), ("head", head), ("scheduler", scheduler),
      ("propagator", propagator), ("fusion", fusion), ("flow", flow), ("tap", tap),
      ("temporal_smoothing", temporalSmoothing), ("regions", regions),
    ]
    settings.options =
      named.compactMap { key, text in text.map { (key, .text($0)) } }
      + (bidirectional ? [("bidirectional", true)] : []) + others
    return settings
  }

  /// The experiment that they come to, in its one form; nothing is loaded.
  func specification(
    _ others: [(key: String, value: OptionValue)] = []
  ) throws -> ExperimentSpec {
    try settings(others).specification(in: Parts.registries)
  }

  /// The same, where a mistake is one of the command line.
  func validated(_ others: [(key: String, value: OptionValue)] = []) throws -> ExperimentSpec {
    do { return try specification(others) } catch let error as SpecificationError {
      throw ValidationError(error.message)
    }
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
