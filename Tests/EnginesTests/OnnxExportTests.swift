// SPDX-License-Identifier: Apache-2.0

import Backbone
import Engines
import Layers
import Specification
import Tensors
import Testing
import Video

/// Networks of the package's own, written as ONNX.
struct OnnxExportTests {
  /// One of each kind of encoder and context; of odd sizes, so that windows overlap.
  static let networks: [String] = [
    """
      encoder: {kind: resnet, depth: 10, width: 0.125, stride: 16}
      context: {kind: pyramid, channels: 8, bins: [1, 2, 3]}
      decoder: [{stride: 4, channels: 8}, {stride: 2, channels: 4}]
    """,
    """
      encoder: {kind: resnet, depth: 50, width: 0.0625, stride: 8}
      context: {kind: atrous, channels: 8, rates: [2, 3]}
    """,
    """
      encoder: {kind: light, width: 0.5, stride: 32}
      context: {kind: linear, channels: 8}
      decoder: [{stride: 8, channels: 8}]
    """,
  ]
  private let size = PixelSize(width: 104, height: 72)

  private func network(_ text: String) throws -> SegmentationNetwork {
    let yaml = """
      name: small
      input: {color: rgb, mean: [110, 108, 105], std: [72, 72, 69]}
      classes: camvid11
      network:
      \(text)
      """
    let reader = try DescriptionReader(yaml: yaml)
    let parameters = Parameters(seed: 7)
    let network = try SegmentationNetwork(NetworkSpecification(reader), parameters: parameters)
    // Statistics and offsets as they are after training: what is folded must count.
    for (index, parameter) in parameters.all.enumerated() where parameter.kind != .weight {
      try parameter.tensor.assign(parameter.tensor * (1 + 0.01 * Float(index % 7)) + 0.03)
    }
    return network
  }

  private func picture() throws -> Tensor {
    let numbers: [Float] = (0..<3 * 72 * 104).map { Float(($0 * 37) % 251) / 125 - 1 }
    return try Tensor(numbers, shape: [1, 3, 72, 104])
  }

  private func isNear(_ one: Tensor, _ other: Tensor) throws -> Bool {
    let (left, right) = (try one.floats(), try other.floats())
    let largest: Float = right.reduce(1) { max($0, abs($1)) }
    let furthest: Float = zip(left, right).reduce(0) { max($0, abs($1.0 - $1.1)) }
    return one.shape == other.shape && furthest <= 2e-4 * largest
  }

  // The file says of itself what the network says: sizes, parameters, multiplications.
  @Test(arguments: networks) func whatIsWrittenIsTheNetwork(text: String) throws {
    let network = try network(text)
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

  @Test(.enabled(if: !engines.isEmpty, noEngine), arguments: networks, engines)
  func anEngineComputesWhatTheNetworkDoes(text: String, engine: InferenceEngine) throws {
    let network = try network(text), picture = try picture()
    let expected = try network.run(0..<network.stages.count, on: Features(picture)).main
    let session = try EngineSession(
      model: network.onnx(for: size).model, engine: engine, threads: 1)
    #expect(try isNear(session.run([picture])[0], expected))
  }

  // Key network and rest, one after the other, are the whole.
  @Test(
    .enabled(if: !engines.isEmpty, noEngine), arguments: ["stem", "layer1", "context"], engines)
  func aCutNetworkIsTheWholeInTwo(tap: String, engine: InferenceEngine) throws {
    let network = try network(Self.networks[0]), picture = try picture()
    let parts = try network.onnx(for: size, cutAfter: tap)
    #expect(parts.upToTap.outputs == parts.rest.inputs)
    let first = try EngineSession(model: parts.upToTap.model, engine: engine, threads: 1)
    let second = try EngineSession(model: parts.rest.model, engine: engine, threads: 1)
    let expected = try network.run(0..<network.stages.count, on: Features(picture)).main
    #expect(try isNear(second.run(first.run([picture]))[0], expected))
  }

  @Test func whatStandsBesideItIsReadAgain() throws {
    let network = try network(Self.networks[0])
    let exported = try network.onnx(for: size)
    let reader = try DescriptionReader(yaml: exported.description)
    #expect(try reader.group("output").string("classes") == "camvid11")
    let input = try reader.group("input")
    #expect(try input.string("color") == "rgb")
    #expect(try input.numbers("std", count: 3) == [72, 72, 69])
    #expect(throws: BackboneError.self) { try network.onnx(for: size, cutAfter: "classifier") }
    #expect(throws: BackboneError.self) { try network.onnx(for: size, cutAfter: "nothing") }
  }
}
