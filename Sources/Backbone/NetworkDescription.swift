// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Layers
public import Specification
public import Tensors
public import Video

/// How to feed an imported network and how to read it: the YAML file beside it.
///
/// ```yaml
/// name: espnet-p2q8-camvid
/// task: segmentation                # the usual one; or depth, detection
/// input:
///   color: bgr                      # or rgb: the order of the three planes
///   size: [360, 480]                # height, width; left out where any size will do
///   mean: [110.33, 108.41, 105.03]  # a plane, 0-255, in the order of the planes
///   std: [72.13, 72.69, 69.90]
///   scale: 0.00392156862745098      # x = (pixel - mean) / std * scale
///   fit: stretch                    # detection: or letterbox, corner
/// output:
///   kind: logits                    # or probabilities: what a network of two classes gives
///   stride: 1                       # input pixels that an output cell spans
///   classes: camvid11               # or a list of names
///   void: 11                        # the plane after the classes; may be left out
///   key: out                        # where the network gives a dictionary, as torchvision's do
///                                   # a network with one plane, as for binary masks, names two
///                                   # classes: the second is where the plane is above 0, or 1/2
///   count: 2                        # detection: how many tensors are read, from the first; 1
/// decoder: {kind: yolov8}           # detection: see `inbetween list`
/// execution: channels-last          # optional: or fused, whichever is faster
/// stages:                           # optional: exported methods, run in this order
///   - {name: features, stride: 8}
///   - {name: scores, stride: 8}
/// ```
///
/// Of depth, `output` may have `kind` (`inverse` or `metres`), `scale`, `shift` and `range` as the
/// description of an ONNX network has them, and `stride` is usually 1.
public struct NetworkDescription: NetworkReading, Hashable {
  /// What the network is called.
  public let name: String
  /// How pixels become its input.
  public let input: InputContract
  /// What it predicts.
  public let task: NetworkTask
  /// How a picture of another size is brought to the input's.
  public let fit: PictureFit
  /// The classes that it tells apart; none for depth.
  public let classes: ClassList
  /// What is read of what it gives: a map of scores or depths, or a detector's tensors in order.
  public let outputs: [String]
  /// Pixels of the input that a cell of the map spans, each way.
  public let outputStride: Int
  /// Methods to call in order; empty where the network is one call of `forward`.
  public let stages: [Stage]
  /// Which value of the dictionary that the network gives is read; nil where it gives none.
  public let outputKey: String?
  /// How it is run; a matter of speed.
  public let execution: Execution

  /// What scores are.
  public enum Scores: String, Hashable, Sendable, CaseIterable {
    /// Any numbers; of two classes the second is the likelier above 0.
    case logits
    /// From 0 to 1; of two classes the second is the likelier above 1/2.
    case probabilities
  }

  /// How the network is run: the results are the same but for rounding, the speed is not.
  public enum Execution: String, Hashable, Sendable, CaseIterable {
    /// Channels innermost in memory; suits networks of many small operations between convolutions.
    case channelsLast = "channels-last"
    /// Convolutions fused and laid out by oneDNN; suits those that are convolutions and little
    /// else.
    case fused
  }

  /// Reads a description from YAML text; `grammar` knows the decoders of detectors.
  ///
  /// - Throws: `SpecificationError` with the key that is missing, unknown or of the wrong type.
  public init(
    yaml: String, by grammar: Grammar = DetectionDecoders.standard
  ) throws(SpecificationError) {
    let root = try DescriptionReader(yaml: yaml)
    try root.allow(["name", "task", "input", "output", "decoder", "execution", "stages"])
    let output = try root.group("output")
    outputKey = output.has("key") ? try output.string("key") : nil
    name = try root.string("name")
    let picture = try root.group("input")
    input = try InputContract(picture, beside: ["fit"])
    fit = try picture.choice("fit", PictureFit.self) ?? .stretch
    (task, classes, outputs) = try Self.task(root, output, by: grammar)
    if case .segmentation = task {
      outputStride = try output.integer("stride", in: 1...256)
    } else {
      outputStride = try output.optional("stride", in: 1...256) ?? 1
    }
    stages = try root.groups("stages").map { (stage) throws(SpecificationError) in
      try stage.allow(["name", "stride"])
      return Stage(try stage.string("name"), stride: try stage.integer("stride", in: 1...256))
    }
    if root.has("execution") {
      try root.check("execution", isOneOf: Execution.allCases.map(\.rawValue))
      execution = Execution(rawValue: try root.string("execution")) ?? .channelsLast
    } else {
      execution = .channelsLast
    }
    guard Set(stages.map(\.name)).count == stages.count else {
      throw SpecificationError(.badDescription, "two stages share a name")
    }
    guard stages.isEmpty || !task.isDetection else {
      throw root.complaint("stages", "of a detector there are none: it is one call of forward")
    }
    try checkFit()
  }

