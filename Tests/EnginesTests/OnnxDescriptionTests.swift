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

  @Test(arguments: [
    ("{size:", "{other: [1], size:", "'other'"),
    ("half: [0.37]", "half: [[0.37]]", "[1, 1] numbers for the input half: float16 1"),
    ("half: [0.37]", "half: 0.37", "one number"), ("half: [0.37]", "half: [7.0e4]", "70000.0"),
    ("flag: [1]", "flag: [2]", "2.0 is no number"), ("long: [5]", "long: [-5]", "-5.0"),
    ("byte: [[200, 3]]", "byte: [[256, 3]]", "256"), ("long: [5]", "long: [0.5]", "0.5"),
    ("byte: [[200, 3]]", "byte: [[200], [3, 4]]", "input.constants.byte"),
    ("flag: [1],", "", "input.constants"), ("long: [5]", "long: []", "input.constants.long"),
    ("long: [5]", "long: [9007199254740993]", "9007199254740992.0"),
    ("long: [5]", "long: [five]", "input.constants.long"),
    ("0.1, -2.5", "0.1, -.inf", "input.constants.single"),
    ("color: bgr", "color: bgr\n    unknown: 1", "unknown"),
  ])
  func numbersThatFitNoInputAreNamed(old: String, new: String, reason: String) throws {
    let yaml = givenYAML.replacing(old, with: new)
    #expect(yaml != givenYAML)
    let error = try #require(throws: SpecificationError.self) { try file("given", yaml) }
    #expect(error.message.contains(reason), "\(error)")
    #expect(error.message.contains("given."), "\(error)")
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

/// What Ultralytics' exporter notes decides how boxes are read.
struct UltralyticsFilesTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private static let noted = ["author": "Ultralytics", "names": "{0: 'a', 1: 'b'}"]

  private func description(
    _ outputs: [[Int]], _ more: [String: String] = [:], yaml: String? = nil
  ) throws -> OnnxDescription {
    let metadata = Self.noted.merging(more) { $1 }
    let path = try scratch.file("net.onnx", MadeModel(outputs: outputs, metadata: metadata).bytes)
    if let yaml { _ = try scratch.file("net.yaml", Array(yaml.utf8)) }
    return try OnnxFile(at: path).description
  }

  private func decoder(
    _ outputs: [[Int]], _ more: [String: String] = [:], yaml: String? = nil
  ) throws -> PartSpec {
    guard case .detection(let decoder) = try description(outputs, more, yaml: yaml).task else {
      throw SpecificationError(.badDescription, "no detector")
    }
    return decoder
  }

  /// YOLOv7's exporter notes nothing: rows of 7 that the graph's own suppression gives are its.
  @Test func numberedRowsAreYOLOv7s() throws {
    let yaml = "{input: {color: rgb, scale: 0.00392156862745098}}"
    func task(_ sizes: [Int], node: String = "NonMaxSuppression") throws -> NetworkTask {
      let model = MadeModel(outputs: [sizes], node: node)
      let path = try scratch.file("seven.onnx", model.bytes)
      _ = try scratch.file("seven.yaml", Array(yaml.utf8))
      return try OnnxFile(at: path).description.task
    }
    guard case .detection(let decoder) = try task([0, 7]) else {
      Issue.record("no detector")
      return
    }
    #expect(decoder.kind == "yolov7")
    // Seven scores of a whole picture are none.
    for (sizes, node) in [([0, 7], "Softmax"), ([0, 6], "NonMaxSuppression")] {
      #expect(throws: SpecificationError.self) { try task(sizes, node: node) }
    }
  }

  @Test func boxesAndScoresAreYOLOv8s() throws {
    #expect(try decoder([[1, 6, 84]], ["task": "detect"]).kind == "yolov8")
    // Classes that a description names count.
    let yaml = "{output: {classes: [a, b, c]}}"
    #expect(try decoder([[1, 7, 84]], ["task": "detect"], yaml: yaml).kind == "yolov8")
  }

  @Test(arguments: [["end2end": "True"], ["args": "{'batch': 1, 'nms': True}"], [:]])
  func whatDropsOverlapsItselfGivesRows(_ more: [String: String]) throws {
    #expect(
      try decoder([[1, 300, 6]], more.merging(["task": "detect"]) { $1 }).kind == "rows")
  }

  /// In whatever order they are written, and by whom; an exporter of 2026 sorted its keys as texts.
  @Test(arguments: [
    ("{0: 'a', 10: 'k', 2: \"it's\", 1: 'b'}", ["a", "b", "it's"], 11),
    ("{\"0\": \"a\", \"1\": \"b\"}", ["a", "b"], 2), ("['a', 'b', 'c']", ["a", "b", "c"], 3),
    ("{1: 'car', 0: 'person'}", ["person", "car"], 2),
    ("{0: 'caf\\xe9', 1: 'it\\'s', 2: 'a\\\\b'}", ["caf\u{e9}", "it's", "a\\b"], 3),
    ("{0: 'a', 2: 'c'}", ["a", "class 1", "c"], 3),
  ])
  func namesGoByTheirNumbers(text: String, first: [String], count: Int) throws {
    let classes = try description([[1, 4 + count, 84]], ["task": "detect", "names": text]).classes
    #expect(classes.count == count && Array(classes.names.prefix(first.count)) == first)
  }

  @Test(arguments: ["{0: 'a", "{999999999: 'a'}", "{}", "none"])
  func namesThatAreNoneAreNotTold(text: String) throws {
    let classes = try description([[1, 84, 84]], ["task": "detect", "names": text]).classes
    #expect(classes == .coco)
  }

  @Test func masksAndPosesAreRead() throws {
    let segment = try description([[1, 38, 84], [1, 32, 8, 12]], ["task": "segment"])
    #expect(segment.outputs == ["y0", "y1"] && segment.fit == .letterbox)
    let masks = try decoder([[1, 38, 84], [1, 32, 8, 12]], ["task": "segment"])
    #expect(masks.options["extra"] == 32 && masks.options["masks"] == true)
    let final = try decoder(
      [[1, 300, 38], [1, 32, 8, 12]], ["task": "segment", "end2end": "True"])
    #expect(final.kind == "rows" && final.options["extra"] == 32 && final.options["masks"] == true)
    let points = try decoder([[1, 57, 84]], ["task": "pose", "kpt_shape": "[17, 3]"])
    #expect(points.options["extra"] == 51 && points.options["points"] == 17)
    let flat = try decoder([[1, 40, 84]], ["task": "pose", "kpt_shape": "(17, 2)"])
    #expect(flat.options["extra"] == 34 && flat.options["points"] == 17)
    // Without the form of the points, and with one that is another's, boxes are read.
    for noted in [["task": "pose"], ["task": "pose", "kpt_shape": "[5, 3]"]] {
      let boxes = try decoder([[1, 57, 84]], noted)
      #expect(boxes.options["extra"] == 51 && boxes.options["points"] == 0)
    }
  }

  @Test func anOldYOLOv5NotesNoTask() throws {
    #expect(try decoder([[1, 252, 7]]).kind == "yolov5")
  }

  @Test(arguments: [
    ("obb", [[1, 7, 84]], "'obb'"), ("classify", [[1, 2]], "'classify'"),
  ])
  func otherTasksAreRefusedByName(task: String, outputs: [[Int]], reason: String) throws {
    let error = try #require(throws: SpecificationError.self) {
      try description(outputs, ["task": task])
    }
    #expect(error.message.contains(reason) && !error.message.contains("fit"), "\(error)")
  }

  @Test func aSizeAloneKeepsWhatTheFileSaysOfColours() throws {
    let path = try scratch.file(
      "any.onnx",
      MadeModel(
        input: [1, 3, 0, 0], outputs: [[1, 6, 0]],
        metadata: Self.noted.merging(["task": "detect", "imgsz": "[64, 96]"]) { $1 }
      ).bytes)
    let said = try OnnxFile(at: path).description
    #expect(said.input.size == PixelSize(width: 96, height: 64))
    _ = try scratch.file("any.yaml", Array("{input: {size: [32, 64]}}".utf8))
    let sized = try OnnxFile(at: path).description
    #expect(sized.input.size == PixelSize(width: 64, height: 32))
    #expect(sized.input.scaling == said.input.scaling)
  }

  // A picture whose colours come last may give maps whose planes come first, and the other way
  // round.
  @Test(arguments: [
    ([1, 32, 48, 3], [1, 2, 32, 48], OnnxDescription.Layout.nchw),
    ([1, 32, 48, 3], [1, 32, 48, 2], .nhwc), ([1, 32, 48, 3], [1, 32, 48, 5], .nhwc),
    ([1, 3, 32, 48], [1, 16, 24, 2], .nhwc), ([1, 3, 32, 48], [1, 2, 16, 24], .nchw),
    ([1, 32, 48, 3], [1, 1, 32, 48], .nchw), ([1, 3, 32, 48], [1, 3, 32, 48], .nchw),
  ]) func sizesTellTheOrderOfAMapsAxes(
    input: [Int], output: [Int], layout: OnnxDescription.Layout
  ) throws {
    let path = try scratch.file(
      "map.onnx", MadeModel(input: input, outputs: [output], node: "Conv").bytes)
    _ = try scratch.file(
      "map.yaml", Array("{input: {color: rgb}, output: {classes: [a, b]}}".utf8))
    #expect(try OnnxFile(at: path).description.outputLayout == layout)
  }

  @Test func whatScoresWholePicturesIsRefusedBeforeADescriptionIsAskedFor() throws {
    let path = try scratch.file("net.onnx", MadeModel(outputs: [[1, 1000]]).bytes)
    let error = try #require(throws: SpecificationError.self) { try OnnxFile(at: path) }
    #expect(error.message.contains("classify whole pictures"), "\(error)")
  }
}
