// SPDX-License-Identifier: Apache-2.0

/// What a frame counts towards a figure; added up, what a run's figure is computed from.
///
/// Figures are computed of sums over frames, never of means of frames: so frames can be drawn
/// again, as a bootstrap does, and clips be told apart afterwards.
public enum FigureCounts: Sendable, Equatable {
  /// A sum and what it is divided by: absolute relative error, a share of pixels.
  case mean(sum: Double, weight: Double)
  /// The same under a square root: RMSE.
  case rootMean(sum: Double, weight: Double)
  /// How often each class was taken for each other one, for a mean IoU.
  case confusion(ConfusionMatrix)
  /// What became of each detection, for a mean average precision.
  case detections(DetectionAccuracy)

  /// Adds what other frames counted.
  ///
  /// - Precondition: both are of one kind.
  public static func += (lhs: inout Self, rhs: Self) {
    switch (lhs, rhs) {
    case (.mean(let sum, let weight), .mean(let more, let other)):
      lhs = .mean(sum: sum + more, weight: weight + other)
    case (.rootMean(let sum, let weight), .rootMean(let more, let other)):
      lhs = .rootMean(sum: sum + more, weight: weight + other)
    case (.confusion(var matrix), .confusion(let more)):
      matrix += more
      lhs = .confusion(matrix)
    case (.detections(var found), .detections(let more)):
      found += more
      lhs = .detections(found)
    default: preconditionFailure("counts of two kinds")
    }
  }

  /// Whether two counts can be added up.
  public func isLike(_ other: Self) -> Bool {
    switch (self, other) {
    case (.mean, .mean), (.rootMean, .rootMean): true
    case (.confusion(let one), .confusion(let two)): one.classCount == two.classCount
    case (.detections(let one), .detections(let two)):
      one.classCount == two.classCount && one.shape == two.shape && one.sigma == two.sigma
    default: false
    }
  }

  /// The figures, by what is added to the name of the counts: an empty name for the main one.
  ///
  /// A confusion matrix under the name `mIoU` gives `mAcc` and `aAcc` too.
  public func values(named name: String) -> [String: Double] {
    switch self {
    case .mean(let sum, let weight): weight == 0 ? [:] : [name: sum / weight]
    case .rootMean(let sum, let weight): weight == 0 ? [:] : [name: (sum / weight).squareRoot()]
    case .confusion(let matrix):
      [name: matrix.meanIoU].compactMapValues(\.self).merging(
        name == FrameRecord.labels
          ? ["mAcc": matrix.meanAccuracy, "aAcc": matrix.accuracy].compactMapValues(\.self) : [:]
      ) { $1 }
    case .detections(let found): found.values
    }
  }
}

extension FigureCounts: Codable {
  private enum CodingKeys: String, CodingKey { case mean, rootMean = "root_mean", confusion, boxes }

  /// Reads one of `mean: [SUM, WEIGHT]`, `root_mean`, `confusion` and `boxes`.
  public init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: CodingKeys.self)
    func pair(_ key: CodingKeys) throws -> (Double, Double)? {
      guard let pair = try keys.decodeIfPresent([Double].self, forKey: key) else { return nil }
      guard pair.count == 2 else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: keys, debugDescription: "a sum and a weight are needed")
      }
      return (pair[0], pair[1])
    }
    if let (sum, weight) = try pair(.mean) {
      self = .mean(sum: sum, weight: weight)
    } else if let (sum, weight) = try pair(.rootMean) {
      self = .rootMean(sum: sum, weight: weight)
    } else if let matrix = try keys.decodeIfPresent(ConfusionMatrix.self, forKey: .confusion) {
      self = .confusion(matrix)
    } else {
      self = .detections(try keys.decode(DetectionAccuracy.self, forKey: .boxes))
    }
  }

  /// Writes what `init(from:)` reads.
  public func encode(to encoder: any Encoder) throws {
    var keys = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .mean(let sum, let weight): try keys.encode([sum, weight], forKey: .mean)
    case .rootMean(let sum, let weight): try keys.encode([sum, weight], forKey: .rootMean)
    case .confusion(let matrix): try keys.encode(matrix, forKey: .confusion)
    case .detections(let found): try keys.encode(found, forKey: .boxes)
    }
  }
}
