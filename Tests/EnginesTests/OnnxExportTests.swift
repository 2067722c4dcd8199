// SPDX-License-Identifier: Apache-2.0

import Backbone
import Engines
import Flow
import Layers
import Propagation
import Specification
import Tensors
import TestSupport
import Testing
import Video

/// Networks of the package's own, written as ONNX.
struct OnnxExportTests {
  private let size = PixelSize(width: 104, height: 72)

  private func picture() throws -> Tensor {
    let numbers: [Float] = (0..<3 * 72 * 104).map { Float(($0 * 37) % 251) / 125 - 1 }
    return try Tensor(numbers, shape: [1, 3, 72, 104])
  }

  private func isNear(_ one: Tensor, _ other: Tensor) throws -> Bool { try gap(one, other) <= 2e-4 }

  // The file says of itself what the network says: sizes, parameters, multiplications.
  @Test(arguments: smallNetworks) func whatIsWrittenIsTheNetwork(text: String) throws {
    let network = try smallNetwork(text)
    let exported = try network.onnx(for: size)
    let model = try OnnxModel(bytes: exported.model)
    #expect(model.graph.inputs.map(\.name) == ["image"])
    #expect(model.graph.inputs.map(\.sizes) == [[1, 3, 72, 104]])
    let scores = try network.run(0..<network.stages.count, on: Features(picture())).main
    let sizes: [Int?] = scores.shape.dimensions
    #expect(model.graph.outputs.map(\.sizes) == [sizes])
    #expect(model.graph.nodes.allSatisfy { $0.domain.isEmpty })
    // Each name is given once, before it is read.
    var known = Set(model.graph.inputs.map(\.name) + model.graph.constants.map(\.name))
    for node in model.graph.nodes {
      #expect(node.inputs.allSatisfy { known.contains($0) }, "\(node.name)")
      for output in node.outputs { #expect(known.insert(output).inserted) }
    }
    // A normalisation is part of its convolution: an offset for each, in the place of four numbers.
    let numbers = model.graph.constants.filter { $0.sizes.count == 4 }
      .reduce(0) { $0 + $1.sizes.reduce(1, *) }
    let weights = network.parameters.all.filter { $0.kind == .weight }
    #expect(numbers == weights.reduce(0) { $0 + $1.tensor.count })
  }

  @Test(.enabled(if: !engines.isEmpty, noEngine), arguments: smallNetworks, engines)
  func anEngineComputesWhatTheNetworkDoes(text: String, engine: InferenceEngine) throws {
    let network = try smallNetwork(text), picture = try picture()
    let expected = try network.run(0..<network.stages.count, on: Features(picture)).main
    let session = try EngineSession(
      model: network.onnx(for: size).model, engine: engine, threads: 1)
    #expect(try isNear(session.run([picture])[0], expected))
  }

  // Key network and rest, one after the other, are the whole.
  @Test(
    .enabled(if: !engines.isEmpty, noEngine),
    arguments: [
      (0, "stem"), (0, "layer1"), (0, "context"), (3, "layer2"), (3, "layer3"), (3, "classifier"),
    ], engines)
  func aCutNetworkIsTheWholeInTwo(cut: (network: Int, tap: String), engine: InferenceEngine) throws
  {
    let network = try smallNetwork(smallNetworks[cut.network]), picture = try picture()
    let parts = try network.onnx(for: size, cutAfter: cut.tap)
    #expect(parts.upToTap.outputs == parts.rest.inputs)
    let first = try EngineSession(model: parts.upToTap.model, engine: engine, threads: 1)
    let second = try EngineSession(model: parts.rest.model, engine: engine, threads: 1)
    let expected = try network.run(0..<network.stages.count, on: Features(picture)).main
    #expect(try isNear(second.run(first.run([picture]))[0], expected))
  }

  @Test func whatStandsBesideItIsReadAgain() throws {
    let network = try smallNetwork(smallNetworks[0])
    let exported = try network.onnx(for: size)
    let reader = try DescriptionReader(yaml: exported.description)
    #expect(try reader.group("output").string("classes") == "camvid11")
    let input = try reader.group("input")
    #expect(try input.string("color") == "rgb")
    #expect(try input.numbers("std", count: 3) == [72, 72, 69])
    #expect(throws: BackboneError.self) { try network.onnx(for: size, cutAfter: "classifier") }
    #expect(throws: BackboneError.self) { try network.onnx(for: size, cutAfter: "nothing") }
  }

  /// A frame of pixels that are no pattern of the network's strides.
  private func frame(_ step: Int, _ size: PixelSize) -> Frame {
    let bytes = (0..<size.width * size.height * 3).map { UInt8(($0 * step) % 251) }
    return Frame(
      index: 0, time: 0,
      pixels: Image(width: size.width, height: size.height, channels: 3, bytes: bytes))
  }

  /// What is written is read by its description, and predicts what the head does.
  private func network(
    _ exported: ExportedNetwork, _ engine: InferenceEngine
  ) throws -> OnnxNetwork {
    let scratch = try Scratch()
    let path = try scratch.file("head.onnx", exported.model)
    _ = try scratch.file("head.yaml", Array(exported.description.utf8))
    return try OnnxNetwork(contentsOf: path, engine: engine, threads: 1)
  }

  private func maps(of network: some Backbone, _ frame: Frame, _ stages: [String]) throws
    -> FeatureMaps
  {
    var maps = FeatureMaps()
    var features = Features(try network.input(for: frame))
    for (index, stage) in network.stages.enumerated() {
      features = try network.run(index..<index + 1, on: features)
      if stages.contains(stage.name) { maps[stage.name] = features.main }
    }
    return maps
  }

  @Test(
    .enabled(if: !engines.isEmpty, noEngine), arguments: [nil, 8], engines)
  func anEngineTellsTheHeadsDepths(stride: Int?, engine: InferenceEngine) throws {
    let network = try smallNetwork(smallNetworks[0], color: "bgr")
    let head = try DepthHead(
      .init(channels: 6, stride: stride, hasCoordinates: stride == nil, range: 2...60),
      reading: network.headInputs(after: ["layer1", "decoder"]), parameters: Parameters(seed: 3))
    try spread(head.parameters)
    let frame = frame(37, size)
    let expected = try head(maps(of: network, frame, head.inputs), size: size).metres
    let written = try self.network(network.onnx(for: size, predictedBy: head), engine)
    let read = try #require(written.description.depthHead)
    let found = try read(maps(of: written, frame, ["depth"]), size: size).metres
    #expect(found.count == expected.count && Set(expected).count > 1000)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-3 * $1 })
  }

  @Test(.enabled(if: !engines.isEmpty, noEngine), arguments: engines)
  func anEngineFindsTheHeadsBoxes(engine: InferenceEngine) throws {
    let network = try smallNetwork(smallNetworks[0], color: "bgr")
    let head = try DetectionHead(
      .init(
        classes: ClassList(name: "things", names: ["a", "b"], void: nil), channels: 6,
        hasCoordinates: true, scoreThreshold: 0.1, overlapThreshold: 0.5,
        candidateLimit: 3000),
      reading: network.headInputs(after: ["layer1", "decoder"]), parameters: Parameters(seed: 3))
    try spread(head.parameters)
    let frame = frame(53, size)
    let expected = try head(maps(of: network, frame, head.inputs), size: size)
    let written = try self.network(network.onnx(for: size, predictedBy: head), engine)
    let decoder = try DetectionDecoders.registry.build(decoder(of: written), in: BuildContext())
    let read = try #require(written.description.detectionHead(decoder))
    let found = try read(maps(of: written, frame, ["boxes", "scores"]), size: size)
    #expect(
      found.count == expected.count && expected.count > 10, "\(found.count) \(expected.count)")
    #expect(Set(expected.map(\.category)) == [0, 1])
    for one in expected {
      let isThere = found.contains {
        $0.category == one.category && abs($0.score - one.score) < 1e-4
          && $0.box.intersectionOverUnion(with: one.box) > 0.999
      }
      #expect(isThere, "\(one)")
    }
  }

