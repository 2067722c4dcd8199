// SPDX-License-Identifier: Apache-2.0

import Backbone
import Datasets
import Foundation
import Layers
import Specification
import Synthesis
import Tensors
import TestSupport
import Testing
import Training
import Video

private let twoStages = """
      - {name: crops, steps: 5, optimizer: adamw, rate: 0.001}
      - {name: whole, steps: 2, optimizer: adamw, rate: 0.001, crop: [48, 64], batch: 2,
         class_weights: median, ohem: 100, soft_iou: 0, classmix: 0.25}
  """

private let frozenEncoder = """
      - {name: rest, steps: 2, optimizer: sgd, rate: 0.1, frozen: [encoder]}
  """

struct SegmentationSpecificationTests {
  @Test func aStageSaysWhatIsItsOwnAndTakesTheRestFromTheTraining() throws {
    let specification = try SegmentationSpecification(
      yaml: specificationText(training: "  scale: [0.5, 2]", stages: twoStages), folder: "")
    let (crops, whole) = (specification.lessons[0], specification.lessons[1])
    #expect(crops.augmentation.crop == PixelSize(width: 48, height: 32))
    #expect(whole.augmentation.crop == PixelSize(width: 64, height: 48))
    #expect((crops.batchSize, whole.batchSize) == (3, 2))
    #expect((crops.classmix, whole.classmix) == (0, 0.25))
    #expect((crops.objective.overlap, whole.objective.overlap) == (0.5, 0))
    #expect(crops.objective.crossEntropy.hardExamples == nil)
    #expect(whole.objective.crossEntropy.hardExamples?.leastKept == 100)
    #expect([crops, whole].allSatisfy { $0.augmentation.scale == 0.5...2 })
    #expect(specification.weightings == [.none, .median])
    #expect(specification.plan.steps == 7)
  }

  // What a checkpoint of the first stage must agree with: all but the second, and not its layout.
  @Test func aFingerprintTellsStagesThatHaveBegun() throws {
    func fingerprint(_ change: (String) -> String) throws -> [String] {
      let yaml = change(specificationText(stages: twoStages))
      let fingerprint = try SegmentationSpecification(yaml: yaml, folder: "").fingerprint
      return [fingerprint[0], fingerprint[1], fingerprint[2]]
    }
    let before = try fingerprint { $0 }
    #expect(before[0] != before[1] && before[1] == before[2])
    let commented = try fingerprint { $0.replacing("batch: 3", with: "batch:   3  # three") }
    #expect(commented == before)
    let later = try fingerprint { $0.replacing("ohem: 100", with: "ohem: 200") }
    #expect(later[0] == before[0] && later[1] != before[1])
    let earlier = try fingerprint { $0.replacing("steps: 5", with: "steps: 6") }
    #expect(earlier[0] != before[0] && earlier[1] != before[1])
    let network = try fingerprint { $0.replacing("channels: 8", with: "channels: 9") }
    #expect(network[0] != before[0])
  }

  // What no stage trains is the base's, and is not stored twice.
  @Test func aBaseIsBegunWithAndNotStoredTwice() throws {
    let yaml = specificationText(stages: frozenEncoder)
    try withBase(yaml, under: yaml) { begun, specification, own in
      let kept = try train(specification, in: own)
      #expect(!kept.isEmpty && kept.allSatisfy { !$0.hasPrefix("encoder") })
      let network = try SegmentationNetwork(contentsOf: own)
      let drawn = Dictionary(
        uniqueKeysWithValues: begun.all.map { ($0.name, $0.tensor) })
      for parameter in network.parameters.all {
        let isBase = try parameter.tensor.floats() == drawn[parameter.name]?.floats()
        #expect(isBase || !parameter.name.hasPrefix("encoder"), "\(parameter.name)")
      }
      try FileManager.default.removeItem(atPath: own + "/../base/weights.safetensors")
      #expect(throws: SpecificationError.self) { try task(specification) }
    }
  }

