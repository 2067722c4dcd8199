// SPDX-License-Identifier: Apache-2.0

import Backbone
import Layers
import Specification
import Tensors
import TestSupport
import Testing
import Video

struct NetworkFolderTests {
  private let scratch: Scratch
  private let spec = """
    name: small
    about: For the tests.
    input: {color: bgr, mean: [110, 109, 105], std: [72, 73, 70]}
    classes: [ground, sky]
    network:
      encoder: {kind: light, width: 0.125, stride: 16}
      context: {kind: linear, channels: 4}
    training: {anything: [at, all]}
    """

  init() throws {
    scratch = try Scratch()
    try write(spec)
  }

  @Test(arguments: [ElementType.float16, .float32])
  func whatWasWrittenIsWhatIsRead(type: ElementType) throws {
    let drawn = try NetworkFolder(at: scratch.path).drawnNetwork(seed: 5)
    try write(drawn.parameters, as: type)
    let read = try SegmentationNetwork(contentsOf: scratch.path)
    #expect(read.parameters.all.map(\.name) == drawn.parameters.all.map(\.name))
    #expect(read.head.classes.names == ["ground", "sky"] && read.head.classes.void == 2)
    let image = try Tensor.normal([1, 3, 20, 24], seed: 6)
    let (before, after) = (
      try drawn.scores(of: image, in: .inference), try read.scores(of: image, in: .inference)
    )
    #expect(try after.distance(from: before) <= (type == .float32 ? 0 : 1e-2))
  }

  @Test func aFolderThatIsNotThereIsNamed() throws {
    try expect(.missingFile, scratch("none") + ": there is no such network") {
      try SegmentationNetwork(contentsOf: scratch("none"))
    }
  }

  @Test func aFolderWithoutASpecificationHoldsNoNetwork() throws {
    let other = try Scratch()
    try expect(.missingFile, "holds no network: there is no \(other("spec.yaml"))") {
      try SegmentationNetwork(contentsOf: other.path)
    }
  }

  @Test func aNetworkWithoutWeightsIsNotTrained() throws {
    #expect(try !NetworkFolder(at: scratch.path).isTrained)
    try expect(.missingFile, "is not trained: there is no \(scratch("weights.safetensors"))") {
      try SegmentationNetwork(contentsOf: scratch.path)
    }
  }

  @Test(arguments: [
    ("classes: [ground, sky]", "classes: five", "classes: no 'five'"),
    ("name: small", "nam: small", "nam unknown"), ("kind: linear", "kind: liner", "context.kind"),
    ("stride: 16", "stride: 7", "network.encoder.stride must be given"),
  ])
  func aWrongKeyIsNamedWithItsFile(right: String, wrong: String, complaint: String) throws {
    try write(spec.replacing(right, with: wrong))
    try expect(.badDescription, complaint) { try NetworkFolder(at: scratch.path) }
    try expect(.badDescription, scratch("spec.yaml")) { try NetworkFolder(at: scratch.path) }
  }

  @Test func anotherNetworksWeightsAreRefused() throws {
    try write(NetworkFolder(at: scratch.path).drawnNetwork().parameters)
    try write(spec.replacing("width: 0.125", with: "width: 0.25"))
    try expect(.badWeights, "'encoder.stem.conv.weight' is [2, 3, 3, 3] in the file") {
      try SegmentationNetwork(contentsOf: scratch.path)
    }
  }

  /// A shallower network would find all its parameters in the file of a deeper one.
  @Test func weightsOfADeeperNetworkAreRefused() throws {
    func spec(_ depth: Int) -> String {
      self.spec.replacing("kind: light", with: "kind: resnet, depth: \(depth)")
        .replacing("width: 0.125", with: "width: 0.0625")
    }
    try write(spec(34))
    try write(NetworkFolder(at: scratch.path).drawnNetwork().parameters)
    try write(spec(18))
    try expect(.badWeights, "the network has no place for \"encoder.layer1.2.bn1.bias\"") {
      try SegmentationNetwork(contentsOf: scratch.path)
    }
  }

  @Test func damagedWeightsAreRefused() throws {
    _ = try scratch.file("weights.safetensors", [1, 2, 3])
    try expect(.badWeights, "3 bytes are too few") {
      try SegmentationNetwork(contentsOf: scratch.path)
    }
    let parameters = try NetworkFolder(at: scratch.path).drawnNetwork().parameters
    try parameters.all[0].tensor.assign(.full(parameters.all[0].tensor.shape, of: .nan))
    try write(parameters)
    try expect(.badWeights, "'encoder.stem.conv.weight' holds numbers in the file that are not") {
      try SegmentationNetwork(contentsOf: scratch.path)
    }
  }

  private func write(_ spec: String) throws { _ = try scratch.file("spec.yaml", spec.utf8) }

  private func write(_ parameters: Parameters, as type: ElementType = .float32) throws {
    let tensors = try parameters.all.map { ($0.name, try $0.tensor.cast(to: type)) }
    try SafetensorsFile.write(
      Dictionary(uniqueKeysWithValues: tensors), to: scratch("weights.safetensors"))
  }

  private func expect(
    _ code: SpecificationError.Code, _ words: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> some Any
  ) throws {
    let error = try #require(
      throws: SpecificationError.self, sourceLocation: sourceLocation,
      performing: { _ = try body() })
    #expect(error.code == code, sourceLocation: sourceLocation)
    #expect(error.message.contains(words), "\(error)", sourceLocation: sourceLocation)
    #expect(!error.message.contains("\n"), sourceLocation: sourceLocation)
  }
}
