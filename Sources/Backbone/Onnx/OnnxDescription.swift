// SPDX-License-Identifier: Apache-2.0

package import Engines
internal import Foundation
internal import Layers
package import Specification
internal import Tensors
public import Video

/// How to feed an ONNX network and how to read it: what the file says itself, and the YAML beside
/// it, which may be left out where the file says enough.
///
/// ```yaml
/// name: espnet-p2q8-camvid          # usually the file's name
/// task: segmentation                # the usual one; or depth, detection
/// input:
///   color: bgr                      # or rgb
///   mean: [110.33, 108.41, 105.03]  # usually 0
///   std: [72.13, 72.69, 69.90]      # usually 1
///   scale: 0.00392156862745098      # usually 1: x = (pixel - mean) / std * scale
///   size: [360, 480]                # where the file takes any size
///   layout: nchw                    # or nhwc, where the file's sizes do not tell
///   constants: {im_shape: [[640, 640]]}   # further inputs: numbers, as lists nested as axes are
///   fit: stretch                    # or letterbox, with grey on both sides, or corner, with grey
///                                   # to the right and below: how a picture becomes that size
/// output:
///   names: [logits]                 # of several: those that are read, in that order
///   kind: logits                    # segmentation: or probabilities; depth: inverse or metres
///   stride: 1                       # where it cannot be seen from sizes
///   layout: nchw                    # of maps: or nhwc; usually as sizes tell, else as the input's
///   classes: camvid11               # a list's name, or names; Ultralytics' files tell them
///   void: 11                        # segmentation: the plane after the classes
///   scale: 1                        # depth: metres are scale · x + shift, or 1 over that
///   shift: 0
///   range: [0.1, 100]               # depth: in metres, to which it is clamped
/// decoder:                          # detection: see `inbetween list`
///   kind: yolov8
///   score: 0.25
/// stages:                           # tensors after which the network is cut, in order
///   - {tensor: /layer4/Relu_output_0, name: features}
/// ```
public struct OnnxDescription: NetworkReading, Hashable {
  /// What the network is called.
  public let name: String
  /// What it predicts.
  public let task: NetworkTask
  /// How pixels become its input; no size where the file and its description take any.
  public let input: InputContract
  /// Whether planes or pixels are innermost in its input.
  public let layout: Layout
  /// The same of its maps.
  public let outputLayout: Layout
  /// How a picture of another size is brought to the input's.
  public let fit: PictureFit
  /// The inputs that numbers of the description replace.
  public let fixedInputs: [String]
  /// The classes that it tells apart; none for depth.
  public let classes: ClassList
  /// The outputs that are read, in order.
  public let outputs: [String]
  /// Pixels of the input that a cell of the first output spans; nil where sizes tell.
  public let outputStride: Int?
  /// The tensors after which the network is cut.
  public let cuts: [Cut]

  /// The order of a map's axes.
  public enum Layout: String, Hashable, Sendable, CaseIterable {
    /// N × C × H × W, and N × H × W × C.
    case nchw, nhwc
  }

  /// A tensor after which the network is cut.
  public struct Cut: Hashable, Sendable {
    /// The tensor's name in the file.
    public let tensor: String
    /// What the stage that ends there is called.
    public let name: String
    /// Pixels of the input that a cell spans; nil where sizes tell.
    public let stride: Int?
  }

  /// What `model` says, numbers having replaced further inputs, with the description `side` laid
  /// over it; `grammar` knows the decoders.
  ///
  /// - Throws: `SpecificationError` with the key that is missing, unknown or does not fit the file.
  package init(
    _ model: OnnxModel, path: String, _ side: DescriptionReader?, by grammar: Grammar
  ) throws(SpecificationError) {
    try side?.allow(["name", "task", "input", "output", "execution", "decoder", "stages"])
    let facts = OnnxFacts(model)
    let input = try side.group("input"), output = try side.group("output")
    let picture = try facts.picture(described: input)
    if side?.has("task") != true, side?.has("decoder") != true { try facts.checkIsRead() }
    let usualName = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    name = try side?.text("name") ?? usualName
    layout = picture.layout
    self.input = InputContract(
      size: try picture.size(described: input), scaling: try facts.scaling(described: input))
    outputStride = try output?.optional("stride", in: 1...256)
    let task = try Self.task(side, output, facts, by: grammar)
    classes = try facts.classes(described: output, of: task)
    self.task = task
    outputs = try facts.outputs(described: output, of: task)
    outputLayout =
      try output?.choice("layout", Layout.self) ?? facts.layout(of: outputs.first, task, classes)
      ?? picture.layout
    fixedInputs = try input.group("constants")?.keys ?? []
    fit =
      try input?.choice("fit", PictureFit.self)
      ?? (task.isDetection && facts.isUltralytics ? .letterbox : .stretch)
    cuts = try (side?.groups("stages") ?? []).map { (stage) throws(SpecificationError) in
      try stage.allow(["tensor", "name", "stride"])
      let tensor = try stage.string("tensor")
      return Cut(
        tensor: tensor, name: try stage.text("name") ?? tensor,
        stride: try stage.optional("stride", in: 1...256))
    }
    try check()
  }

