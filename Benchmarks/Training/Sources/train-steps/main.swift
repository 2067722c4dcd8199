// SPDX-License-Identifier: Apache-2.0

// Milliseconds of a training step: ResNet-18 at output stride 16, batches of four 240×320 crops,
// stochastic gradient descent with momentum. `train-steps STEPS THREADS float32|bfloat16`
//
// Benchmarks/train-beside-pytorch runs it in turn with the same network in PyTorch.

import Foundation
import Inbetween

/// The network under a 1×1 convolution to eleven classes, on one batch of noise.
struct NoiseTask: TrainingTask {
  let parameters = Parameters(seed: 1)
  let encoder: ResNet
  let head: Conv2d
  let images: Tensor, labels: Tensor

  init() throws {
    encoder = try ResNet(.eighteen, outputStride: 16, in: parameters.root["encoder"])
    head = try Conv2d(512, 11, kernel: 1, in: parameters.root["head"])
    images = try Tensor.normal([4, 3, 240, 320], seed: 1).channelsLast()
    labels = try Tensor.uniform([4, 240, 320], in: 0..<11, seed: 2).cast(to: .uint8)
  }

  func batch(at _: Int) -> (Tensor, Tensor) { (images, labels) }

  func loss(of batch: (Tensor, Tensor), at _: Int, in pass: ForwardContext) throws -> Loss {
    var features = batch.0
    for stage in encoder.stages.indices {
      features = try encoder.run(stage: stage, on: features, in: pass)
    }
    let scores = try head(features, in: pass).cast(to: .float32)
    let full = try scores.resizedBilinear(height: 240, width: 320, grid: .halfPixel)
    return Loss(try full.crossEntropy(batch.1))
  }

  func evaluate() -> [String: Double] { [:] }
}

let arguments = CommandLine.arguments.dropFirst()
let steps = arguments.first.flatMap { Int($0) } ?? 8
let threads = arguments.dropFirst().first.flatMap { Int($0) } ?? 2
try TorchRuntime.setThreads(threads)

var stage = TrainingStage(
  "steps", steps: steps, optimizer: .sgd(momentum: 0.9, decay: 1e-4, nesterov: false),
  rate: LearningRateSchedule(peak: 0.01))
stage.precision = arguments.last == "bfloat16" ? .bfloat16 : .float32
let folder = NSTemporaryDirectory() + "train-steps-\(getpid())"
defer { try? FileManager.default.removeItem(atPath: folder) }
var trainer = Trainer(
  try NoiseTask(), plan: TrainingPlan(stages: [stage]), folder: folder, fingerprint: "benchmark")
(trainer.logInterval, trainer.evaluationInterval, trainer.checkpointInterval) = (1, 0, 0)
var times: [Double] = []
_ = try trainer.run(resuming: false, until: { false }) { times.append($0.secondsPerStep * 1000) }
let sorted = times.dropFirst(2).sorted()
print(String(format: "%.1f", sorted[sorted.count / 2]))
