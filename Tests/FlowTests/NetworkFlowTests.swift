// SPDX-License-Identifier: Apache-2.0
import ConformanceKit
import Flow
import Layers
import Specification
import Tensors
import TestSupport
import Testing
import Video

struct NetworkFlowTests {
  @Test func anUntrainedNetworkBreaksOnlyTheLawOfTheMovedPicture() throws {
    let network = try FlowNetwork(
      FlowNetSpecification(width: 1 / 32, unit: 1), parameters: Parameters(seed: 1))
    let broken = try brokenLaws(of: NetworkFlow(network))
    #expect(broken.count == 2 && broken.allSatisfy { $0.hasPrefix("a picture moved by") })
  }

  @Test func descriptionsAreReadWithTheirDefaults() throws {
    let short = try FlowNetSpecification(yaml: "network: {kind: flownet-s}")
    #expect(short == FlowNetSpecification())
    let long = try FlowNetSpecification(
      yaml: """
        input: {color: rgb, mean: [1, 2, 3], std: [4, 5, 6], scale: 2}
        network:
          {kind: flownet-s, width: 0.375, normalised: true, finest: 0, unit: 10, steps: [4, 2]}
        data: {for: somebody else}
        """)
    let scaling = PixelScaling(
      mean: SIMD3(1, 2, 3), deviation: SIMD3(4, 5, 6), scale: SIMD3(repeating: 2), order: .rgb)
    #expect(
      long
        == FlowNetSpecification(
          scaling: scaling, width: 0.375, isNormalised: true, finest: 0, unit: 10, steps: [4, 2]))
  }

  @Test(arguments: [
    ("network: {kind: flownet-c}", "network.kind must be one of flownet-s"),
    ("network: {kind: flownet-s, depth: 3}", "network.depth unknown"),
    ("network: {kind: flownet-s, steps: [0]}", "network.steps must be a list"),
    ("network: {kind: flownet-s, finest: 6}", "network.finest must be given"),
    ("input: {}", "network must be given"),
  ])
  func aWrongDescriptionIsComplainedOfByKey(yaml: String, complaint: String) throws {
    let error = try #require(throws: SpecificationError.self) {
      try FlowNetSpecification(yaml: yaml)
    }
    #expect(error.code == .badDescription && error.message.hasPrefix(complaint), "\(error)")
  }

  @Test func aFolderGivesTheNetworkThatWasWritten() throws {
    let scratch = try Scratch()
    let description = "network: {kind: flownet-s, width: 0.0625, unit: 1}"
    _ = try scratch.file("spec.yaml", description.utf8)
    let parameters = Parameters(seed: 4)
    let network = try FlowNetwork(
      FlowNetSpecification(yaml: description), parameters: parameters)
    try SafetensorsFile.write(
      Dictionary(uniqueKeysWithValues: parameters.all.map { ($0.name, $0.tensor) }),
      to: scratch("weights.safetensors"))
    let (current, reference) = (
      movedPicture(index: 1, by: (2, 1)), movedPicture(index: 0, by: (0, 0))
    )
    #expect(
      try NetworkFlow(contentsOf: scratch("")).motion(from: current, to: reference)
        == NetworkFlow(network).motion(from: current, to: reference))
  }

  @Test func aFolderWithoutANetworkIsNamed() throws {
    let scratch = try Scratch()
    let missing = try #require(throws: SpecificationError.self) {
      try NetworkFlow(contentsOf: scratch("nothing"))
    }
    #expect(missing.message.contains("nothing: there is no such network"))
    _ = try scratch.file("spec.yaml", "network: {kind: flownet-s}".utf8)
    try SafetensorsFile.write(["conv1.0.weight": .zeros([1])], to: scratch("weights.safetensors"))
    let wrong = try #require(throws: SpecificationError.self) {
      try NetworkFlow(contentsOf: scratch(""))
    }
    #expect(wrong.message.contains("conv1.0.weight"))
  }
}
