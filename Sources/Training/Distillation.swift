// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Layers
internal import Tensors

extension SegmentationObjective {
  /// A teacher that sees the same crops, and how much its opinion counts beside the labels.
  public struct Distillation: Sendable {
    /// The network that teaches; it stays as it is.
    public let teacher: SegmentationNetwork
    /// How far the student is from the teacher.
    public var loss: DistillationLoss
    /// What each of its lessons counts.
    public var weights: Weights
    private let dependency: MultiFrameDependency

    /// What each lesson of a teacher counts.
    public struct Weights: Sendable, Hashable {
      /// The distance of scores, beside the cross-entropy.
      public var scores: Double
      /// The same of both frames of a pair, which need no labels.
      public var neighbours = 0.0
      /// `pairwiseDependencyDistance` of what both classifiers read, on cells of 16 × 16 pixels.
      public var pairwise = 0.0
      /// `MultiFrameDependency` of the same, on cells of 32 × 32 pixels.
      public var multiFrame = 0.0

      /// Of scores alone unless more is said.
      public init(scores: Double = 1) { self.scores = scores }

      var wantPairs: Bool { neighbours > 0 || pairwise > 0 || multiFrame > 0 }
    }

    /// A teacher whose lessons count as much as `weights` says.
    ///
    /// - Precondition: the teacher reads pictures scaled as the student does, of the same classes.
    public init(
      _ teacher: SegmentationNetwork, loss: DistillationLoss = DistillationLoss(),
      weights: Weights = Weights()
    ) throws {
      (self.teacher, self.loss, self.weights) = (teacher, loss, weights)
      dependency = try MultiFrameDependency(device: teacher.parameters.device)
    }

    /// With `known`, N × H × W, only where that is 1.
    func loss(of scores: Tensor, on images: Tensor, known: Tensor?) throws -> Tensor {
      let taught = try withoutGradients { try teacher.scores(of: images, in: .inference) }
      return try distance(of: scores, from: taught, known: known)
    }

    /// The teacher's scores are brought to the size of the student's.
    private func distance(
      of scores: Tensor, from taught: Tensor, known: Tensor? = nil
    ) throws -> Tensor {
      let fitted = try taught.resizedBilinear(
        height: scores.shape[2], width: scores.shape[3], grid: .halfPixel)
      return try loss(scores, from: fitted, pixelWeights: known)
    }

    /// Adds how far a student's view of pairs is from the teacher's.
    func add(to loss: inout Loss, of student: PairViews, in pairs: PairBatch) throws {
      let taught = try withoutGradients {
        try teacher.views(
          of: .concatenate([pairs.current, pairs.reference], axis: 0), in: .inference)
      }
      let views = try PairViews(features: taught.features, scores: taught.scores)
      if weights.neighbours > 0 {
        let distance =
          try
          (distance(of: student.scores.current, from: views.scores.current)
          + distance(of: student.scores.reference, from: views.scores.reference)) * 0.5
        try loss.add(distance, named: "neighbours", counting: weights.neighbours)
      }
      let size = pairs.current.shape
      func cells(_ map: Tensor, of pixels: Int) throws(TensorError) -> Tensor {
        try map.adaptiveAveragePool(
          Extent(height: max(1, size[2] / pixels), width: max(1, size[3] / pixels)))
      }
      if weights.pairwise > 0 {
        let (own, other) = (student.features, views.features)
        let distance = try pairwiseDependencyDistance(
          (cells(own.current, of: 16), cells(own.reference, of: 16)),
          from: (cells(other.current, of: 16), cells(other.reference, of: 16)))
        try loss.add(distance, named: "pairwise", counting: weights.pairwise)
      }
      if weights.multiFrame > 0 {
        func frames(_ views: PairViews) throws(TensorError) -> [Tensor] {
          [
            try cells(views.features.reference, of: 32),
            try cells(views.features.current, of: 32),
          ]
        }
        let distance = try dependency.distance(frames(student), from: frames(views))
        try loss.add(distance, named: "multi_frame", counting: weights.multiFrame)
      }
    }
  }
}

extension SegmentationNetwork {
  /// What the classifier reads, and its scores, of images N × 3 × height × width.
  func views(
    of images: Tensor, in pass: ForwardContext
  ) throws(TensorError) -> (features: Tensor, scores: Tensor) {
    let last = stages.count - 1
    let features = try run(0..<last, on: Features(images), in: pass)
    return (features.main, try run(last..<stages.count, on: features, in: pass).main)
  }
}