  private static func task(
    _ root: DescriptionReader, _ output: DescriptionReader, by grammar: Grammar
  ) throws(SpecificationError) -> (NetworkTask, ClassList, [String]) {
    try root.checkIfGiven("task", isOneOf: ["segmentation", "depth", "detection"])
    let usual = root.has("decoder") ? "detection" : "segmentation"
    switch try root.text("task") ?? usual {
    case "depth":
      try output.allow(["kind", "stride", "scale", "shift", "range", "key"])
      let none = ClassList(name: "none", names: [], void: nil)
      return (.depth(try DepthReading(output)), none, ["depth"])
    case "detection":
      try output.allow(["classes", "count", "key"])
      let count = try output.integer("count", in: 1...64, usual: 1)
      return (
        .detection(
          decoder: try root.part("decoder", as: DetectionDecoders.role, in: "", by: grammar)),
        try ClassList(classesOf: output).with(void: nil), (0..<count).map { "output\($0)" }
      )
    default:
      try output.allow(["kind", "stride", "classes", "void", "key"])
      try output.check("kind", isOneOf: Scores.allCases.map(\.rawValue))
      let classes = try ClassList(output)
      guard classes.count > 1 || classes.void != nil else {
        throw output.complaint(
          "classes", "a single class tells nothing apart; name two, as [background, object]")
      }
      let kind = Scores(rawValue: try output.string("kind")) ?? .logits
      return (.segmentation(kind), classes, ["scores"])
    }
  }

  /// Reads the description that lies beside a network: `net.yaml` for `net.torchscript.pt`.
  public init(
    besideNetwork path: String, by grammar: Grammar = DetectionDecoders.standard
  ) throws(SpecificationError) {
    guard FileManager.default.fileExists(atPath: path) else {
      throw SpecificationError(.missingFile, "\(path): there is no such network")
    }
    let file = Self.path(besideNetwork: path)
    guard let text = String(textOf: try Self.bytes(of: file, for: path)) else {
      throw SpecificationError(.badDescription, "\(file) is no YAML text: it is not UTF-8")
    }
    do {
      try self.init(yaml: text, by: grammar)
    } catch {
      throw error.located(in: file)
    }
  }

  static func bytes(of file: String, for path: String) throws(SpecificationError) -> [UInt8] {
    do throws(VideoError) {
      return try readBytes(of: file, limit: DescriptionReader.maximumBytes)
    } catch {
      guard error.code != .missingFile else {
        throw SpecificationError(
          .missingFile, "\(path) needs a description beside it, which is not there: \(file)")
      }
      throw SpecificationError(.badDescription, "\(file) is no YAML text: \(error.message)")
    }
  }

  /// Where the description of the network at `path` lies.
  public static func path(besideNetwork path: String) -> String {
    var stem = path
    for suffix in [".onnx", ".pt", ".pth", ".torchscript"] where stem.hasSuffix(suffix) {
      stem.removeLast(suffix.count)
    }
    return stem + ".yaml"
  }
}

/// How 8-bit pixels become a network's input.
public struct InputContract: Hashable, Sendable {
  /// The frame size the network was built for; nil for any.
  public let size: PixelSize?
  /// The order of the planes, and what becomes of a pixel in each.
  public let scaling: PixelScaling

  /// A contract for frames of `size`, or of any where that is nil.
  public init(size: PixelSize?, scaling: PixelScaling) {
    (self.size, self.scaling) = (size, scaling)
  }

  /// What a group of keys says, which may have `others` beside these.
  init(
    _ reader: DescriptionReader, beside others: [String] = []
  ) throws(SpecificationError) {
    try reader.allow(["color", "size", "mean", "std", "scale"] + others)
    let size = reader.has("size") ? try reader.numbers("size", count: 2) : []
    guard size.allSatisfy({ $0 >= 1 && $0 <= 16384 && $0 == $0.rounded() }) else {
      throw SpecificationError(.badDescription, "input.size is [height, width], each 1…16384")
    }
    self.size = size.isEmpty ? nil : PixelSize(width: Int(size[1]), height: Int(size[0]))
    scaling = try reader.scaling()
  }
}

extension ClassList {
  /// The classes that the key `classes` names, with the void that the key `void` tells.
  init(_ output: DescriptionReader) throws(SpecificationError) {
    let classes = try ClassList(namedIn: output)
    guard output.has("void") else {
      self = classes.with(void: nil)
      return
    }
    let void = try output.integer("void", in: 0...255)
    // A void among the classes would be scored as one of them.
    guard void == classes.count else {
      throw SpecificationError(
        .badDescription,
        "output.void must be the plane after the classes, \(classes.count), not \(void)")
    }
    self = classes.with(void: UInt8(void))
  }

  /// The classes that the key `classes` names, with their usual void.
  init(classesOf root: DescriptionReader) throws(SpecificationError) {
    let classes = try ClassList(namedIn: root)
    self = classes.void == nil ? classes.with(void: UInt8(classes.count)) : classes
  }

  private init(namedIn output: DescriptionReader) throws(SpecificationError) {
    if let names = output.strings("classes") {
      guard (1...255).contains(names.count) else {
        throw SpecificationError(.badDescription, "output.classes: 1 to 255 names")
      }
      self.init(name: "custom", names: names, void: nil)
      return
    }
    let name = try output.string("classes")
    guard let known = ClassList.named(name) else {
      let names = ClassList.all.map(\.name).joined(separator: ", ")
      throw SpecificationError(
        .badDescription, "output.classes: no '\(name)'; there are \(names), or a list of names")
    }
    self = known
  }
}
