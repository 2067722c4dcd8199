// SPDX-License-Identifier: Apache-2.0

internal import Glibc
public import Video

/// How well depth is predicted, by the errors and accuracies of Eigen and others (NeurIPS 2014).
///
/// Every pixel whose true depth is known and in the range counts once, whatever frame it is of. A
/// prediction outside of the range is moved to its nearer end, and so is one that is unknown (0) or
/// no number: a missing prediction costs as much as the nearest one.
public struct DepthAccuracy: Sendable, Equatable {
  /// How a prediction is scaled before it is compared.
  public enum Alignment: Sendable, Hashable {
    /// Not at all: the prediction is in metres.
    case none
    /// Each frame by the median truth over the median prediction of the pixels that count.
    ///
    /// For a prediction that is known but for a scale (Zhou and others, CVPR 2017). A frame whose
    /// median prediction is not above 0 is left as it is.
    case median
    /// Each frame's inverse depth by the scale and the shift of least squares against the true
    /// inverse depth, over the pixels that count.
    ///
    /// For networks of relative inverse depth (Ranftl et al., TPAMI 2022, section 5). A frame for
    /// which there is no such scale is left as it is.
    case inverse
  }

  /// The depths that count, in metres.
  public let range: ClosedRange<Double>
  /// How predictions are scaled before they are compared.
  public let alignment: Alignment
  /// The depth to which farther predictions are moved, in metres; the end of the range unless said
  /// otherwise.
  public let farthest: Double
  /// How many pixels were counted.
  public private(set) var count = 0
  /// Sums over pixels; `truth` and `predicted` in metres.
  private var absolute = 0.0, squaredRelative = 0.0, squared = 0.0, squaredLog = 0.0
  /// Pixels whose ratio is below 1.25, 1.25² and 1.25³.
  private var within = [0, 0, 0]

  /// Nothing counted yet; true depths outside of the range, in metres, will not count.
  ///
  /// - Precondition: the range begins above 0.
  public init(
    range: ClosedRange<Double> = 1e-3...80, alignment: Alignment = .none, farthest: Double? = nil
  ) {
    precondition(range.lowerBound > 0, "depths from \(range.lowerBound) m on have no ratio")
    (self.range, self.alignment) = (range, alignment)
    self.farthest = farthest ?? range.upperBound
  }

  /// Counts one frame.
  ///
  /// - Precondition: the maps have the same size; `DepthMap.resized(to:)` makes them so.
  public mutating func add(predicted: DepthMap, truth: DepthMap) {
    precondition(
      predicted.size == truth.size,
      "a prediction of \(predicted.size) for a truth of \(truth.size)")
    var sums = self
    compare(predicted, truth) { _, depth, truth in sums.add(depth, truth) }
    self = sums
  }

  /// The logarithm of prediction over truth of each pixel, after the alignment; NaN where the truth
  /// does not count.
  func logErrors(predicted: DepthMap, truth: DepthMap) -> [Float] {
    var errors = [Float](repeating: .nan, count: truth.metres.count)
    compare(predicted, truth) { errors[$0] = Float(log(clamped($1)) - log($2)) }
    return errors
  }

  /// Every pixel that counts, with its prediction, aligned, and its truth.
  private func compare(
    _ predicted: DepthMap, _ truth: DepthMap, each: (_ index: Int, Double, Double) -> Void
  ) {
    let known = truth.metres.indices.filter { range.contains(Double(truth.metres[$0])) }
    let inverse = alignment == .inverse ? Self.line(predicted, truth, over: known) : nil
    let scale = alignment == .median ? Self.ratio(predicted, truth, over: known) : 1
    for index in known {
      var depth = Double(predicted.metres[index]) * scale
      if let inverse {
        let disparity = inverse.scale / depth + inverse.shift
        depth = disparity > 0 ? 1 / disparity : .infinity
      }
      each(index, depth, Double(truth.metres[index]))
    }
  }

  private func clamped(_ raw: Double) -> Double {
    raw > range.lowerBound ? min(raw, farthest) : range.lowerBound
  }

  /// The scale and the shift of the inverse prediction that come nearest to the inverse truth.
  private static func line(
    _ predicted: DepthMap, _ truth: DepthMap, over pixels: [Int]
  ) -> (scale: Double, shift: Double)? {
    var (count, x, y, xx, xy) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for index in pixels where predicted.metres[index] > 0 {
      let (own, other) = (1 / Double(predicted.metres[index]), 1 / Double(truth.metres[index]))
      (count, x, y) = (count + 1, x + own, y + other)
      (xx, xy) = (xx + own * own, xy + own * other)
    }
    let spread = count * xx - x * x
    guard spread > 1e-12 * count * xx else { return nil }
    let scale = (count * xy - x * y) / spread
    return (scale, (y - scale * x) / count)
  }

