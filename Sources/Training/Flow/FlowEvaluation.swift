// SPDX-License-Identifier: Apache-2.0

public import Datasets
internal import Evaluation
public import Flow
internal import Synchronization
internal import Video

/// How good a flow is: how far off on pairs of known motion, and how well it carries labels, with
/// dense inverse search beside it.
public struct FlowEvaluation: Sendable {
  private let pairs: (any MotionPairs)?
  private let count: Int
  private let clip: (any LabelledClip)?
  private let gaps: [Int]
  private let baseline = Baseline()

  private final class Baseline: Sendable {
    let figures = Mutex<[String: Double]?>(nil)
  }

  /// Measures on the first `count` of `pairs`, which nothing is trained on, and by carrying the
  /// labels of `clip` over each of `gaps`.
  public init(
    pairs: (any MotionPairs)? = nil, count: Int = 24, clip: (any LabelledClip)? = nil,
    gaps: [Int] = [2, 5]
  ) {
    (self.pairs, self.count, self.clip, self.gaps) = (pairs, count, clip, gaps)
  }

  /// Figures of `flow`, and under `dis/` those of dense inverse search, which are taken once.
  public func run(on flow: some FlowEstimator) throws -> [String: Double] {
    var figures = try measure(flow)
    let others = try baseline.figures.withLock { known in
      let taken = try known ?? measure(DISFlow(preset: .medium))
      known = taken
      return taken
    }
    for (name, value) in others { figures["dis/\(name)"] = value }
    return figures
  }

  private func measure(_ flow: some FlowEstimator) throws -> [String: Double] {
    var figures: [String: Double] = [:]
    if let pairs, let error = try endPointError(of: flow, on: pairs) { figures["epe"] = error }
    guard let clip else { return figures }
    for gap in gaps {
      let matrix = try LabelCarrying(clip, gap: gap).run(along: flow)
      figures["carried\(gap)/accuracy"] = matrix.accuracy
      figures["carried\(gap)/miou"] = matrix.meanIoU
    }
    return figures
  }

  /// The mean over all cells that are known in any pair.
  private func endPointError(
    of flow: some FlowEstimator, on pairs: any MotionPairs
  ) throws -> Double? {
    var (sum, cells) = (0.0, 0)
    for index in 0..<count {
      let pair = try pairs.pair(index)
      let motion = try flow.motion(
        from: Frame(index: 1, time: 1, pixels: pair.current),
        to: Frame(index: 0, time: 0, pixels: pair.reference))
      guard let error = try motion.endPointError(against: pair.motion) else { continue }
      sum += error.mean * Double(error.cells)
      cells += error.cells
    }
    return cells == 0 ? nil : sum / Double(cells)
  }
}
