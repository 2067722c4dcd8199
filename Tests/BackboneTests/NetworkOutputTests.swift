// SPDX-License-Identifier: Apache-2.0

import Backbone
import Tensors
import TestSupport
import Testing
import Video

/// Programs that load, and give what is no map of the picture; Fixtures/Network/make.py has them.
struct NetworkOutputTests {
  @Test(arguments: [
    ("none_of_a_batch", "[0, 3, 4, 4]"), ("two_of_a_batch", "[2, 3, 4, 4]"),
    ("parameter", "[3, 3, 3, 3]"), ("three_axes", "[3, 4, 4]"), ("number", "[]"),
    ("no_rows", "[1, 3, 0, 4]"), ("no_channels", "[1, 0, 4, 4]"), ("classes", "int64"),
    ("nothing", "gives nothing"), ("sparse", "sparse"), ("without_memory", "without memory"),
    ("plane", "a single plane"),
  ])
  func whatIsNoMapOfThePictureIsRefused(method: String, words: String) throws {
    let network = try network(method, classes: "[a, b, c]")
    let error = try #require(throws: BackboneError.self) { try scores(of: network) }
    #expect(error.code == .badOutput && error.message.contains(words), "\(error)")
  }

  @Test func aStrideThatTheNetworkDoesNotHaveIsRefused() throws {
    let error = try #require(throws: BackboneError.self) {
      try scores(of: network("smaller", classes: "[a, b, c]", stride: 1), side: 8)
    }
    #expect(error.message.contains("no stride of 1"), "\(error)")
    _ = try scores(of: network("smaller", classes: "[a, b, c]", stride: 2), side: 8)
  }

  /// Pixels are divided by 255: of 0, 60, 128 and 255 the last two are above ½, and twice
  /// them above ½, too.
  @Test(arguments: [("plane", "logits"), ("likelihood", "probabilities")])
  func onePlaneTellsTwoClassesApart(method: String, kind: String) throws {
    let network = try network(method, classes: "[background, thing]", kind: kind)
    let pixels = Image(
      width: 4, height: 1, channels: 3,
      bytes: [0, 60, 128, 255].flatMap { [UInt8](repeating: $0, count: 3) })
    let input = try network.input(for: Frame(index: 0, time: 0, pixels: pixels))
    let output = try network.run(0..<1, on: Features(input)).main
    #expect(output.shape == [1, 2, 1, 4])
    #expect(try output.argmaxLabels().bytes() == [0, 0, 1, 1])
  }

  @Test func aKeyOfWhatIsNoDictionaryIsRefused() throws {
    let network = try network("plane", classes: "[a, b]", key: ", key: out")
    let error = try #require(throws: BackboneError.self) { try scores(of: network) }
    #expect(error.code == .badOutput && error.message.contains("no dictionary"), "\(error)")
  }

  @Test func oneClassTellsNothingApart() throws {
    let error = try #require(throws: (any Error).self) { try network("plane", classes: "[a]") }
    #expect("\(error)".contains("name two"))
  }

  private func network(
    _ method: String, classes: String, stride: Int = 1, kind: String = "logits", key: String = ""
  ) throws -> ImportedNetwork {
    let description = try NetworkDescription(
      yaml: """
        name: net
        input: {color: bgr, mean: [0, 0, 0], std: [255, 255, 255]}
        output: {kind: \(kind), stride: \(stride), classes: \(classes)\(key)}
        stages: [{name: \(method), stride: \(stride)}]
        """)
    return try ImportedNetwork(
      module: TorchScriptModule(contentsOf: "\(fixtures)/Network/outputs.pt"),
      description: description)
  }

  private func scores(of network: ImportedNetwork, side: Int = 4) throws -> Features {
    let pixels = Image(width: side, height: side, channels: 3, repeating: 99)
    let input = try network.input(for: Frame(index: 0, time: 0, pixels: pixels))
    return try network.run(0..<1, on: Features(input))
  }
}
