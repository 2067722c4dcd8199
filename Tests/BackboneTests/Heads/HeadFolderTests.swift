// SPDX-License-Identifier: Apache-2.0

import Backbone
import Foundation
import Layers
import Specification
import Tensors
import TestSupport
import Testing
import Video

private let backbone = Result {
  try SegmentationNetwork(contentsOf: "\(modelFolder)/street-light")
}

private let text = """
  name: a
  backbone: \(modelFolder)/street-light
  head: {kind: depth, inputs: [decoder, context], channels: 4, blocks: 1}
  """

struct HeadFolderTests {
  /// Writes a specification and the weights of a head that it draws.
  private func write(
    _ text: String, in folder: String, extra: [String: Tensor] = [:]
  ) throws -> StoredHead {
    try Data(text.utf8).write(to: URL(filePath: "\(folder)/spec.yaml"))
    let head = try HeadFolder(at: folder).specification.head(
      behind: backbone.get(), parameters: Parameters(seed: 5))
    let tensors = head.parameters.all.map { ($0.name, $0.tensor) }
    try SafetensorsFile.write(
      Dictionary(uniqueKeysWithValues: tensors).merging(extra) { $1 },
      to: "\(folder)/weights.safetensors")
    return head
  }

  @Test func aHeadIsReadAsItWasWritten() throws {
    try withTemporaryFolder { url in
      guard case .depth(let written) = try write(text, in: url.path) else { return }
      let read = try DepthHead(contentsOf: url.path, behind: backbone.get())
      let frame = Frame(
        index: 0, time: 0, pixels: Image(width: 64, height: 48, channels: 3, repeating: 90))
      let maps = try FeatureMaps(
        of: backbone.get().input(for: frame), after: read.inputs, through: backbone.get())
      #expect(maps.stages == ["context", "decoder"])
      #expect(try read(maps, size: frame.pixels.size) == written(maps, size: frame.pixels.size))
      #expect(throws: SpecificationError.self) {
        try DetectionHead(contentsOf: url.path, behind: backbone.get())
      }
    }
  }

  @Test func weightsThatDoNotFitAreRefused() throws {
    try withTemporaryFolder { url in
      _ = try write(text, in: url.path, extra: ["more": Tensor(1)])
      #expect(throws: SpecificationError.self) {
        try HeadFolder(at: url.path).head(behind: backbone.get())
      }
      _ = try write(text, in: url.path)
      let wider = text.replacing("channels: 4", with: "channels: 5")
      try Data(wider.utf8).write(to: URL(filePath: "\(url.path)/spec.yaml"))
      #expect(throws: SpecificationError.self) {
        try HeadFolder(at: url.path).head(behind: backbone.get())
      }
      try FileManager.default.removeItem(atPath: "\(url.path)/weights.safetensors")
      #expect(throws: SpecificationError.self) {
        try HeadFolder(at: url.path).head(behind: backbone.get())
      }
    }
  }

  @Test func inputsHaveTheirStagesChannelsAndStrides() throws {
    let network = try backbone.get()
    #expect(
      try network.headInputs(after: ["decoder", "context"]) == [
        HeadInput(stage: "decoder", channels: 24, stride: 4),
        HeadInput(stage: "context", channels: 48, stride: 32),
      ])
    #expect(try network.headInputs(after: []).map(\.stage) == ["classifier"])
    #expect(throws: BackboneError.self) { try network.headInputs(after: ["nowhere"]) }
  }

  @Test func mapsAreThoseOfTheStages() throws {
    let network = try backbone.get()
    let input = try randomMap([1, 3, 32, 64], seed: 1)
    let maps = try FeatureMaps(of: input, after: ["decoder", "context"], through: network)
    for stage in ["context", "decoder"] {
      let expected = try network.run(
        0..<network.index(ofStage: stage) + 1, on: Features(input)
      ).main
      #expect(try maps.map(after: stage).floats() == expected.floats())
    }
    let last = try FeatureMaps(of: input, after: [], through: network)
    #expect(last.stages == ["classifier"])
  }
}