  private func check() throws(SpecificationError) {
    guard Set(cuts.map(\.name)).count == cuts.count else {
      throw SpecificationError(.badDescription, "two stages share a name")
    }
    try checkFit()
  }

  private static func task(
    _ side: DescriptionReader?, _ output: DescriptionReader?, _ facts: OnnxFacts,
    by grammar: Grammar
  ) throws(SpecificationError) -> NetworkTask {
    try side?.checkIfGiven("task", isOneOf: ["segmentation", "depth", "detection"])
    let said = try side?.text("task"), hasDecoder = side?.has("decoder") == true
    let usual = hasDecoder || facts.findsBoxes
    switch said ?? (usual ? "detection" : "segmentation") {
    case "depth":
      try output?.allow(["names", "kind", "stride", "layout", "scale", "shift", "range"])
      return .depth(try DepthReading(output))
    case "detection":
      try output?.allow(["names", "classes", "stride"])
      guard let side, side.has("decoder") else {
        let decoder = try facts.decoder(described: output)
        return .detection(decoder: try grammar.canonical(decoder, as: DetectionDecoders.role))
      }
      return .detection(
        decoder: try side.part("decoder", as: DetectionDecoders.role, in: "", by: grammar))
    default:
      try output?.allow(["names", "kind", "stride", "layout", "classes", "void"])
      return .segmentation(
        try output?.choice("kind", NetworkDescription.Scores.self) ?? .logits)
    }
  }
}

/// How a network's numbers become depths in metres.
public struct DepthReading: Hashable, Sendable {
  /// Whether the numbers are one over depths.
  public let isInverse: Bool
  /// What a number is multiplied by, and what is then added.
  public let scale: Double, shift: Double
  /// The depths that are told, in metres: those that are stated, or 0.1 to 100.
  public var range: ClosedRange<Double> { statedRange ?? 0.1...100 }
  /// The depths that a description states; nil where it states none.
  public let statedRange: ClosedRange<Double>?

  /// Whether numbers are one over depths but for a scale and a shift that nobody states.
  public var isRelative: Bool { isInverse && scale == 1 && shift == 0 }

  /// Metres are `scale · x + shift`, or one over that, clamped to `range`.
  public init(
    isInverse: Bool, scale: Double = 1, shift: Double = 0, range: ClosedRange<Double>? = nil
  ) {
    precondition(range.map { $0.lowerBound > 0 } ?? true, "depths that do not begin above 0")
    (self.isInverse, self.scale, self.shift, statedRange) = (isInverse, scale, shift, range)
  }

  init(_ output: DescriptionReader?) throws(SpecificationError) {
    try output?.checkIfGiven("kind", isOneOf: ["inverse", "metres"])
    let range =
      try output.flatMap { (output) throws(SpecificationError) in
        output.has("range") ? try output.numbers("range", count: 2) : nil
      }
    guard range.map({ $0[0] >= 1e-6 && $0[0] < $0[1] && $0[1] <= 1e9 }) ?? true else {
      throw SpecificationError(
        .badDescription, "output.range must be the nearest and the farthest, in metres")
    }
    self.init(
      isInverse: try output?.text("kind") != "metres",
      scale: try output?.number("scale", in: -1e9...1e9, usual: 1) ?? 1,
      shift: try output?.number("shift", in: -1e9...1e9, usual: 0) ?? 0,
      range: range.map { $0[0]...$0[1] })
  }
}
