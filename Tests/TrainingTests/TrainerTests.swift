// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Datasets
import Foundation
import Layers
import Synthesis
import Tensors
import TestSupport
import Testing
import Training
import Video

/// A small network on a few small rendered streets: everything that a real training has.
private func task() throws -> SegmentationTask {
  let specification = NetworkSpecification(
    input: InputContract(
      size: nil,
      scaling: PixelScaling(mean: .init(repeating: 110), deviation: .init(repeating: 70))),
    classes: .camVid, encoder: .resNet(.ten, width: 0.125, stride: 16),
    context: .pyramid(bins: [1, 2]), contextChannels: 8,
    joins: [.init(stride: 4, channels: 8)])
  let network = try SegmentationNetwork(specification, parameters: Parameters(seed: 3))
  let size = PixelSize(width: 64, height: 48)
  let samples = SegmentationSamples(StreetPool(seed: 5, count: 6, size: size, threads: 1))
  let lesson = StageConfiguration(
    augmentation: Augmentation(
      crop: PixelSize(width: 48, height: 32), scale: 0.7...1.5, rotation: 5, colour: 0.3),
    batchSize: 2, objective: SegmentationObjective(overlap: 0.5), focus: 0.5)
  var last = lesson
  last.augmentation.crop = size
  last.batchSize = 1
  return SegmentationTask(
    network, on: samples, validation: StreetPool(seed: 6, count: 2, size: size, threads: 1),
    lessons: [(10, lesson), (4, last)], seed: 9)
}

private func plan(steps: Int) -> TrainingPlan {
  var first = TrainingStage(
    "all", steps: steps - 4, optimizer: .adamW(betas: [0.9, 0.999], decay: 0.02),
    rate: LearningRateSchedule(peak: 0.003, warmUp: 2))
  first.averaging = 0.9
  first.largestGradient = 5
  var second = TrainingStage(
    "head", steps: 4, optimizer: .sgd(momentum: 0.9, decay: 1e-4, nesterov: true),
    rate: LearningRateSchedule(peak: 0.01, shape: .polynomial(power: 0.9)))
  second.frozen = ["encoder"]
  second.rateScales = ["decoder": 0.5]
  return TrainingPlan(stages: [first, second], seed: 4)
}

private func trainer(in folder: String, steps: Int = 14) throws -> Trainer<SegmentationTask> {
  var trainer = Trainer(
    try task(), plan: plan(steps: steps), folder: folder, fingerprint: "test")
  (trainer.checkpointInterval, trainer.evaluationInterval, trainer.logInterval) = (4, 7, 1)
  return trainer
}

@Suite(.serialized) struct TrainerTests {
  @Test func lawsAreKept() throws {
    #expect(try brokenLaws(of: task()) == [])
  }

  @Test func aPartThatIsNoneIsNamedBeforeAnythingIsTrained() throws {
    try withTemporaryFolder { url in
      for (key, change) in [
        ("frozen", { (stage: inout TrainingStage) in stage.frozen = ["encoder", "encod"] }),
        ("rates", { $0.rateScales["decoder.9"] = 0.1 }),
      ] {
        var stages = plan(steps: 14).stages
        change(&stages[1])
        let trainer = Trainer(
          try task(), plan: TrainingPlan(stages: stages, seed: 4), folder: url.path,
          fingerprint: "test")
        let error = try #require(throws: TrainingError.self) { try trainer.run(resuming: false) }
        #expect(error.message.contains("stage 'head': \(key) names"), "\(error)")
        #expect(error.message.contains("context, decoder, encoder"), "\(error)")
        #expect(!FileManager.default.fileExists(atPath: url.path + "/metrics.jsonl"))
      }
    }
  }