  // Scores of several stages on the encoder of a network that has a decoder, and other channels.
  @Test func whatComesBehindABasesEncoderMayBeAnother() throws {
    let yaml = specificationText(stages: frozenEncoder)
    try withBase(yaml, under: Self.withHeads(yaml)) { begun, specification, own in
      let classifier = try #require(begun.all.first { $0.name == "classifier.weight" })
      #expect(classifier.tensor.shape == [11, 8, 1, 1])
      let kept = try train(specification, in: own)
      #expect(kept.allSatisfy { !$0.hasPrefix("encoder") })
      #expect(Set(kept).isSuperset(of: ["classifier.weight", "scores.layer2.weight"]))
      let network = try SegmentationNetwork(contentsOf: own)
      for parameter in network.parameters.all where parameter.name.hasPrefix("encoder") {
        let there = try #require(begun.all.first { $0.name == parameter.name })
        #expect(try parameter.tensor.floats() == there.tensor.floats(), "\(parameter.name)")
      }
      // Heads began at zero, and learned.
      let head = try #require(
        network.parameters.all.first { $0.name == "scores.layer3.weight" })
      #expect(head.tensor.shape == [11, 32, 1, 1])
      #expect(try head.tensor.abs().max().item() > 0)
    }
  }

  // An encoder that is the base's in name only would be drawn, and what is frozen never learned.
  @Test(arguments: [
    ("width: 0.125", "width: 0.25", "encoder"),
    ("frozen: [encoder]", "frozen: [classifier]", "classifier"),
  ]) func whatDoesNotFitABaseIsRefused(right: String, wrong: String, part: String) throws {
    let yaml = specificationText(stages: frozenEncoder)
    let other = Self.withHeads(yaml).replacingOccurrences(of: right, with: wrong)
    try withBase(yaml, under: other) { _, specification, _ in
      let error = try #require(throws: LayerError.self) { try task(specification) }
      #expect(error.message.hasPrefix("'\(part)"), "\(error)")
      #expect(error.message.contains("in the file, the network needs"))
    }
  }

  private static func withHeads(_ yaml: String) -> String {
    yaml.replacingOccurrences(
      of: "context: {kind: pyramid, channels: 8, bins: [1, 2]}",
      with: "context: {kind: linear, channels: 12}"
    ).replacingOccurrences(
      of: "decoder: [{stride: 4, channels: 8}]", with: "score_heads: [layer3, layer2]")
  }

  /// A network of `base` with weights, and in a folder beside it a specification that is based on
  /// it.
  private func withBase(
    _ base: String, under own: String,
    _ body: (Parameters, SegmentationSpecification, String) throws -> Void
  ) throws {
    try withTemporaryFolder { url in
      func folder(_ name: String, _ yaml: String) throws -> String {
        let path = url.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
        try Data(yaml.utf8).write(to: path.appendingPathComponent("spec.yaml"))
        return path.path
      }
      let (trained, text) = (try folder("base", base), "base: ../base\n" + own)
      let begun = Parameters(seed: 77)
      _ = try SegmentationNetwork(
        SegmentationSpecification(yaml: base, folder: trained).network, parameters: begun)
      try SafetensorsFile.write(
        Dictionary(uniqueKeysWithValues: begun.all.map { ($0.name, $0.tensor) }),
        to: trained + "/weights.safetensors")
      let path = try folder("own", text)
      try body(begun, SegmentationSpecification(yaml: text, folder: path), path)
    }
  }

  private func task(_ specification: SegmentationSpecification) throws -> SegmentationTask {
    let streets = StreetPool(
      seed: 5, count: 4, size: PixelSize(width: 64, height: 48), threads: 1)
    return try specification.task(on: SegmentationSamples(streets))
  }

  /// Trains it, and names the tensors of the weights that are written.
  private func train(
    _ specification: SegmentationSpecification, in folder: String
  ) throws -> [String] {
    _ = try Trainer(
      task(specification), plan: specification.plan, folder: folder,
      fingerprint: specification.fingerprint
    ).run(resuming: false)
    return try ModelFolder(at: folder).weights().entries.map(\.name)
  }

  @Test func eachStageSeesItsOwnCrops() throws {
    let specification = try SegmentationSpecification(
      yaml: specificationText(stages: twoStages), folder: "")
    let streets = StreetPool(
      seed: 5, count: 4, size: PixelSize(width: 64, height: 48), threads: 1)
    let task = try specification.task(on: SegmentationSamples(streets))
    for step in [0, 4] { #expect(try task.batch(at: step).labels.shape == [3, 32, 48]) }
    for step in [5, 6, 100] { #expect(try task.batch(at: step).labels.shape == [2, 48, 64]) }
    #expect(try task.batch(at: 5).images.shape == [2, 3, 48, 64])
  }

  @Test(
    arguments: [
      ("crop: [48]", "crop"), ("crop: [4, 64]", "crop"), ("scale: [2, 1]", "scale"),
      ("scale: [0.01, 1]", "scale"), ("batch: 0", "batch"), ("class_weights: all", "class_weights"),
      ("hue: 3", "hue"), ("relaxed: 17", "relaxed"), ("classmix: 1.5", "classmix"),
    ])
  func aStageThatSaysNonsenseIsRefusedByKey(line: String, key: String) {
    let stage = "    - {name: a, steps: 1, optimizer: sgd, rate: 0.1, \(line)}"
    let error = #expect(throws: SpecificationError.self) {
      try SegmentationSpecification(yaml: specificationText(stages: stage), folder: "")
    }
    #expect(error?.message.contains(key) == true, "\(error?.message ?? "")")
  }

  // Void is the twelfth score, and only what lies outside the picture is left out.
  @Test func learnedVoidIsAClassOfItsOwn() throws {
    let yaml = specificationText(training: "  scale: [0.5, 0.5]", stages: twoStages)
      .replacing("\ntraining:", with: "\n  void: learned\ntraining:")
      .replacing("median", with: "sqrt-median")
    let specification = try SegmentationSpecification(yaml: yaml, folder: "")
    #expect(specification.network.scoreCount == 12 && specification.network.ignoredLabel == 255)
    let samples = SegmentationSamples(VoidBelow())
    let task = try specification.task(on: samples, validation: VoidBelow())
    let labels = try Set(task.batch(at: 0).labels.bytes())
    #expect(labels == [3, 11, 255])
    let loss = try task.loss(of: task.batch(at: 5), at: 5, in: .inference)
    #expect(try loss.total.item().isFinite)
    // Scores that are all for void.
    for parameter in task.parameters.all where parameter.name == "classifier.bias" {
      #expect(parameter.tensor.shape == [12])
      try parameter.tensor.assign(
        Tensor((0..<12).map { $0 == 11 ? 1000 : 0 as Float }, shape: [12]))
    }
    let scores = try task.evaluate()
    #expect(scores["val/miou"] == 0)
  }

  @Test func voidThatDataMarkOtherwiseCannotBeLearned() throws {
    let yaml = specificationText(stages: twoStages)
      .replacing("\ntraining:", with: "\n  void: learned\ntraining:")
    let specification = try SegmentationSpecification(yaml: yaml, folder: "")
    let other = SegmentationSamples(VoidBelow(void: 255))
    #expect(throws: SpecificationError.self) { try specification.task(on: other) }
  }
}

/// Road above, and void below.
private struct VoidBelow: LabelledClip {
  let name = "void below", count = 2
  var void: UInt8 = 11
  var classes: ClassList { ClassList.camVid.with(void: void) }

  func frame(at index: Int) -> Frame {
    Frame(
      index: index, time: 0,
      pixels: Image(width: 64, height: 48, channels: 3, repeating: UInt8(100 * index)))
  }

  func labels(at _: Int) -> Image? {
    Image(
      width: 64, height: 48, channels: 1,
      bytes: (0..<48 * 64).map { $0 < 24 * 64 ? 3 : void })
  }
}
