// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Datasets
internal import Evaluation
public import Layers
public import Tensors
internal import Video

/// Training a segmentation network on labelled pictures.
public struct SegmentationTask: TrainingTask {
  public let network: SegmentationNetwork
  public let samples: SegmentationSamples
  /// What scores are measured on; nil for nothing.
  public let validation: (any Clip)?
  public let seed: UInt64
  /// Each lesson with the step and the crop it begins at.
  private let course: [(step: Int, slot: Int, lesson: SegmentationLesson)]

  public struct Batch: Sendable {
    /// N × 3 × height × width, scaled as the network wants it.
    public let images: Tensor
    /// N × height × width, uint8.
    public let labels: Tensor
  }

  /// Trains by one lesson, however long.
  public init(
    _ network: SegmentationNetwork, on samples: SegmentationSamples,
    validation: (any Clip)? = nil, lesson: SegmentationLesson, seed: UInt64 = 1
  ) {
    self.init(network, on: samples, validation: validation, lessons: [(0, lesson)], seed: seed)
  }

  /// Trains by each lesson for its number of steps; the last goes on for ever.
  ///
  /// - Precondition: there is a lesson.
  public init(
    _ network: SegmentationNetwork, on samples: SegmentationSamples,
    validation: (any Clip)? = nil, lessons: [(steps: Int, lesson: SegmentationLesson)],
    seed: UInt64 = 1
  ) {
    precondition(!lessons.isEmpty, "nothing to learn")
    (self.network, self.samples, self.validation) = (network, samples, validation)
    self.seed = seed
    var (step, slot) = (0, 0)
    course = lessons.map { steps, lesson in
      defer { (step, slot) = (step + steps, slot + steps * lesson.batchSize) }
      return (step, slot, lesson)
    }
  }

  private func place(at step: Int) -> (step: Int, slot: Int, lesson: SegmentationLesson) {
    course.last { $0.step <= step } ?? course[0]
  }

  public var parameters: Parameters { network.parameters }

  private var void: UInt8 { samples.classes.void ?? 255 }

  public func batch(at step: Int) throws -> Batch {
    let place = place(at: step)
    let lesson = place.lesson, slot = place.slot + (step - place.step) * lesson.batchSize
    let drawn = try (slot..<slot + lesson.batchSize).map { try draw(slot: $0, by: lesson) }
    let images = try drawn.map { try network.specification.input.tensor(of: $0.image) }
    let crop = lesson.augmentation.crop
    let labels = try Tensor(
      drawn.flatMap { $0.labels.bytes }, shape: [lesson.batchSize, crop.height, crop.width])
    return Batch(
      images: try .concatenate(images, axis: 0).channelsLast().to(parameters.device),
      labels: try labels.to(parameters.device))
  }

  private func draw(
    slot: Int, by lesson: SegmentationLesson
  ) throws -> (image: Image, labels: Image) {
    var random = RandomStream(seed: seed, slot, 0xC409)
    var (index, place): (Int, (x: Int, y: Int)?) = (inTurn(slot), nil)
    if random.unit() < lesson.focus,
      let spot = try samples.spot(of: random.below(samples.classes.count), from: &random)
    {
      (index, place) = (spot.sample, (spot.x, spot.y))
    }
    let (image, labels) = try samples.sample(index)
    let view = lesson.augmentation.draw(for: image.size, focus: place, from: &random)
    return (view.image(image), view.labels(labels, void: void))
  }

  /// All pictures once, then all again in another order.
  private func inTurn(_ slot: Int) -> Int {
    let (round, place) = slot.quotientAndRemainder(dividingBy: samples.count)
    var random = RandomStream(seed: seed, round, 0x04DE)
    return random.permutation(of: samples.count)[place]
  }

  public func loss(of batch: Batch, at step: Int, in pass: Pass) throws -> Loss {
    let scores = try network.scores(of: batch.images, in: pass).resizedBilinear(
      height: batch.labels.shape[1], width: batch.labels.shape[2], grid: .halfPixel)
    return try place(at: step).lesson.objective.loss(
      of: scores, labels: batch.labels, void: Int(void))
  }

  public func evaluate() throws -> [String: Double] {
    guard let validation else { return [:] }
    var matrix = ConfusionMatrix(classes: validation.classes.count)
    for index in 0..<validation.count {
      let sample = try validation.sample(at: index)
      guard let truth = sample.labels else { continue }
      matrix.add(predicted: try predict(sample.frame), truth: truth)
    }
    var scores = ["val/miou": matrix.meanIoU ?? 0]
    for (name, score) in zip(validation.classes.names, matrix.iou) {
      if let score { scores["val/iou/\(name)"] = score }
    }
    return scores
  }

  private func predict(_ frame: Frame) throws -> Image {
    let features = try network.run(
      0..<network.stages.count, on: Features(network.input(for: frame)))
    let size = frame.pixels.size
    let labels = try network.head(features.main, size: size).to(.cpu).argmaxLabels()
    return Image(width: size.width, height: size.height, channels: 1, bytes: try labels.bytes())
  }
}

/// What is seen of the pictures while a stage lasts, and what is to be brought down.
public struct SegmentationLesson: Sendable {
  public var augmentation: Augmentation
  public var batchSize: Int
  public var objective: SegmentationObjective
  /// The share of crops that are laid around a pixel of a class drawn evenly, so that rare ones are
  /// seen; the others are laid anywhere in pictures taken in turn.
  public var focus: Double

  public init(
    augmentation: Augmentation, batchSize: Int = 4,
    objective: SegmentationObjective = SegmentationObjective(), focus: Double = 0
  ) {
    (self.augmentation, self.batchSize) = (augmentation, batchSize)
    (self.objective, self.focus) = (objective, focus)
  }
}

/// What a segmentation network is to bring down: a cross-entropy and, beside it, the overlap lost.
public struct SegmentationObjective: Sendable {
  /// Its void is that of the labels, whatever it says itself.
  public var crossEntropy: CrossEntropyLoss
  /// What the overlap lost (`OverlapLoss`, of soft intersections over unions) counts.
  public var overlap: Double

  public init(crossEntropy: CrossEntropyLoss = CrossEntropyLoss(), overlap: Double = 0) {
    (self.crossEntropy, self.overlap) = (crossEntropy, overlap)
  }

  func loss(of scores: Tensor, labels: Tensor, void: Int) throws -> Loss {
    var crossEntropy = crossEntropy
    crossEntropy.void = void
    let entropy = try crossEntropy(scores, labels)
    guard overlap > 0 else { return Loss(entropy) }
    let lost = try OverlapLoss(void: void)(scores, labels)
    return Loss(
      try entropy + lost * Float(overlap), parts: ["entropy": entropy, "overlap": lost])
  }
}