  // Stopping saves at once; being killed goes back to the last checkpoint. Both end alike.
  @Test func aBrokenTrainingEndsAsAnUnbrokenOne() throws {
    steadyThreads.lock()
    defer { steadyThreads.unlock() }
    try TorchRuntime.setThreads(1)
    try withTemporaryFolder { url in
      let folder = url.path
      let whole = "\(folder)/whole", broken = "\(folder)/broken"
      #expect(try trainer(in: whole).run(resuming: false))
      // Stopped after 3 steps, in the middle of the first stage.
      try stop(after: 3, in: broken)
      // Killed after 9 steps: what was done since the checkpoint at 8 is lost.
      try kill(after: 9, in: broken)
      // Killed in the second stage.
      try kill(after: 12, in: broken)
      #expect(try trainer(in: broken).run(resuming: true))
      for name in ["weights.safetensors", "checkpoint.safetensors", "metrics.jsonl"] {
        let expected = try bytes(of: "\(whole)/\(name)")
        let found = try bytes(of: "\(broken)/\(name)")
        #expect(expected == found, "\(name)")
        #expect(!expected.isEmpty)
      }
    }
  }

  // At 7 within a stage, at 10 at its end: the checkpoint says that the evaluation is to come, the
  // log holds it already.
  @Test(arguments: [7, 10]) func anEvaluationIsLoggedOnceThoughItIsMadeAgain(step: Int) throws {
    steadyThreads.lock()
    defer { steadyThreads.unlock() }
    try TorchRuntime.setThreads(1)
    try withTemporaryFolder { url in
      let whole = "\(url.path)/whole", broken = "\(url.path)/broken"
      #expect(try trainer(in: whole).run(resuming: false))
      try kill(after: step, in: broken)
      #expect(try trainer(in: broken).run(resuming: true))
      let (expected, found) = try (
        bytes(of: "\(whole)/metrics.jsonl"), bytes(of: "\(broken)/metrics.jsonl")
      )
      #expect(String(decoding: found, as: UTF8.self) == String(decoding: expected, as: UTF8.self))
    }
  }

  private func stop(after count: Int, in folder: String) throws {
    var done = 0
    let isDone = try trainer(in: folder).run(
      resuming: true, until: { done >= count }, report: { _ in done += 1 })
    #expect(!isDone)
  }

  /// Ends without saving, by an error thrown from the stop question's side: the report.
  private func kill(after step: Int, in folder: String) throws {
    let trainer = try trainer(in: folder)
    let saved = "\(folder)/checkpoint.safetensors", kept = "\(folder)/kept"
    // A copy of the last checkpoint before the step stands for what a killed process leaves.
    var latest = FileManager.default.contents(atPath: saved)
    _ = try trainer.run(
      resuming: true, until: { false },
      report: { report in
        if report.step <= step { latest = FileManager.default.contents(atPath: saved) }
      })
    try #require(latest).write(to: URL(fileURLWithPath: kept))
    _ = rename(kept, saved)
  }

