// SPDX-License-Identifier: Apache-2.0

internal import Flow
internal import Layers
internal import Tensors

/// How far motions at several levels are from the truth, and what labels say of them.
public struct FlowObjective: Hashable, Sendable {
  /// A level's weight, coarse to fine, for the *sum* over its cells, as in the paper's training;
  /// each level past the last weighs half as much as the one before.
  public var levelWeights: [Double]
  /// The exponent of distances: 1 is the end-point error; below 1, what is far off counts little
  /// more than what is off (Sun et al., PAMI 2019).
  public var exponent: Float
  /// Distances well below this, in pixels, count as none.
  public var slack: Float
  /// What each step before the last counts of the one after it.
  public var stepDecay: Double
  /// What carried labels count, beside pixels of distance; 0 leaves them out.
  public var labels: Double

  /// An objective with the paper's weights of levels, and end-point errors alone, unless said
  /// otherwise.
  public init(
    levelWeights: [Double] = [0.32, 0.08, 0.02, 0.01, 0.005], exponent: Float = 1,
    slack: Float = 0.1, stepDecay: Double = 0.5, labels: Double = 0
  ) {
    (self.levelWeights, self.exponent, self.slack) = (levelWeights, exponent, slack)
    (self.stepDecay, self.labels) = (stepDecay, labels)
  }

  /// The weight of the mean over a level's cells, of `count` levels, so that all add up to 1.
  func shares(of count: Int) -> [Double] {
    let weights = (0..<count).map { level -> Double in
      let last = levelWeights.count - 1
      let weight = levelWeights[min(level, last)]
      return (0..<max(0, level - last)).reduce(weight) { sum, _ in sum / 2 }
        * Double(1 << (2 * level))
    }
    return weights.map { $0 / weights.reduce(0, +) }
  }

  /// The distance of all levels of all steps from a truth on a grid of `division` pixels a cell.
  func distance(
    of steps: [FlowStep], from motion: Tensor, known: Tensor, dividedBy division: Int
  ) throws(TensorError) -> Tensor {
    var (total, scale) = (try Tensor(0), 1.0)
    for step in steps.reversed() {
      for (level, share) in zip(step.levels, shares(of: step.levels.count)) {
        let (truth, weight) = try Self.pooled(
          motion, known, by: level.stride / division, like: level.motion)
        let error = try level.motion - truth
        let square = try (error * error).sum(axes: [1], keepingAxes: true)
        let distance = try (square + slack * slack).power(exponent / 2)
        let mean = try (distance * weight).sum() / (weight.sum() + 1e-6)
        total = try total + mean * Float(share * scale)
      }
      scale *= stepDecay
    }
    return total
  }

  /// Means of what is known over blocks, and the share of each block that is.
  ///
  /// Blocks that reach beyond the grid have as much less that is known.
  static func pooled(
    _ motion: Tensor, _ known: Tensor, by factor: Int, like other: Tensor
  ) throws(TensorError) -> (motion: Tensor, weight: Tensor) {
    let (rows, columns) = (other.shape[2] * factor, other.shape[3] * factor)
    func filled(_ tensor: Tensor) throws(TensorError) -> Tensor {
      try tensor.padded(
        top: 0, bottom: rows - tensor.shape[2], left: 0, right: columns - tensor.shape[3]
      ).reduced(by: factor)
    }
    let share = try filled(known)
    return (try filled(motion * known) / share.clamped(to: 1e-6...1), share)
  }
}
