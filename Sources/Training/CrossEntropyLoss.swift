// SPDX-License-Identifier: Apache-2.0
internal import Foundation
public import Tensors

/// How badly logits (N × C × H × W) tell labels (N × H × W, uint8 or int64), on average.
///
/// The mean over the pixels that count, each counting as much as its class and, where given, itself
/// weighs, as PyTorch's weighted mean has it. Void pixels count nothing; where none counts, the
/// loss is 0, and so is its gradient.
public struct CrossEntropyLoss: Sendable {
  /// The label that marks void.
  public var void = 255
  /// What a pixel of each class counts; nil: all the same.
  public var classWeights: [Float]?
  /// Near a boundary, the classes up to so many pixels away are as good as the label (Zhu et al.,
  /// CVPR 2019, section 3.3: 1); 0 leaves the labels strict.
  public var relaxedPixels = 0
  /// Which pixels count; nil: all that are labelled.
  public var hardExamples: HardExamples?

  /// A strict loss over all labelled pixels, all the same, unless said otherwise.
  public init(
    void: Int = 255, classWeights: [Float]? = nil, relaxedPixels: Int = 0,
    hardExamples: HardExamples? = nil
  ) {
    (self.void, self.classWeights) = (void, classWeights)
    (self.relaxedPixels, self.hardExamples) = (relaxedPixels, hardExamples)
  }

  /// The loss of a batch; `pixelWeights` is N × H × W.
  public func callAsFunction(
    _ logits: Tensor, _ labels: Tensor, pixelWeights: Tensor? = nil
  ) throws(TensorError) -> Tensor {
    let losses = try logits.crossEntropies(labels, ignoring: void, radius: relaxedPixels)
    var weights = try weights(of: labels, classes: logits.shape[1])
    if let hardExamples { weights = try weights * hardExamples.mask(losses, counting: weights) }
    if let pixelWeights { weights = try weights * pixelWeights }
    return try losses.weightedMean(weights)
  }

  private func weights(of labels: Tensor, classes: Int) throws(TensorError) -> Tensor {
    guard let classWeights else { return try labels.labelWeights(classes: classes, ignoring: void) }
    let table = try Tensor(classWeights, shape: [classWeights.count]).to(labels.device)
    return try labels.labelWeights(classes: classes, weights: table, ignoring: void)
  }
}

/// Online hard example mining: the pixels that are learned already do not count.
///
/// Those count whose label has a probability below `threshold`; where these are fewer than
/// `leastKept`, the `leastKept` worst, and their equals (the OHEM loss of PSPNet, BiSeNet and
/// HRNet).
public struct HardExamples: Sendable, Hashable {
  /// A probability; 0.7 in the papers.
  public var threshold: Float
  /// Pixels of a batch.
  public var leastKept: Int

  /// Mining below a probability above 0 and at most 1; at least `leastKept` pixels a batch count.
  public init(threshold: Float = 0.7, leastKept: Int) {
    precondition(threshold > 0 && threshold <= 1, "a threshold of \(threshold) is no probability")
    precondition(leastKept >= 0, "\(leastKept) pixels cannot be kept")
    (self.threshold, self.leastKept) = (threshold, leastKept)
  }

  /// 1 where a pixel counts, N × H × W; `losses` are -log probability.
  func mask(_ losses: Tensor, counting weights: Tensor) throws(TensorError) -> Tensor {
    let losses = try losses.detached()
    let labelled = try weights .> 0
    let limit = -Foundation.log(threshold)
    let hard = try (losses .> limit) * labelled
    let least = leastKept
    guard try hard.sum().item() < Float(least) else { return hard }
    let candidates = try losses.elements(where: labelled).floats()
    guard candidates.count > least else { return labelled }
    return try (losses .>= largest(least, of: candidates)) * labelled
  }

  /// The `rank`th largest of numbers that are not negative, without sorting: by the upper half of
  /// their bits, then by the lower, which order them as the numbers are.
  private func largest(_ rank: Int, of numbers: [Float]) -> Float {
    var (rest, upper) = (rank, UInt32(0))
    for shift: UInt32 in [16, 0] {
      var counts = [Int](repeating: 0, count: 1 << 16)
      for number in numbers {
        let bits = max(number, 0).bitPattern
        if shift == 16 || bits >> 16 == upper { counts[Int(bits >> shift & 0xFFFF)] += 1 }
      }
      var place = counts.count - 1
      while place > 0 && counts[place] < rest {
        rest -= counts[place]
        place -= 1
      }
      upper = upper << 16 | UInt32(place)
    }
    return Float(bitPattern: upper)
  }
}

extension Tensor {
  /// Σ weight · element / Σ weight; 0 where the weights come to nothing, as does the gradient.
  func weightedMean(_ weights: Tensor) throws(TensorError) -> Tensor {
    try (self * weights).sum() / weights.sum().clamped(to: .leastNormalMagnitude ... .infinity)
  }
}