  @Test func frozenPartsStayAndTheirStatisticsToo() throws {
    try withTemporaryFolder { url in
      let folder = url.path
      let task = try task()
      let before = try task.parameters.all.map { ($0, try $0.tensor.detached().floats()) }
      var stage = TrainingStage(
        "head", steps: 3, optimizer: .sgd(momentum: 0, decay: 0, nesterov: false),
        rate: LearningRateSchedule(peak: 0.1, shape: .constant))
      stage.frozen = ["encoder", "decoder"]
      let trainer = Trainer(
        task, plan: TrainingPlan(stages: [stage]), folder: folder, fingerprint: "f")
      #expect(try trainer.run(resuming: false))
      for (parameter, values) in before {
        let isFrozen = parameter.name.hasPrefix("encoder.") || parameter.name.hasPrefix("decoder.")
        #expect(
          try (parameter.tensor.detached().floats() == values) == isFrozen, "\(parameter.name)")
      }
    }
  }

  @Test func aCheckpointOfAnotherSpecificationIsRefused() throws {
    try withTemporaryFolder { url in
      let folder = url.path
      _ = try trainer(in: folder).run(resuming: false)
      let other = Trainer(
        try task(), plan: plan(steps: 14), folder: folder, fingerprint: "other")
      let error = #expect(throws: TrainingError.self) { try other.run(resuming: true) }
      #expect(error?.message.contains("another specification") == true)
    }
  }

  // After 10 steps the first stage is done: the second may be another then, with another optimiser
  // and an average, and ends as if it had been that from the start. The first may not.
  @Test func aStageThatHasNotBegunMayBeChanged() throws {
    steadyThreads.lock()
    defer { steadyThreads.unlock() }
    try TorchRuntime.setThreads(1)
    try withTemporaryFolder { url in
      let whole = "\(url.path)/whole", taken = "\(url.path)/taken"
      func trainer(
        in folder: String, _ texts: [String], isChanged: Bool
      ) throws -> Trainer<SegmentationTask> {
        var plan = plan(steps: 14)
        if isChanged {
          plan.stages[1].optimizer = .adamW(betas: [0.9, 0.999], decay: 0.1)
          plan.stages[1].averaging = 0.5
        }
        return Trainer(
          try task(), plan: plan, folder: folder, fingerprint: TrainingFingerprint(texts))
      }
      _ = try trainer(in: whole, ["a", "ac"], isChanged: true).run(resuming: false)
      let first = try trainer(in: taken, ["a", "ab"], isChanged: false)
      // Asked before each step, it stops before the eleventh, the first of the second stage.
      var done = 0
      _ = try first.run(resuming: false, until: { done >= 10 }, report: { done = $0.step })
      for texts in [["b", "bc"], ["d", "ac"]] {
        #expect(throws: TrainingError.self) {
          try trainer(in: taken, texts, isChanged: true).run(resuming: true)
        }
      }
      #expect(try trainer(in: taken, ["a", "ac"], isChanged: true).run(resuming: true))
      for name in ["weights.safetensors", "metrics.jsonl"] {
        #expect(try bytes(of: "\(whole)/\(name)") == bytes(of: "\(taken)/\(name)"), "\(name)")
      }
      // Under way, it may not be changed any more.
      #expect(throws: TrainingError.self) {
        try trainer(in: taken, ["a", "ad"], isChanged: true).run(resuming: true)
      }
    }
  }

  @Test func aStatisticThatIsNoNumberStopsTheTraining() throws {
    try withTemporaryFolder { url in
      let (folder, task) = (url.path, try task())
      let statistic = try #require(
        task.parameters.all.last {
          $0.kind == .statistic && $0.name.hasPrefix("encoder") && $0.name.contains("var")
        })
      // Frozen, it is not what training sees: it would come to light when all is over.
      try statistic.tensor.assign(Tensor.full(statistic.tensor.shape, of: .infinity))
      var stage = TrainingStage(
        "head", steps: 3, optimizer: .sgd(momentum: 0, decay: 0, nesterov: false),
        rate: LearningRateSchedule(peak: 0.001, shape: .constant))
      stage.frozen = ["encoder"]
      let trainer = Trainer(
        task, plan: TrainingPlan(stages: [stage]), folder: folder, fingerprint: "f")
      let failure = #expect(throws: TrainingError.self) { try trainer.run(resuming: false) }
      #expect(failure?.message.contains(statistic.name) == true, "\(failure?.message ?? "")")
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/weights.safetensors"))
    }
  }

  @Test func noReportIsWithoutALossOnceOneIsKnown() throws {
    try withTemporaryFolder { url in
      var trainer = try trainer(in: url.path)
      (trainer.logInterval, trainer.evaluationInterval) = (2, 3)
      var losses: [Double] = []
      _ = try trainer.run(resuming: false, report: { losses.append($0.loss) })
      #expect(losses.count > 6 && losses.allSatisfy(\.isFinite))
    }
  }

  @Test func trainingLowersTheLoss() throws {
    try withTemporaryFolder { url in
      let folder = url.path
      var (first, last): (Double?, Double?) = (nil, nil)
      _ = try trainer(in: folder, steps: 104).run(resuming: false, until: { false }) { report in
        if first == nil { first = report.loss }
        last = report.loss
      }
      #expect(try #require(last) < 0.8 * #require(first))
    }
  }
}
