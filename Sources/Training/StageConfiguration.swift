// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Layers
internal import Tensors

/// What is seen of the pictures while a stage lasts, and what is to be brought down.
public struct StageConfiguration: Sendable {
  /// How pictures are changed before they are seen.
  public var augmentation: Augmentation
  /// Crops, or runs of frames, a step.
  public var batchSize: Int
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
    objective: SegmentationObjective = SegmentationObjective(), focus: Double = 0,
    classmix: Double = 0
  ) {
    (self.augmentation, self.batchSize) = (augmentation, batchSize)
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

  /// A teacher that sees the same crops, and how much its opinion counts beside the labels.
  public struct Distillation: Sendable {
    /// The network that teaches; it stays as it is.
    public let teacher: SegmentationNetwork
    /// How far the student is from the teacher.
    public var loss: DistillationLoss
    /// What that distance counts beside the cross-entropy.
    public var weight: Double

    /// A teacher whose distance counts `weight` beside the cross-entropy.
    ///
    /// - Precondition: the teacher reads pictures scaled as the student does, of the same classes.
    public init(
      _ teacher: SegmentationNetwork, loss: DistillationLoss = DistillationLoss(),
      weight: Double = 1
    ) {
      (self.teacher, self.loss, self.weight) = (teacher, loss, weight)
    }

    /// With `known`, N × H × W, only where that is 1.
    func loss(of scores: Tensor, on images: Tensor, known: Tensor?) throws -> Tensor {
      let taught = try withoutGradients {
        try teacher.scores(of: images, in: .inference).resizedBilinear(
          height: scores.shape[2], width: scores.shape[3], grid: .halfPixel)
      }
      return try loss(scores, from: taught, pixelWeights: known)
    }
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
    if let teaching, teaching.weight > 0 {
      let distance = try teaching.loss(of: scores, on: images, known: known)
      try loss.add(distance, named: "teaching", counting: teaching.weight)
    }
    return loss.parts.isEmpty
      ? loss : Loss(loss.total, parts: loss.parts.merging(["entropy": entropy]) { $1 })
  }

  /// How much the probabilities of two frames differ where the motion tells that the same is seen.
  static func change(from scores: Tensor, to others: Tensor, in pairs: PairBatch) throws -> Tensor {
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
}

/// Pairs of frames whose motion is known, in the same view.
struct PairBatch: Sendable {
  /// N × 3 × height × width, scaled as the network wants it.
  let current: Tensor, reference: Tensor
  /// N × 2 × height × width, in pixels; and where it is known, N × height × width bytes.
  let motion: Tensor, known: Tensor
}