  private func decoder(of network: OnnxNetwork) throws -> PartSpec {
    guard case .detection(let decoder) = network.description.task else {
      throw BackboneError(.incompatible, "no detector")
    }
    return decoder
  }

  /// Lets a head's last convolutions, which begin near zero, tell places apart.
  private func spread(_ parameters: Parameters) throws {
    let last = ["classes", "box", "centreness", "depth"]
    for parameter in parameters.all
    where last.contains(where: { parameter.name.hasPrefix($0 + ".") }) {
      try parameter.tensor.assign(parameter.tensor * 12 + 0.02)
    }
  }

  @Test(.enabled(if: !engines.isEmpty, noEngine), arguments: engines)
  func anEngineFindsTheFlowNetworksMotion(engine: InferenceEngine) throws {
    let yaml = """
      name: small-flow
      input: {color: bgr, mean: [110, 108, 105], std: [72, 72, 69]}
      network: {kind: flownet-s, width: 0.0625, finest: 1, unit: 20, steps: [4, 2]}
      """
    let network = try FlowNetwork(
      FlowNetSpecification(DescriptionReader(yaml: yaml)), parameters: Parameters(seed: 5))
    let (one, other) = (frame(37, size), frame(53, size))
    let expected = try NetworkFlow(network).motion(from: one, to: other)
    let session = try EngineSession(
      model: network.onnx(for: size).model, engine: engine, threads: 1)
    let pictures = try [one, other].map { try $0.pixels.tensor(scaling: PixelScaling()) }
    let found = try session.run(pictures)[0]
    #expect(found.shape == [1, 2, 72, 104])
    let values = try found.permuted(0, 2, 3, 1).floats()
    #expect(values.contains { abs($0) > 1e-2 })
    #expect(zip(values, expected.displacements).allSatisfy { abs($0 - $1) < 1e-3 })
  }
}
