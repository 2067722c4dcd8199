// SPDX-License-Identifier: Apache-2.0

/// How far an estimated field is from the truth.
public struct EndPointError: Sendable, Hashable {
  /// Mean distance between the estimated and the true end points, in pixels.
  public let mean: Double
  /// Share of cells that are off by more than 3 pixels and by more than 5 % of the true motion's
  /// length (KITTI 2015's Fl; KITTI 2012's own figure has the first condition only).
  public let outliers: Double
  /// How many cells were compared: those known in both fields.
  public let cells: Int
  /// Which share that is of the cells known in the truth.
  public let coverage: Double
}

extension MotionField {
  /// The distance to a true field of the same grid; nil where no cell is known in both.
  ///
  /// - Throws: `FlowError.Code.sizesDiffer` where the two do not lie on one grid.
  public func endPointError(against truth: MotionField) throws(FlowError) -> EndPointError? {
    try requireSameGrid(as: truth)
    var (sum, outliers, compared, inTruth) = (0.0, 0, 0, 0)
    withReader { field in
      truth.withReader { truth in
        for cell in 0..<(width * height) {
          let (estimate, wanted) = (field[cell], truth[cell])
          guard wanted.isKnown else { continue }
          inTruth += 1
          guard estimate.isKnown else { continue }
          compared += 1
          let gap = Reader.Value(
            dx: estimate.dx - wanted.dx, dy: estimate.dy - wanted.dy, isKnown: true
          ).length
          sum += Double(gap)
          if gap > 3 && gap > 0.05 * wanted.length { outliers += 1 }
        }
      }
    }
    guard compared > 0 else { return nil }
    return EndPointError(
      mean: sum / Double(compared), outliers: Double(outliers) / Double(compared), cells: compared,
      coverage: Double(compared) / Double(inTruth))
  }
}