  private mutating func add(_ raw: Double, _ truth: Double) {
    let predicted = clamped(raw)
    let difference = predicted - truth
    let logarithm = log(predicted) - log(truth)
    count += 1
    absolute += abs(difference) / truth
    squaredRelative += difference * difference / truth
    squared += difference * difference
    squaredLog += logarithm * logarithm
    let ratio = max(predicted / truth, truth / predicted)
    for (power, limit) in [1.25, 1.5625, 1.953125].enumerated() where ratio < limit {
      within[power] += 1
    }
  }

  /// The median truth over the median prediction; 1 where that is no scale.
  private static func ratio(
    _ predicted: DepthMap, _ truth: DepthMap, over pixels: [Int]
  ) -> Double {
    guard !pixels.isEmpty else { return 1 }
    let found = median(pixels.map { predicted.metres[$0] })
    let ratio = median(pixels.map { truth.metres[$0] }) / found
    return found > 0 && ratio.isFinite ? ratio : 1
  }

  /// Of an even number of values, the mean of the two in the middle.
  private static func median(_ values: [Float]) -> Double {
    let sorted = values.map { $0.isNaN ? 0 : $0 }.sorted()
    let middle = sorted.count / 2
    if sorted.count % 2 == 1 { return Double(sorted[middle]) }
    return (Double(sorted[middle - 1]) + Double(sorted[middle])) / 2
  }

  /// Adds what another measurement counted.
  ///
  /// - Precondition: both have the same range and alignment.
  public static func += (lhs: inout Self, rhs: Self) {
    precondition(
      lhs.range == rhs.range && lhs.alignment == rhs.alignment && lhs.farthest == rhs.farthest,
      "depths measured in other ways")
    lhs.count += rhs.count
    lhs.absolute += rhs.absolute
    lhs.squaredRelative += rhs.squaredRelative
    lhs.squared += rhs.squared
    lhs.squaredLog += rhs.squaredLog
    for power in lhs.within.indices { lhs.within[power] += rhs.within[power] }
  }
}

extension DepthAccuracy {
  /// Mean of |p − t| / t (AbsRel); nil where nothing was counted, as all of these.
  public var absRel: Double? { mean(absolute) }

  /// Mean of (p − t)² / t, in metres (SqRel).
  public var sqRel: Double? { mean(squaredRelative) }

  /// Root of the mean of (p − t)², in metres.
  public var rmse: Double? { mean(squared)?.squareRoot() }

  /// Root of the mean of (ln p − ln t)².
  public var rmseLog: Double? { mean(squaredLog)?.squareRoot() }

  /// The part of pixels where max(p / t, t / p) is below 1.25 to a power from 1 to 3.
  ///
  /// - Precondition: the power is 1, 2 or 3.
  public func delta(_ power: Int) -> Double? { mean(Double(within[power - 1])) }

  /// All of them by name: `abs_rel`, `sq_rel`, `rmse`, `rmse_log`, `delta1`, `delta2` and `delta3`;
  /// empty where nothing was counted.
  public var values: [String: Double] {
    let named: [(String, Double?)] = [
      ("abs_rel", absRel), ("sq_rel", sqRel), ("rmse", rmse), ("rmse_log", rmseLog),
      ("delta1", delta(1)), ("delta2", delta(2)), ("delta3", delta(3)),
    ]
    return Dictionary(
      uniqueKeysWithValues: named.compactMap { name, value in value.map { (name, $0) } })
  }

  /// The sums under the names of `values`, each over as many pixels; empty where nothing was
  /// counted.
  var counts: [String: FigureCounts] {
    guard count > 0 else { return [:] }
    let pixels = Double(count)
    let sums = [
      ("abs_rel", absolute), ("sq_rel", squaredRelative), ("delta1", Double(within[0])),
      ("delta2", Double(within[1])), ("delta3", Double(within[2])),
    ]
    let roots = [("rmse", squared), ("rmse_log", squaredLog)]
    return Dictionary(
      uniqueKeysWithValues: sums.map { ($0, .mean(sum: $1, weight: pixels)) }
        + roots.map { ($0, .rootMean(sum: $1, weight: pixels)) })
  }

  private func mean(_ sum: Double) -> Double? { count == 0 ? nil : sum / Double(count) }
}
