// SPDX-License-Identifier: Apache-2.0

import Backbone
import Engines
import Foundation
import Recipes
import Specification
import TestSupport
import Testing
import Video

/// What is said of a network, by its file and beside it; no engine is needed.
struct OnnxDescriptionTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func file(_ name: String, _ yaml: String?) throws -> OnnxFile {
    try OnnxFile(at: described(name, in: scratch, yaml))
  }

  @Test func theFileGivesSizesAndTheDescriptionTheRest() throws {
    let said = try file("segmentation", segmentationYAML).description
    #expect(said.name == "segmentation" && said.layout == .nchw && said.fit == .stretch)
    #expect(said.input.size == PixelSize(width: 16, height: 12))
    #expect(said.classes.names == ["a", "b", "c"] && said.outputs == ["scores"])
    #expect(said.task == .segmentation(.logits))
  }

  @Test func aFileThatDoesNotSayEnoughNeedsADescription() throws {
    let error = try #require(throws: SpecificationError.self) { try file("segmentation", nil) }
    #expect(error.code == .missingFile && error.message.contains("segmentation.yaml"))
  }

  @Test(arguments: [
    ("{input: {color: bgr, size: [10, 10]}, output: {classes: [a, b]}}", "input.size"),
    ("{input: {color: bgr}, output: {classes: [a, b], names: [nothing]}}", "'nothing'"),
    ("{input: {color: bgr}}", "output.classes"),
    ("{input: {color: bgr}, output: {classes: [a]}}", "a single class"),
    ("{input: {color: bgr, colour: 1}, output: {classes: [a, b]}}", "colour"),
    ("{task: detection, input: {color: bgr}}", "decoder must be given"),
    ("{task: poetry, input: {color: bgr}}", "task must be one of"),
    ("{input: {color: bgr, fit: letterbox}, output: {classes: [a, b]}}", "is for detection"),
    ("{task: detection, input: {color: bgr}, decoder: {kind: yolov9}}", "yolov9"),
    ("{task: detection, input: {color: bgr}, decoder: {kind: yolov8, score: 2}}", "score"),
  ])
  func aWrongDescriptionIsNamed(yaml: String, reason: String) throws {
    let error = try #require(throws: SpecificationError.self) { try file("segmentation", yaml) }
    #expect(error.message.contains(reason), "\(error)")
    #expect(error.message.contains("segmentation."), "\(error)")
  }

  @Test func aPathIsGivenToTheEngineThatOpensIt() throws {
    let registries = Registries.standard
    let path = try described("segmentation", in: scratch, segmentationYAML)
    for text in [path, "onnx:\(path)"] {
      let spec = try PipelineSpec(backbone: PartSpec(text)).canonical(in: registries)
      let backbone = try #require(spec.backbone)
      #expect(backbone.kind == "onnx")
      let source = try registries.source(of: backbone, in: registries.context(threads: 1))
      #expect(source.classes.names == ["a", "b", "c"] && source.task == nil)
      #expect(source.files.contains(path) && source.files.contains(scratch("segmentation.yaml")))
    }
  }

  @Test func aDetectorHasATaskOfItsOwn() throws {
    let registries = Registries.standard
    let spec = try PipelineSpec(backbone: PartSpec("\(networks)/detector.onnx"))
      .canonical(in: registries)
    let backbone = try #require(spec.backbone)
    let source = try registries.source(of: backbone, in: registries.context(threads: 1))
    #expect(source.task?.name == "detection")
  }

  /// A decoder of somebody's own, by the name under which it was registered.
  @Test func aDecoderOfOnesOwnIsAPartLikeAnyOther() throws {
    var registries = Registries.standard
    registries.decoders.register("mine", "boxes as I read them", options: []) { _, _ in Mine() }
    let path = try described(
      "segmentation", in: scratch, "{input: {color: bgr}, task: detection, decoder: {kind: mine}}")
    let spec = try PipelineSpec(backbone: PartSpec(path)).canonical(in: registries)
    let backbone = try #require(spec.backbone)
    let source = try registries.source(of: backbone, in: registries.context(threads: 1))
    #expect(source.task?.name == "detection" && source.classes.count == 80)
  }

  private struct Mine: DetectionDecoder {
    let thresholds = DetectionThresholds()
    func detections(
      in _: [DetectorOutput], input _: PixelSize, classes _: Int
    ) -> [Detection] { [] }
  }

  @Test func aMissingEngineIsToldInASentence() {
    for engine in InferenceEngine.allCases where !engine.isAvailable {
      let error = #expect(throws: EngineError.self) { try engine.library() }
      #expect(error?.code == .libraryMissing)
      #expect(error?.message.contains("Scripts/install-engines \(engine.rawValue)") == true)
    }
  }
}
