// SPDX-License-Identifier: Apache-2.0

import Inbetween
import InbetweenTraining

/// A training: the colour of each class, learned from labelled frames by gradient descent.
///
/// It stands for a network of one's own that `train` does not know. The trainer brings batches,
/// optimisers, checkpoints and logs.
struct ClassColours: TrainingTask {
  let parameters: Parameters
  private let colours: Tensor
  private let clip: any LabelledClip

  init(of clip: any LabelledClip, seed: UInt64) throws {
    parameters = Parameters(seed: seed)
    colours = try parameters.root.parameter(
      "colours", [clip.classes.count, 3], .weight, .constant(128))
    self.clip = clip
  }

  /// The mean colour of each class in one frame, of 255: classes × 3, blue, green, red.
  func batch(at step: Int) throws -> [Float] {
    let sample = try clip.sample(at: step % clip.count)
    guard let labels = sample.labels else { return [Float](repeating: 128, count: 3 * classes) }
    var sums = [Float](repeating: 0, count: 3 * classes)
    var counts = [Float](repeating: 0, count: classes)
    let (pixels, ids) = (sample.frame.pixels.bytes, labels.bytes)
    for place in 0..<ids.count where Int(ids[place]) < classes {
      let id = Int(ids[place])
      counts[id] += 1
      for channel in 0..<3 { sums[3 * id + channel] += Float(pixels[3 * place + channel]) }
    }
    return sums.indices.map { sums[$0] / max(1, counts[$0 / 3]) }
  }

  func loss(of batch: [Float], at _: Int, in _: ForwardContext) throws -> Loss {
    let difference = try colours - Tensor(batch, shape: [classes, 3])
    return Loss(try (difference * difference).mean(axes: [0, 1]))
  }

  /// The mean error of the last frame's colours.
  func evaluate() throws -> [String: Double] {
    let (learned, wanted) = (try colours.floats(), try batch(at: clip.count - 1))
    let errors = zip(learned, wanted).map { abs(Double($0 - $1)) }
    return ["val/error": errors.reduce(0, +) / Double(errors.count)]
  }

  private var classes: Int { clip.classes.count }
}

extension TrainingKinds {
  /// What a specification with the key `class_colours` trains.
  mutating func registerClassColours() {
    register("class_colours") { request in
      let (yaml, folder) = (request.model.specification, request.model.path)
      let plan = request.seeded(try TrainingPlan(yaml: yaml, folder: folder))
      let clip = try request.sources.clip(request.sources.data[0], split: "train")
      return PreparedTraining(
        try ClassColours(of: clip, seed: plan.seed), plan: plan,
        fingerprint: try TrainingFingerprint(yaml: yaml, stages: plan.stages.count))
    }
  }
}
