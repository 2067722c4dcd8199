// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Specification
import Tensors
import TestSupport
import Testing
import Video

/// TorchScript networks that predict depths or boxes; Fixtures/Network/make.py has them.
struct ImportedTasksTests {
  private func network(_ name: String, _ yaml: String) throws -> ImportedNetwork {
    try ImportedNetwork(
      module: TorchScriptModule(contentsOf: "\(fixtures)/Network/\(name).pt"),
      description: NetworkDescription(yaml: "name: net\n" + yaml))
  }

  private static let input = "input: {color: bgr, mean: [0, 0, 0], std: [255, 255, 255]"
  private static let boxes =
    "decoder: {kind: yolov8, score: 0.5}\noutput: {classes: [a, b], count: 2}"

  /// One over half of blue and 0.1, by hand.
  @Test func depthsAreReadOffADictionarysMap() throws {
    let yaml = """
      task: depth
      \(Self.input)}
      output: {kind: inverse, key: depth, range: [0.5, 100]}
      """
    steadyThreads.lock()
    defer { steadyThreads.unlock() }
    let network = try network("depth", yaml)
    #expect(network.stages == [Stage("depth", stride: 1)])
    let head = try #require(network.description.depthHead)
    let bytes: [UInt8] = [0, 9, 9, 51, 9, 9, 255, 9, 9]
    let frame = Frame(
      index: 0, time: 0, pixels: Image(width: 3, height: 1, channels: 3, bytes: bytes))
    let maps = FeatureMaps(
      try network.run(0..<1, on: Features(network.input(for: frame))).main, after: "depth")
    let metres = try head(maps, size: PixelSize(width: 3, height: 1)).metres
    for (found, wanted) in zip(metres, [10, 5, 1 / 0.6] as [Float]) {
      #expect(abs(found - wanted) < 1e-4)
    }
    #expect(try brokenLaws(of: network, on: frame) == [])
  }

  /// Boxes of the input of 32 × 16 in a frame twice as high, brought there with grey on both sides.
  @Test func boxesAreReadOffSeveralTensors() throws {
    let network = try network(
      "detector", "\(Self.input), size: [16, 32], fit: letterbox}\n\(Self.boxes)")
    #expect(network.stages.map(\.name) == ["output0", "output1"] && network.inputSize == nil)
    let size = PixelSize(width: 64, height: 64)
    let frame = Frame(
      index: 0, time: 0,
      pixels: Image(width: 64, height: 64, channels: 3, repeating: 90))
    var maps = FeatureMaps()
    let all = try network.run(0..<2, on: Features(network.input(for: frame)))
    let first = try network.run(0..<1, on: Features(network.input(for: frame)))
    #expect(
      first.main.type == .float32 && first.skips.count == 1 && all.main.shape == [1, 3, 16, 32])
    maps["output0"] = first.main
    let decoder = try DetectionDecoders.registry.build(
      DetectionDecoders.standard.canonical(
        PartSpec("yolov8", ["score": .number(0.5)]), as: DetectionDecoders.role),
      in: BuildContext())
    let head = DecodedDetectionHead(
      decoder, outputs: ["output0"], classes: network.description.classes,
      inputSize: network.description.input.size, fit: network.description.fit)
    let found = try head(maps, size: size)
    // The picture is a quarter as large there and begins at column 8.
    #expect(found.map(\.category) == [0, 1])
    #expect(found.map { $0.box.x } == [0, 0] && found.map { $0.box.width } == [16, 32])
    #expect(found.map { $0.box.y } == [16, 16] && found.map { $0.box.height } == [16, 16])
  }

  @Test(arguments: [
    ("task: depth\n\(input)}\noutput: {kind: logits}", "output.kind"),
    ("task: depth\n\(input), fit: corner}\noutput: {kind: metres}", "needs input.size"),
    ("task: detection\n\(input)}\noutput: {classes: [a]}", "decoder"),
    ("\(input)}\ndecoder: {kind: yolov9}\noutput: {classes: [a]}", "yolov9"),
    ("\(input)}\n\(boxes)\nstages: [{name: forward, stride: 1}]", "stages"),
    ("\(input)}\ndecoder: {kind: yolov8}\noutput: {classes: [a], count: 0}", "count"),
    ("task: poetry\n\(input)}\noutput: {classes: [a]}", "task must be one of"),
    ("task: depth\n\(input)}\noutput: {classes: [a]}", "classes"),
  ])
  func aWrongDescriptionIsNamed(yaml: String, words: String) {
    let error = #expect(throws: SpecificationError.self) { try network("depth", yaml) }
    #expect(error?.message.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test func fewerTensorsThanAreReadAreRefused() throws {
    let network = try network(
      "detector", "\(Self.input)}\n\(Self.boxes.replacing("count: 2", with: "count: 3"))")
    let pixels = Image(width: 4, height: 4, channels: 3, repeating: 9)
    let input = try network.input(for: Frame(index: 0, time: 0, pixels: pixels))
    let error = try #require(throws: BackboneError.self) {
      try network.run(0..<1, on: Features(input))
    }
    #expect(error.message.contains("gives 2 tensors, of which 3 are read"))
  }
}
