// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Engines
internal import Layers
internal import Tensors
public import Video

/// A pipeline's networks as ONNX models without state, for whatever runs such models.
public struct ExportedPropagation: Sendable {
  /// From a picture to the map that is propagated.
  public let key: ExportedPiece
  /// From an earlier frame's map to this frame's.
  public let fusion: ExportedPiece
  /// From the map to scores; nil where the map is scores.
  public let rest: ExportedPiece?
  /// From the map to scores on non-key frames; nil where the rest does that.
  public let decoder: ExportedPiece?
  let classes: [String]
  let size: PixelSize

  /// All pieces, in the order in which they run.
  public var pieces: [ExportedPiece] { [key, fusion] + [rest, decoder].compactMap(\.self) }
}

/// One model of an ``ExportedPropagation``.
public struct ExportedPiece: Sendable {
  /// What it is called: `key`, `fusion`, `rest`, `decoder`.
  public let name: String
  /// On which frames it runs, in a few words.
  public let frames: String
  /// The file's bytes.
  public let model: [UInt8]
  /// What it is given and what it gives, in order.
  public let inputs: [ExportedPort], outputs: [ExportedPort]
}

/// An input or an output of an exported model: float32, row by row.
public struct ExportedPort: Sendable, Hashable {
  /// What the model calls it.
  public let name: String
  /// The size of each axis: 1 × channels × height × width.
  public let sizes: [Int]
  /// What the numbers are, with their unit, in plain English.
  public let meaning: String
}

extension SegmentationNetwork {
  /// What runs a pipeline over this network without this package: the network up to `tap`, what
  /// propagates its map there to other frames, and the rest of it.
  ///
  /// All pieces take pictures of `size` as they are, 1 × 3 × height × width of blue, green and red
  /// from 0 to 255. `tap` is the stage that is propagated, the last one if left out. A part is
  /// written where it is an ``OnnxPart``. Numbers differ from the pipeline's by rounding.
  ///
  /// - Throws: `PropagationError` for a part that cannot be written, `BackboneError` for a stage
  ///   that is not there or a layer that cannot be written.
  public func onnx(
    for size: PixelSize, propagating tap: String? = nil, by propagator: some Propagator,
    fusedBy fusion: (any Fusion)? = nil, decodedBy decoder: SegmentationNetwork? = nil
  ) throws -> ExportedPropagation {
    let site = try OnnxSite(self, tap: tap, size: size)
    var frame = OnnxFrame(at: site)
    let step = try site.step(of: propagator, fusedBy: fusion, in: &frame)
    return ExportedPropagation(
      key: try site.key(keeping: frame.keptStages, onEveryFrame: frame.readsOwnMap),
      fusion: step,
      rest: try site.hasRest
        ? site.rest(of: self, on: decoder == nil ? "every frame" : "key frames") : nil,
      decoder: try decoder.map {
        try site.rest(of: $0, called: "decoder", on: "non-key frames")
      },
      classes: specification.classes.names + (specification.learnsVoid ? ["none of these"] : []),
      size: size)
  }
}

extension OnnxSite {
  private var score: String { "scores of the classes; a pixel's class is the one that scores most" }

  /// The map that is propagated, as an output.
  private var mapPort: ExportedPort {
    ExportedPort(
      name: "features", sizes: map,
      meaning: hasRest ? "what is propagated, and the rest reads" : score)
  }

  private var skipPorts: [ExportedPort] {
    skips.enumerated().map { index, sizes in
      ExportedPort(
        name: "skip\(index + 1)", sizes: sizes, meaning: "what the rest reads of an early stage")
    }
  }

  /// From a picture to the map, with the features after these stages.
  func key(keeping stages: [String], onEveryFrame: Bool) throws -> ExportedPiece {
    var graph = OnnxGraphBuilder(name: "key")
    let sizes = [1, 3, size.height, size.width]
    let frame = graph.input("frame", sizes: sizes)
    var pass = OnnxPass(graph.scaled(frame, by: network.specification.input.scaling))
    var outputs: [ExportedPort] = []
    func give(_ value: OnnxValue?, as port: ExportedPort) {
      guard let value else { return }
      graph.output(value, as: port.name)
      outputs.append(port)
    }
    var kept: [(OnnxValue?, ExportedPort)] = []
    for index in 0..<tapCount {
      try network.write(stage: index, of: &pass, to: &graph)
      let name = network.stages[index].name
      guard stages.contains(name), let value = pass.main else { continue }
      let port = ExportedPort(
        name: name, sizes: value.sizes, meaning: "what the fusion reads of the key frame")
      kept.append((value, port))
    }
    give(pass.main, as: mapPort)
    for (value, port) in zip(pass.skips, skipPorts) { give(value, as: port) }
    for (value, port) in kept { give(value, as: port) }
    return ExportedPiece(
      name: "key", frames: onEveryFrame ? "every frame" : "key frames",
      model: graph.model(producer: "inbetween"),
      inputs: [
        ExportedPort(name: "frame", sizes: sizes, meaning: "the frame: \(Self.pixels)")
      ], outputs: outputs)
  }

