// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Layers
public import Tensors
public import Video

/// Trains a head behind a frozen backbone.
///
/// The backbone's features are computed without gradients and by its running statistics. Only the
/// head's parameters change.
public struct HeadTask<Objective: HeadObjective>: TrainingTask {
  /// The head, and what it learns.
  public let objective: Objective
  private let backbone: any Backbone
  private let samples: HeadSamples<Objective.Target>
  private let validation: HeadSamples<Objective.Target>?
  private let augmentation: Augmentation
  private let batchSize: Int
  private let seed: UInt64

  /// Pictures as augmentation shows them.
  public struct Batch: Sendable {
    /// What the backbone reads: N × C × height × width.
    public let images: Tensor
    /// One for each picture.
    public let targets: [Objective.Target]
    /// The size of the pictures.
    public let size: PixelSize
  }

  /// A task on `samples`; scores are measured on all of `validation`, where there is one.
  ///
  /// - Precondition: there is a sample.
  public init(
    _ objective: Objective, behind backbone: some Backbone,
    on samples: HeadSamples<Objective.Target>, augmentation: Augmentation, batchSize: Int,
    validation: HeadSamples<Objective.Target>? = nil, seed: UInt64 = 1
  ) {
    precondition(samples.count > 0, "nothing to train on")
    (self.objective, self.backbone, self.samples) = (objective, backbone, samples)
    (self.augmentation, self.batchSize) = (augmentation, batchSize)
    (self.validation, self.seed) = (validation, seed)
  }

  /// The head's parameters; the backbone's are not trained.
  public var parameters: Parameters { objective.parameters }

  /// Pictures in turn, each in a view of its own.
  public func batch(at step: Int) throws -> Batch {
    let drawn = try (0..<batchSize).map { place in
      let slot = step * batchSize + place
      let sample = try samples.sample(inTurn(slot))
      var random = RandomStream(seed: seed, slot, 0x4EAD)
      let view = augmentation.draw(for: sample.image.size, from: &random)
      return (view.image(sample.image), objective.target(sample.target, seenIn: view))
    }
    let inputs = try drawn.map { try input(for: $0.0) }
    return Batch(
      images: try .concatenate(inputs, axis: 0).channelsLast(), targets: drawn.map(\.1),
      size: augmentation.crop)
  }

  /// All pictures once, then all again in another order.
  private func inTurn(_ slot: Int) -> Int {
    let (round, place) = slot.quotientAndRemainder(dividingBy: samples.count)
    var random = RandomStream(seed: seed, round, 0x04DE)
    return random.permutation(of: samples.count)[place]
  }

  private func input(for image: Image) throws -> Tensor {
    try backbone.input(for: Frame(index: 0, time: 0, pixels: image)).to(parameters.device)
  }

  /// The objective's loss behind the backbone's features.
  public func loss(of batch: Batch, at _: Int, in pass: ForwardContext) throws -> Loss {
    let maps = try withoutGradients { try features(of: batch.images) }
    return try objective.loss(of: maps, from: batch.targets, size: batch.size, in: pass)
  }

  /// The maps that the head reads, of N pictures.
  private func features(of images: Tensor) throws -> FeatureMaps {
    guard !backbone.takesBatches, images.shape[0] > 1 else {
      return try FeatureMaps(of: images, after: objective.inputs, through: backbone)
    }
    let each = try (0..<images.shape[0]).map { index in
      try FeatureMaps(
        of: images.slice(axis: 0, index..<index + 1), after: objective.inputs, through: backbone)
    }
    var joined = FeatureMaps()
    for stage in each[0].stages {
      joined[stage] = try .concatenate(each.map { try $0.map(after: stage) }, axis: 0)
    }
    return joined
  }

  /// The objective's scores over all of the validation samples; empty where there are none.
  public func evaluate() throws -> [String: Double] {
    guard let validation else { return [:] }
    var (predictions, targets): ([Objective.Prediction], [Objective.Target]) = ([], [])
    for index in 0..<validation.count {
      let sample = try validation.sample(index)
      let maps = try withoutGradients { try features(of: input(for: sample.image)) }
      predictions.append(try objective.predict(maps, size: sample.image.size))
      targets.append(sample.target)
    }
    return objective.scores(of: predictions, against: targets)
  }
}
