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
}
