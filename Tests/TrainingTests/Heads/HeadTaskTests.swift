// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import Training
import Video

private let size = PixelSize(width: 64, height: 48)

/// Two stages that give the picture at half and at a quarter of its size; parameters of its own.
private struct Shrinking: Backbone {
  let parameters = Parameters(seed: 4)
  let mix: Conv2d
  let takesBatches: Bool

  init(takesBatches: Bool) throws {
    mix = try Conv2d(3, 6, kernel: 3, in: parameters.root["mix"])
    self.takesBatches = takesBatches
  }

  let stages = [Stage("half", stride: 2), Stage("quarter", stride: 4)]
  var inputSize: PixelSize? { nil }

  func input(for frame: Frame) throws -> Tensor { try frame.pixels.tensor() * (1 / 128) - 1 }

  func run(_ range: Range<Int>, on input: Features) throws -> Features {
    var map = input.main
    for stage in range {
      map = try map.averagePool(2, stride: 2)
      if stage == 0 { map = try mix(map, in: .inference) }
    }
    return Features(map)
  }
}

/// A bright square on a dark ground; the farther down it is, the nearer it is and all else.
private func sample(_ index: Int) -> (image: Image, box: GroundTruthBox, depth: DepthMap) {
  var random = RandomStream(seed: 11, index)
  let (x, y) = (random.below(44), random.below(28))
  let side = 10 + random.below(10)
  let isBlue = random.unit() < 0.5
  let image = Image(width: size.width, height: size.height, channels: 3) { bytes in
    for at in 0..<size.width * size.height {
      let (column, row) = (at % size.width, at / size.width)
      let isInside = (x..<x + side).contains(column) && (y..<y + side).contains(row)
      bytes[3 * at] = isInside && isBlue ? 250 : 20
      bytes[3 * at + 1] = isInside ? 200 : UInt8(random.below(40))
      bytes[3 * at + 2] = isInside && !isBlue ? 250 : 20
    }
  }
  let metres = (0..<size.width * size.height).map { at in
    (x..<x + side).contains(at % size.width) && (y..<y + side).contains(at / size.width)
      ? 4 : 20 as Float
  }
  let box = BoundingBox(x: Double(x), y: Double(y), width: Double(side), height: Double(side))
  return (
    image, GroundTruthBox(box: box, category: isBlue ? 0 : 1),
    DepthMap(width: size.width, height: size.height, metres: metres)
  )
}

private let depths = HeadSamples<DepthMap>(count: 12) {
  let made = sample($0)
  return .init(image: made.image, target: made.depth)
}

private let boxes = HeadSamples<[GroundTruthBox]>(count: 24) {
  let made = sample($0)
  return .init(image: made.image, target: [made.box])
}

private func train<Task: TrainingTask>(
  _ task: Task, steps: Int, rate: Double = 0.01, in folder: String, until stop: Int = .max
) throws {
  let stage = TrainingStage(
    "all", steps: steps, optimizer: .adam(betas: [0.9, 0.999], decay: 0),
    rate: LearningRateSchedule(peak: rate))
  let trainer = Trainer(
    task, plan: TrainingPlan(stages: [stage]), folder: folder, fingerprint: "test")
  var asked = 0
  _ = try trainer.run(
    resuming: true,
    until: {
      asked += 1
      return asked > stop
    })
}

struct HeadTaskTests {
  private let augmentation = Augmentation(crop: size, flips: true, colour: 0.1)

  private func depthTask(
    batches: Bool = true, seed: UInt64 = 1, augmentation: Augmentation? = nil
  ) throws -> (task: HeadTask<DepthObjective>, backbone: Shrinking) {
    let backbone = try Shrinking(takesBatches: batches)
    let head = try DepthHead(
      .init(channels: 8, blocks: 1, range: 1...50),
      reading: backbone.headInputs(after: ["half", "quarter"]), parameters: Parameters(seed: seed))
    let task = HeadTask(
      DepthObjective(head), behind: backbone, on: depths,
      augmentation: augmentation ?? self.augmentation, batchSize: 3, validation: depths)
    return (task, backbone)
  }

  private func detectionTask() throws -> HeadTask<DetectionObjective> {
    let backbone = try Shrinking(takesBatches: true)
    let settings = DetectionHead.Settings(
      classes: ClassList(name: "two", names: ["blue", "red"], void: nil), channels: 12, blocks: 1,
      stride: 4)
    let head = try DetectionHead(
      settings, reading: backbone.headInputs(after: ["half", "quarter"]),
      parameters: Parameters(seed: 3))
    return HeadTask(
      DetectionObjective(head), behind: backbone, on: boxes, augmentation: augmentation,
      batchSize: 6, validation: boxes)
  }

