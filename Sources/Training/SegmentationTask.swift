// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Datasets
internal import Evaluation
internal import Flow
public import Layers
public import Tensors
internal import Video

/// Training a segmentation network on labelled pictures.
public struct SegmentationTask: TrainingTask {
  /// The network that is trained.
  public let network: SegmentationNetwork
  /// The pictures that it is trained on.
  public let samples: SegmentationSamples
  /// What scores are measured on; nil for nothing.
  public let validation: (any LabelledClip)?
  /// What crops, their order and their colours follow from.
  public let seed: UInt64
  /// Each lesson with the step and the crop it begins at.
  private let pairs: LearnedPairs?
  private let course: [(step: Int, slot: Int, lesson: StageConfiguration)]

  /// What a step reads.
  public struct Batch: Sendable {
    /// N × 3 × height × width, scaled as the network wants it.
    public let images: Tensor
    /// N × height × width, uint8.
    public let labels: Tensor
    /// What is learned from pairs of frames, where something is.
    let pairs: PairBatch?
  }

  /// Trains by one lesson, however long.
  public init(
    _ network: SegmentationNetwork, on samples: SegmentationSamples,
    pairs: LearnedPairs? = nil, validation: (any LabelledClip)? = nil, lesson: StageConfiguration,
    seed: UInt64 = 1
  ) {
    self.init(
      network, on: samples, pairs: pairs, validation: validation, lessons: [(0, lesson)],
      seed: seed)
  }

  /// Trains by each lesson for its number of steps; the last goes on for ever.
  ///
  /// `pairs` is what is learned from where a lesson wants pairs of frames.
  ///
  /// - Precondition: there is a lesson; there are pairs where one wants them.
  public init(
    _ network: SegmentationNetwork, on samples: SegmentationSamples,
    pairs: LearnedPairs? = nil, validation: (any LabelledClip)? = nil,
    lessons: [(steps: Int, lesson: StageConfiguration)],
    seed: UInt64 = 1
  ) {
    precondition(!lessons.isEmpty, "nothing to learn")
    let wantsPairs = lessons.contains { $0.lesson.objective.wantsPairs }
    precondition(pairs != nil || !wantsPairs, "no pairs to learn from")
    (self.network, self.samples, self.validation) = (network, samples, validation)
    (self.seed, self.pairs) = (seed, pairs)
    var (step, slot) = (0, 0)
    course = lessons.map { steps, lesson in
      defer { (step, slot) = (step + steps, slot + steps * lesson.batchSize) }
      return (step, slot, lesson)
    }
  }

  private func place(at step: Int) -> (step: Int, slot: Int, lesson: StageConfiguration) {
    course.last { $0.step <= step } ?? course[0]
  }

  /// What training changes: the network's parameters.
  public var parameters: Parameters { network.parameters }

  /// What is left out: the data's void or, where the network learns that, what lies outside a
  /// picture.
  private var void: UInt8 {
    network.specification.learnsVoid
      ? network.specification.ignoredLabel : samples.classes.void ?? 255
  }

  /// The crops of a step, which follow from the step and the seed.
  public func batch(at step: Int) throws -> Batch {
    let place = place(at: step)
    let lesson = place.lesson, slot = place.slot + (step - place.step) * lesson.batchSize
    let drawn = try (slot..<slot + lesson.batchSize).map { try sample(slot: $0, by: lesson) }
    let images = try drawn.map { try network.specification.input.tensor(of: $0.image) }
    let crop = lesson.augmentation.crop
    let labels = try Tensor(
      drawn.flatMap { $0.labels.bytes }, shape: [lesson.batchSize, crop.height, crop.width])
    return Batch(
      images: try .concatenate(images, axis: 0).channelsLast().to(parameters.device),
      labels: try labels.to(parameters.device),
      pairs: lesson.objective.wantsPairs ? try pairs(at: step, by: lesson) : nil)
  }

  private func pairs(at step: Int, by lesson: StageConfiguration) throws -> PairBatch? {
    guard let pairs else { return nil }
    let input = network.specification.input
    let drawn = try (0..<(lesson.pairBatchSize ?? lesson.batchSize)).map { place in
      var random = RandomStream(seed: seed, step, place, 0x9A14)
      let pair = try pairs.draw(from: &random)
      let view = lesson.augmentation.draw(for: pair.current.size, from: &random)
      let (motion, known) = try view.motion(pair.motion).keptInside().tensors()
      return (
        try input.tensor(of: view.image(pair.current)),
        try input.tensor(of: view.image(pair.reference)), motion,
        try known ?? .full([1, view.size.height, view.size.width], of: 1, type: .uint8)
      )
    }
    func joined(_ part: (Int) -> Tensor) throws(TensorError) -> Tensor {
      try .concatenate(drawn.indices.map(part), axis: 0).to(parameters.device)
    }
    return PairBatch(
      current: try joined { drawn[$0].0 }.channelsLast(),
      reference: try joined { drawn[$0].1 }.channelsLast(), motion: try joined { drawn[$0].2 },
      known: try joined { drawn[$0].3 })
  }

  /// The crop of a slot, with half of the classes of any other picture pasted onto it or not.
  private func sample(
    slot: Int, by lesson: StageConfiguration
  ) throws -> (image: Image, labels: Image) {
    var random = RandomStream(seed: seed, slot, 0xC409)
    let target = try draw(inTurn(slot), by: lesson, from: &random)
    guard lesson.classmix > 0, random.unit() < lesson.classmix else { return target }
    let source = try draw(random.below(samples.count), by: lesson, from: &random)
    return ClassMix(void: void)(source, onto: target, from: &random)
  }

  private func draw(
    _ picture: Int, by lesson: StageConfiguration, from random: inout RandomStream
  ) throws -> (image: Image, labels: Image) {
    var (index, place): (Int, (x: Int, y: Int)?) = (picture, nil)
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

  /// What the objective of the step's stage makes of the scores at the labels' size.
  public func loss(of batch: Batch, at step: Int, in pass: ForwardContext) throws -> Loss {
    let objective = place(at: step).lesson.objective, count = batch.labels.shape[0]
    // All in one pass, so that normalisations see one batch.
    var images = batch.images
    if let pairs = batch.pairs {
      images = try .concatenate([images, pairs.current, pairs.reference], axis: 0)
    }
    let (features, all) = try network.views(of: images, in: pass)
    let scores = try all.slice(axis: 0, 0..<count).resizedBilinear(
      height: batch.labels.shape[1], width: batch.labels.shape[2], grid: .halfPixel)
    var loss = try objective.loss(
      of: scores, labels: batch.labels, void: Int(void), images: batch.images)
    if let pairs = batch.pairs {
      let rest = count..<all.shape[0]
      let views = try PairViews(
        features: features.slice(axis: 0, rest), scores: all.slice(axis: 0, rest))
      try objective.add(to: &loss, of: views, in: pairs)
    }
    return loss
  }

  /// `val/miou`, and `val/iou/` with each class's name; empty without a validation clip.
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
