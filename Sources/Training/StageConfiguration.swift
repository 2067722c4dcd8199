// SPDX-License-Identifier: Apache-2.0

internal import Layers
internal import Tensors

/// What is seen of the pictures while a stage lasts, and what is to be brought down.
public struct StageConfiguration: Sendable {
  /// How pictures are changed before they are seen.
  public var augmentation: Augmentation
  /// Crops, or runs of frames, a step.
  public var batchSize: Int
  /// Pairs of frames a step, where something is learned from them; nil for as many as crops.
  public var pairBatchSize: Int?
  /// What is brought down.
  public var objective: SegmentationObjective
  /// The share of crops that are laid around a pixel of a class drawn evenly, so that rare ones are
  /// seen; the others are laid anywhere in pictures taken in turn.
  public var focus: Double
  /// The share of crops onto which half of the classes of another are pasted (ClassMix).
  public var classmix: Double

  /// A stage that lays crops anywhere and pastes nothing unless said otherwise.
  public init(
    augmentation: Augmentation, batchSize: Int = 4,
    pairBatchSize: Int? = nil, objective: SegmentationObjective = SegmentationObjective(),
    focus: Double = 0, classmix: Double = 0
  ) {
    (self.augmentation, self.batchSize) = (augmentation, batchSize)
    self.pairBatchSize = pairBatchSize
    (self.objective, self.focus, self.classmix) = (objective, focus, classmix)
  }
}

/// What a segmentation network is to bring down: a cross-entropy and, beside it, the overlap lost,
/// what sets it apart from a teacher, and what changes from frame to frame.
public struct SegmentationObjective: Sendable {
  /// Its void is that of the labels, whatever it says itself.
  public var crossEntropy: CrossEntropyLoss
  /// What the overlap lost (`SoftIoULoss`, of soft intersections over unions) counts.
  public var overlap: Double
  /// Who teaches beside the labels; nil for nobody.
  public var teaching: Distillation?
  /// What the change of probabilities along known motion counts (`temporalConsistencyLoss`).
  public var consistency: Double

  /// A cross-entropy alone unless more is asked for.
  public init(
    crossEntropy: CrossEntropyLoss = CrossEntropyLoss(), overlap: Double = 0,
    teaching: Distillation? = nil, consistency: Double = 0
  ) {
    (self.crossEntropy, self.overlap) = (crossEntropy, overlap)
    (self.teaching, self.consistency) = (teaching, consistency)
  }

  /// Of scores at the size of the labels; `known`, N × H × W, is 0 where nobody knows the look of
  /// the picture, so that a teacher is not asked.
  func loss(
    of scores: Tensor, labels: Tensor, void: Int, images: Tensor, known: Tensor? = nil
  ) throws -> Loss {
    var crossEntropy = crossEntropy
    crossEntropy.void = void
    let entropy = try crossEntropy(scores, labels)
    var loss = Loss(entropy)
    if overlap > 0 {
      try loss.add(SoftIoULoss(void: void)(scores, labels), named: "soft_iou", counting: overlap)
    }
    if let teaching, teaching.weights.scores > 0 {
      let distance = try teaching.loss(of: scores, on: images, known: known)
      try loss.add(distance, named: "teaching", counting: teaching.weights.scores)
    }
    return loss.parts.isEmpty
      ? loss : Loss(loss.total, parts: loss.parts.merging(["entropy": entropy]) { $1 })
  }

  /// Whether there is something to learn from pairs of frames.
  public var wantsPairs: Bool {
    consistency > 0 || (teaching?.weights.wantPairs ?? false)
  }

  /// How much the probabilities of two frames differ where the motion tells that the same is seen.
  private static func change(
    from scores: Tensor, to others: Tensor, in pairs: PairBatch
  ) throws -> Tensor {
    let size = pairs.current.shape
    func probabilities(_ scores: Tensor) throws(TensorError) -> Tensor {
      try scores.resizedBilinear(height: size[2], width: size[3], grid: .halfPixel)
        .softmax(axis: 1)
    }
    let confidence = try motionConfidence(
      pairs.current, pairs.reference, along: pairs.motion, known: pairs.known)
    return try temporalConsistencyLoss(
      probabilities(scores), probabilities(others), along: pairs.motion, confidence: confidence,
      known: pairs.known)
  }

  /// Adds what two frames of each pair lose: what changes along their motion, and what a teacher
  /// says of both.
  func add(to loss: inout Loss, of views: PairViews, in pairs: PairBatch) throws {
    if consistency > 0 {
      let change = try Self.change(
        from: views.scores.current, to: views.scores.reference, in: pairs)
      try loss.add(change, named: "change", counting: consistency)
    }
    if let teaching, teaching.weights.wantPairs {
      try teaching.add(to: &loss, of: views, in: pairs)
    }
  }
}

/// Pairs of frames whose motion is known, in the same view.
struct PairBatch: Sendable {
  /// N × 3 × height × width, scaled as the network wants it.
  let current: Tensor, reference: Tensor
  /// N × 2 × height × width, in pixels; and where it is known, N × height × width bytes.
  let motion: Tensor, known: Tensor
}

/// What a network makes of both frames of each pair.
struct PairViews {
  /// What its classifier reads, and the classifier's scores, N × C × H × W each.
  let features: (current: Tensor, reference: Tensor), scores: (current: Tensor, reference: Tensor)

  /// The two halves of a batch.
  init(features: Tensor, scores: Tensor) throws(TensorError) {
    func halves(_ all: Tensor) throws(TensorError) -> (current: Tensor, reference: Tensor) {
      let count = all.shape[0] / 2
      return (
        try all.slice(axis: 0, 0..<count), try all.slice(axis: 0, count..<2 * count)
      )
    }
    (self.features, self.scores) = (try halves(features), try halves(scores))
  }
}