  @Test func lawsAreKept() throws {
    #expect(try brokenLaws(of: depthTask().task) == [])
    #expect(try brokenLaws(of: detectionTask()) == [])
  }

  @Test func onlyTheHeadIsTrained() throws {
    let (task, backbone) = try depthTask()
    for parameter in task.parameters.all + backbone.parameters.all
    where parameter.kind != .statistic { try parameter.tensor.setRequiresGradient(true) }
    try task.loss(of: task.batch(at: 0), at: 0, in: .training(seed: 1)).total.backward()
    #expect(
      try task.parameters.all.filter { $0.kind != .statistic }.allSatisfy { parameter in
        try parameter.tensor.gradient()?.floats().contains { $0 != 0 } == true
      })
    #expect(try backbone.parameters.all.allSatisfy { try $0.tensor.gradient() == nil })
  }

  @Test func aBackboneThatTakesNoBatchesGivesTheSameLoss() throws {
    let (together, apart) = (try depthTask().task, try depthTask(batches: false).task)
    let one = try together.loss(of: together.batch(at: 3), at: 3, in: .training(seed: 1))
    let other = try apart.loss(of: apart.batch(at: 3), at: 3, in: .training(seed: 1))
    #expect(abs(try one.total.item() - other.total.item()) < 1e-5)
  }

  @Test func aBatchFollowsFromItsStepAlone() throws {
    let (first, second) = (try depthTask().task, try depthTask().task)
    _ = try second.batch(at: 0)
    let (one, other) = (try first.batch(at: 5), try second.batch(at: 5))
    #expect(try one.images.floats() == other.images.floats() && one.targets == other.targets)
    #expect(try one.images.floats() != first.batch(at: 6).images.floats())
  }

  // What is bright is near: the picture itself tells what its target is.
  @Test func aTargetBelongsToItsPictureInEveryView() throws {
    let augmentation = Augmentation(crop: PixelSize(width: 40, height: 32), flips: true)
    let task = try depthTask(augmentation: augmentation).task
    var nearCount = 0
    for step in 0..<4 {
      let batch = try task.batch(at: step), cells = 40 * 32
      let pixels = try batch.images.contiguous().floats()
      for (picture, target) in batch.targets.enumerated() {
        for cell in 0..<cells {
          // Green is 200 inside the square and below 40 outside; what is between is a mixture.
          let green = (pixels[(picture * 3 + 1) * cells + cell] + 1) * 128
          guard green < 45 || green > 195 else { continue }
          #expect(target.metres[cell] == (green > 195 ? 4 : 20))
          nearCount += green > 195 ? 1 : 0
        }
      }
    }
    #expect(nearCount > 500)
  }

  @Test func everyPictureIsSeenOnceARound() throws {
    let task = try depthTask(augmentation: Augmentation(crop: size, flips: false)).task
    let seen = try (0..<4).flatMap { try task.batch(at: $0).targets }
    #expect(Set(seen) == Set(try (0..<12).map { try depths.sample($0).target }))
  }

  @Test func depthIsLearned() throws {
    let task = try depthTask().task
    let before = try #require(task.evaluate()["val/abs_rel"])
    try withTemporaryFolder { try train(task, steps: 120, in: $0.path) }
    let after = try task.evaluate()
    #expect(try #require(after["val/abs_rel"]) < min(0.2, 0.5 * before), "\(before), \(after)")
    #expect(try #require(after["val/delta1"]) > 0.85, "\(after)")
  }

  @Test func detectionIsLearned() throws {
    let task = try detectionTask()
    #expect(try #require(task.evaluate()["val/mAP50"]) < 0.3)
    try withTemporaryFolder { try train(task, steps: 150, in: $0.path) }
    #expect(try #require(task.evaluate()["val/mAP50"]) > 0.9)
  }

  @Test func aTrainingTakenUpAgainEndsAsAnUnbrokenOne() throws {
    try withTemporaryFolder { url in
      let (whole, broken) = ("\(url.path)/whole", "\(url.path)/broken")
      try train(depthTask().task, steps: 6, in: whole)
      try train(depthTask().task, steps: 6, in: broken, until: 3)
      #expect(!FileManager.default.fileExists(atPath: "\(broken)/weights.safetensors"))
      try train(depthTask(seed: 9).task, steps: 6, in: broken)
      let file = "weights.safetensors"
      #expect(try bytes(of: "\(whole)/\(file)") == bytes(of: "\(broken)/\(file)"))
    }
  }
}
