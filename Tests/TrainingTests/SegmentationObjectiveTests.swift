// SPDX-License-Identifier: Apache-2.0

import Backbone
import Datasets
import Flow
import Foundation
import Layers
import Specification
import Synthesis
import Tensors
import TestSupport
import Testing
import Training
import Video

private let small = PixelSize(width: 64, height: 48)

struct SegmentationObjectiveTests {
  private let streets = StreetPool(seed: 5, count: 4, size: small, threads: 1)
  private let stage = """
        - {name: a, steps: 9, optimizer: sgd, rate: 0.1, crop: [48, 64], batch: 2}
    """

  private func task(_ training: String, folder: String = "") throws -> SegmentationTask {
    let specification = try SegmentationSpecification(
      yaml: specificationText(training: training, stages: stage), folder: folder)
    return try specification.task(
      on: SegmentationSamples(streets),
      pairs: LearnedPairs([PairSource(ShiftedPairs(), count: 3)], along: ZeroFlow()))
  }

  /// A folder with a network that `edit` has changed.
  private func withTeacher(
    _ edit: (Parameters) throws -> Void = { _ in }, _ body: (String) throws -> Void
  ) throws {
    try withTemporaryFolder { url in
      let yaml = specificationText(stages: stage)
      try Data(yaml.utf8).write(to: url.appendingPathComponent("spec.yaml"))
      let parameters = Parameters(seed: 1)
      _ = try SegmentationNetwork(
        SegmentationSpecification(yaml: yaml, folder: "").network, parameters: parameters)
      try edit(parameters)
      let tensors = parameters.all.map { ($0.name, $0.tensor) }
      try SafetensorsFile.write(
        Dictionary(uniqueKeysWithValues: tensors),
        to: url.appendingPathComponent("weights.safetensors").path)
      try body(url.path)
    }
  }

  // The student begins with the weights that the same seed gave the teacher.
  @Test func whoTeachesItselfHasNothingToLearn() throws {
    try withTeacher { folder in
      let task = try task("  teacher: {network: \(folder), weight: 3}")
      let loss = try task.loss(of: task.batch(at: 0), at: 0, in: .inference)
      #expect(try #require(loss.parts["teaching"]).item() < 1e-5)
      let expected =
        try #require(loss.parts["entropy"]).item() + 0.5
        * #require(loss.parts["soft_iou"]).item()
      #expect(abs(try loss.total.item() - expected) < 1e-4)
    }
  }

  // A teacher that says class 3 everywhere, whatever it sees: Σ q log(q / p) is then -log p(3).
  @Test func aTeacherCountsAsMuchAsItWeighs() throws {
    func certain(_ parameters: Parameters) throws {
      for parameter in parameters.all where parameter.name.hasPrefix("classifier") {
        let isBias = parameter.name.hasSuffix("bias")
        let values = isBias ? (0..<11).map { $0 == 3 ? Float(100) : 0 } : nil
        try parameter.tensor.assign(
          values.map { try Tensor($0, shape: [11]) } ?? .zeros(parameter.tensor.shape))
      }
    }
    try withTeacher(certain) { folder in
      let task = try task("  teacher: {network: \(folder), weight: 2}")
      let batch = try task.batch(at: 0)
      let loss = try task.loss(of: batch, at: 0, in: .inference)
      let scores = try task.network.scores(of: batch.images, in: .inference).resizedBilinear(
        height: 48, width: 64, grid: .halfPixel)
      let expected = try scores.softmax(axis: 1).slice(axis: 1, 3..<4).log().mean().item()
      let taught = try #require(loss.parts["teaching"]).item()
      #expect(abs(taught + expected) < 1e-3, "\(taught), \(-expected)")
      let rest =
        try #require(loss.parts["entropy"]).item() + 0.5
        * #require(loss.parts["soft_iou"]).item()
      #expect(abs(try loss.total.item() - rest - 2 * taught) < 1e-3)
    }
  }

  // Of pairs of frames too, which is told apart by a student whose last layer is another.
  @Test func whoTeachesItselfHasNothingToLearnOfPairs() throws {
    let lessons = ["neighbours", "pairwise", "multi_frame"]
    try withTeacher { folder in
      let task = try task(
        "  teacher: {network: \(folder), weight: 0, neighbours: 2, pairwise: 3, multi_frame: 4}")
      let batch = try task.batch(at: 0)
      let loss = try task.loss(of: batch, at: 0, in: .inference)
      #expect(loss.parts["teaching"] == nil)
      for lesson in lessons { #expect(try #require(loss.parts[lesson]).item() < 1e-5, "\(lesson)") }
      for parameter in task.parameters.all where parameter.kind == .weight {
        try parameter.tensor.assign(parameter.tensor * 0.5 + 0.01)
      }
      let other = try task.loss(of: batch, at: 0, in: .inference)
      var rest = try other.total.item()
      for (lesson, weight) in zip(lessons, [Float(2), 3, 4]) {
        let part = try #require(other.parts[lesson]).item()
        #expect(part > 1e-6, "\(lesson)")
        rest -= weight * part
      }
      let labels =
        try #require(other.parts["entropy"]).item() + 0.5
        * #require(other.parts["soft_iou"]).item()
      #expect(abs(rest - labels) < 1e-3)
    }
  }

  @Test func aTeacherOfOtherClassesIsRefused() throws {
    try withTeacher { folder in
      let path = "\(folder)/spec.yaml"
      let yaml = try String(contentsOfFile: path, encoding: .utf8)
        .replacing("std: [72, 72, 69]", with: "std: [1, 1, 1]")
      try yaml.write(toFile: path, atomically: true, encoding: .utf8)
      #expect(throws: SpecificationError.self) { try task("  teacher: {network: \(folder)}") }
    }
  }

  @Test func changeCountsAsMuchAsItWeighs() throws {
    let task = try task("  consistency: 4\n  colour: 0.2")
    let batch = try task.batch(at: 2)
    let loss = try task.loss(of: batch, at: 2, in: .inference)
    let change = try #require(loss.parts["change"]).item()
    #expect(change > 0)
    #expect(
      abs(
        try loss.total.item() - #require(loss.parts["entropy"]).item()
          - 0.5 * #require(loss.parts["soft_iou"]).item() - 4 * change) < 1e-4)
    // A network that says the same everywhere never changes.
    for parameter in task.parameters.all where parameter.name.hasPrefix("classifier") {
      try parameter.tensor.assign(.zeros(parameter.tensor.shape))
    }
    let still = try task.loss(of: batch, at: 2, in: .inference)
    #expect(try #require(still.parts["change"]).item() < 1e-10)
  }

  @Test func consistencyIsLearned() throws {
    let task = try task("  consistency: 100")
    func change() throws -> Float {
      try #require(
        task.loss(of: task.batch(at: 0), at: 0, in: .inference).parts["change"]
      ).item()
    }
    let before = try change()
    var stage = TrainingStage(
      "all", steps: 30, optimizer: .adamW(betas: [0.9, 0.999], decay: 0),
      rate: LearningRateSchedule(peak: 0.003))
    stage.largestGradient = 5
    try withTemporaryFolder { url in
      _ = try Trainer(
        task, plan: TrainingPlan(stages: [stage]), folder: url.path, fingerprint: "test"
      ).run(resuming: false)
    }
    #expect(try change() < 0.5 * before)
  }
}
