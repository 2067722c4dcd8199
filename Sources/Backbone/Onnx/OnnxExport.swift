// SPDX-License-Identifier: Apache-2.0

package import Engines
internal import Layers
internal import Tensors
public import Video

/// A part of a network as an ONNX model.
public struct ExportedNetwork: Sendable {
  /// The file's bytes.
  public let model: [UInt8]
  /// The YAML that goes beside it, by which it is fed and read; empty for what is no backbone.
  public let description: String
  /// The names of its inputs and of its outputs, in order.
  public let inputs: [String], outputs: [String]

  package init(model: [UInt8], description: String = "", inputs: [String], outputs: [String]) {
    (self.model, self.description) = (model, description)
    (self.inputs, self.outputs) = (inputs, outputs)
  }
}

extension SegmentationNetwork {
  /// The network as an ONNX model for pictures of `size`: 1 × 3 × height × width of scaled pixels
  /// to scores of 1 × classes × h × w at the stride of the last stage.
  ///
  /// Normalisations become part of the convolutions. Numbers differ from the network's own by
  /// rounding.
  ///
  /// - Throws: `BackboneError` where a layer cannot be written.
  public func onnx(for size: PixelSize) throws -> ExportedNetwork {
    try onnx(of: 0..<stages.count, for: size)
  }

  /// The network cut after the stage called `tap`, as two models: from the picture to that stage's
  /// map and those that later stages read, and from these to scores.
  ///
  /// What a key frame's network and every frame's head are made of, so that maps can be propagated
  /// between them by whatever runs the models.
  public func onnx(
    for size: PixelSize, cutAfter tap: String
  ) throws -> (upToTap: ExportedNetwork, rest: ExportedNetwork) {
    let count = try index(ofStage: tap) + 1
    guard count < stages.count else {
      throw BackboneError(.incompatible, "nothing comes after the stage '\(tap)'")
    }
    return (
      try onnx(of: 0..<count, for: size), try onnx(of: count..<stages.count, for: size)
    )
  }

  /// Some stages as a model: the first of them reads a scaled picture or what comes before.
  package func onnx(of range: Range<Int>, for size: PixelSize) throws -> ExportedNetwork {
    let network = try folded()
    var graph = OnnxGraphBuilder(name: "network")
    var pass = OnnxPass()
    var (inputs, outputs) = (["image"], [String]())
    if range.lowerBound == 0 {
      pass.main = graph.input("image", sizes: [1, 3, size.height, size.width])
    } else {
      let before = try shapes(ofStagesBefore: range.lowerBound, for: size)
      inputs = Self.names(of: before.skips.count, first: "features")
      pass.main = graph.input(inputs[0], sizes: before.main)
      pass.skips = zip(inputs.dropFirst(), before.skips).map { graph.input($0, sizes: $1) }
    }
    for index in range { try network.write(stage: index, of: &pass, to: &graph) }
    guard let main = pass.main else { throw BackboneError(.incompatible, "no stage is exported") }
    let isWhole = range.upperBound == stages.count
    outputs = Self.names(of: isWhole ? 0 : pass.skips.count, first: isWhole ? "scores" : "features")
    for (value, name) in zip([main] + (isWhole ? [] : pass.skips), outputs) {
      graph.output(value, as: name)
    }
    return ExportedNetwork(
      model: graph.model(producer: "inbetween"), description: description(of: size, range),
      inputs: inputs, outputs: outputs)
  }

  /// `first`, and a name for each skip.
  package static func names(of skips: Int, first: String) -> [String] {
    [first] + (0..<skips).map { "skip\($0 + 1)" }
  }

  /// The sizes of what stages give before number `count`, seen on a picture of zeros.
  package func shapes(
    ofStagesBefore count: Int, for size: PixelSize
  ) throws -> (main: [Int], skips: [[Int]]) {
    let picture = try Tensor.zeros([1, 3, size.height, size.width]).to(parameters.device)
    let features = try run(0..<count, on: Features(picture))
    return (features.main.shape.dimensions, features.skips.map(\.shape.dimensions))
  }

  /// What is to stand beside a model that takes pictures.
  private func description(of size: PixelSize, _ range: Range<Int>) -> String {
    guard range == 0..<stages.count else { return "" }
    let classes = specification.classes
    let names = classes.names.map { String(reflecting: $0) }.joined(separator: ", ")
    let known = ClassList.named(classes.name)?.names == classes.names ? classes.name : "[\(names)]"
    let void = specification.learnsVoid ? "\n  void: \(classes.count)" : ""
    return """
      task: segmentation
      \(inputDescription(of: size))output:
        kind: logits
        classes: \(known)\(void)

      """
  }

  /// How a model is fed that takes pictures of `size`, as the YAML beside it says that.
  func inputDescription(of size: PixelSize) -> String {
    let scaling = specification.input.scaling
    func row(_ numbers: SIMD3<Float>) -> String {
      "[\(numbers.x), \(numbers.y), \(numbers.z)]"
    }
    return """
      input:
        color: \(scaling.order.rawValue)
        mean: \(row(scaling.mean))
        std: \(row(scaling.deviation / scaling.scale))
        size: [\(size.height), \(size.width)]

      """
  }
}

/// What passes from stage to stage of a network that is written.
package struct OnnxPass {
  package var main: OnnxValue?
  package var skips: [OnnxValue] = []

  package init(_ main: OnnxValue? = nil) { self.main = main }
}

extension SegmentationNetwork {
  /// Adds a stage to a graph; the network is a folded one.
  package func write(
    stage index: Int, of pass: inout OnnxPass, to graph: inout OnnxGraphBuilder
  ) throws {
    guard let input = pass.main else { return }
    switch part(ofStage: index) {
    case .encoder:
      let output = try encoder.layers[index].write(input, to: &graph)
      pass.main = output
      if isJoined(stage: index) { pass.skips.append(output) }
    case .context:
      pass.main = try context.written(input, to: &graph)
    case .classifier:
      pass.main = try classifier.write(input, to: &graph)
    case .decoder:
      var output = input
      for (step, fine) in zip(decoder, pass.skips.reversed()) {
        output = try step.write(output, joining: fine, to: &graph)
      }
      (pass.main, pass.skips) = (output, [])
    case .scores:
      var output = input
      for (step, fine) in zip(scoreHeads, pass.skips.reversed()) {
        output = try step.write(output, joining: fine, to: &graph)
      }
      (pass.main, pass.skips) = (output, [])
    }
  }
}