  /// From an earlier frame's map to this one's.
  func step(
    of propagator: some Propagator, fusedBy fusion: (any Fusion)?, in frame: inout OnnxFrame
  ) throws -> ExportedPiece {
    let goesOn = !propagator.readsKeyframeDirectly
    let before = frame.input(
      "before", map,
      goesOn
        ? "'next' of the frame before; after a key frame, its 'features'"
        : "'features' of the last key frame")
    let part = try Self.part(propagator)
    let propagated = try part.write(before, given: &frame)
    let next =
      goesOn ? try part.next(after: before, propagated: propagated, given: &frame) : nil
    let fused = try fusion.map { try Self.part($0).write(propagated, given: &frame) } ?? propagated
    var outputs = [mapPort]
    frame.graph.output(fused, as: mapPort.name)
    // The key network gives them where it runs on the frame.
    if hasRest, !frame.readsOwnMap {
      for (value, port) in zip(try frame.skips(), skipPorts) {
        frame.graph.output(value, as: port.name)
        outputs.append(port)
      }
    }
    if let next {
      frame.graph.output(next, as: "next")
      outputs.append(
        ExportedPort(name: "next", sizes: next.sizes, meaning: "'before' of the next frame"))
    }
    return ExportedPiece(
      name: "fusion", frames: "non-key frames",
      model: frame.graph.model(producer: "inbetween"), inputs: frame.inputs, outputs: outputs)
  }

  /// From the map to scores.
  func rest(
    of network: SegmentationNetwork, called name: String = "rest", on frames: String
  ) throws -> ExportedPiece {
    let part = try network.onnx(of: tapCount..<network.stages.count, for: size)
    let sizes = try sizes(after: network.stages.count)
    return ExportedPiece(
      name: name, frames: frames, model: part.model, inputs: [mapPort] + skipPorts,
      outputs: [ExportedPort(name: part.outputs[0], sizes: sizes, meaning: score)])
  }

  private static func part<Part: Sendable>(_ part: Part) throws -> any OnnxPart {
    guard let part = part as? any OnnxPart else {
      throw PropagationError("\(type(of: part)) cannot be written as ONNX operators")
    }
    return part
  }
}

extension ExportedPropagation {
  /// What stands beside the files, `STEM-key.onnx` and so on: which piece runs when, and every
  /// input and output of it with its sizes and its meaning, in YAML.
  ///
  /// `flow` names the optical flow that the part was trained along; it is told where a piece reads
  /// one.
  public func description(stem: String, along flow: String? = nil) -> String {
    var lines = [
      "# ONNX models without state that run a pipeline: what goes in, and what comes out.",
      "# Tensors are float32, 1 x channels x height x width.",
      "picture: [\(size.height), \(size.width)]",
      "classes: [\(classes.map(Self.quoted).joined(separator: ", "))]",
    ]
    if let flow, fusion.inputs.contains(where: { $0.name.contains("flow") }) {
      lines.append("flow: \(Self.quoted(flow))   # along which it was trained; others will do")
    }
    lines.append("pieces:")
    for piece in pieces {
      lines += [
        "  - name: \(piece.name)", "    file: \(Self.quoted("\(stem)-\(piece.name).onnx"))",
        "    runs_on: \(piece.frames)",
      ]
      for (title, ports) in [("inputs", piece.inputs), ("outputs", piece.outputs)] {
        lines.append("    \(title):")
        for port in ports {
          let sizes = port.sizes.map(String.init).joined(separator: ", ")
          lines.append("      - {name: \(port.name), sizes: [\(sizes)],")
          lines.append("         is: \(Self.quoted(port.meaning))}")
        }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A text as YAML has it between double quotes.
  private static func quoted(_ text: String) -> String {
    let escaped = text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
    return "\"\(escaped)\""
  }
}
