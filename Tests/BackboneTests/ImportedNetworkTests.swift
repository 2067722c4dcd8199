// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Foundation
import Tensors
import TestSupport
import Testing
import Video

struct ImportedNetworkTests {
  private let folder = URL(filePath: #filePath).appending(path: "../../Fixtures/Network")
    .standardized.path

  @Test(arguments: ["tiny", "staged"]) func keepsTheLawsOfBackbones(name: String) throws {
    steadyThreads.lock()
    defer { steadyThreads.unlock() }
    let network = try ImportedNetwork(contentsOf: "\(folder)/\(name).pt")
    #expect(try brokenLaws(of: network, on: frame(width: 20, height: 14)) == [])
  }

  @Test func exportedMethodsAreStagesInOrder() throws {
    let network = try ImportedNetwork(contentsOf: "\(folder)/staged.pt")
    #expect(network.stages == [Stage("features", stride: 2), Stage("scores", stride: 2)])
    let input = try network.input(for: frame(width: 20, height: 14))
    let features = try network.run(0..<1, on: Features(input)).main
    #expect(features.shape == [1, 8, 7, 10])
  }

  @Test func withoutStagesForwardIsTheOneStage() throws {
    let network = try ImportedNetwork(contentsOf: "\(folder)/tiny.pt")
    #expect(network.stages.map(\.name) == ["scores"])
  }

  @Test func aStageThatTheNetworkLacksIsNamed() throws {
    let description = try NetworkDescription(
      yaml: """
        name: net
        input: {color: bgr, mean: [0, 0, 0], std: [1, 1, 1], scale: 1}
        output: {kind: logits, stride: 1, classes: camvid11}
        stages: [{name: encode, stride: 1}]
        """)
    let module = try TorchScriptModule(contentsOf: "\(folder)/staged.pt")
    let error = try #require(throws: BackboneError.self) {
      try ImportedNetwork(module: module, description: description)
    }
    #expect(error.code == .noSuchStage && error.message.contains("'encode'"))
    #expect(error.message.contains("features"))
  }

  /// Each plane by hand: (pixel − mean) / deviation × scale, the planes in the stated order.
  @Test(arguments: ["bgr", "rgb"]) func pixelsAreScaledAsDescribed(order: String) throws {
    let description = try NetworkDescription(
      yaml: """
        name: net
        input: {color: \(order), mean: [10, 20, 30], std: [2, 4, 5], scale: 0.5}
        output: {kind: logits, stride: 2, classes: [a, b, c, d]}
        """)
    let module = try TorchScriptModule(contentsOf: "\(folder)/staged.pt")
    let network = try ImportedNetwork(module: module, description: description)
    let pixels = Image(width: 1, height: 1, channels: 3, bytes: [110, 120, 130])
    let planes = try network.input(for: Frame(index: 0, time: 0, pixels: pixels)).floats()
    let samples: [Float] = order == "bgr" ? [110, 120, 130] : [130, 120, 110]
    let (mean, deviation): ([Float], [Float]) = ([10, 20, 30], [2, 4, 5])
    for plane in 0..<3 {
      let expected = (samples[plane] - mean[plane]) / deviation[plane] * 0.5
      #expect(abs(planes[plane] - expected) < 1e-4)
    }
  }

  private func frame(width: Int, height: Int) -> Frame {
    let bytes = (0..<width * height * 3).map { UInt8(($0 * 37) % 251) }
    return Frame(
      index: 0, time: 0, pixels: Image(width: width, height: height, channels: 3, bytes: bytes))
  }
}
