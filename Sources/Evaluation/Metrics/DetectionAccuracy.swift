// SPDX-License-Identifier: Apache-2.0

public import Video

/// How well objects are found: average precision as COCO defines it (Lin et al., ECCV 2014).
///
/// Equal to `COCOeval` of pycocotools for boxes, masks or key points of all areas, with at most 100
/// detections of a class in a frame (20 by key points), 101 levels of recall, and frames in the
/// order in which they are added.
///
/// A truth that is ignored is what COCO calls a crowd (`iscrowd`): detections that it takes neither
/// count nor cost, any number of them; they overlap it by the share of the *detection* that lies
/// inside it; and it takes only what no other truth can. (pycocotools overwrites an annotation's
/// `ignore` by its `iscrowd`, so there is no other way to ignore one.)
public struct DetectionAccuracy: Sendable, Equatable, Codable {
  /// The overlaps from which a detection counts as a find: 0.5, 0.55, … 0.95.
  public static let thresholds: [Double] = (0..<10).map { index -> Double in
    // As numpy.linspace rounds them.
    let step = (0.95 - 0.5) / 9.0
    return index == 9 ? 0.95 : Double(index) * step + 0.5
  }
  /// Detections of a class in a frame that are looked at, the surest first.
  public static let mostDetections = 100
  /// The same where they are matched by key points.
  public static let mostDetectionsByPoints = 20

  /// What overlaps are taken of.
  public enum Shape: String, Sendable, Codable {
    /// COCO's `bbox`, and its `segm`.
    case box, mask
    /// COCO's `keypoints`: the overlap is the object key point similarity.
    case points
  }

  private var classes: [ClassOutcomes]
  /// What overlaps are taken of.
  public let shape: Shape
  /// The σ of all key points, as a share of the object's length; nil for COCO's of 17 points, and
  /// 0.05 for each of any other number.
  public let sigma: Double?

  /// How many categories there are.
  public var classCount: Int { classes.count }

  /// For categories from 0 up to, and without, `classes`.
  public init(classes: Int, by shape: Shape = .box, sigma: Double? = nil) {
    precondition(classes > 0, "\(classes) classes")
    precondition(sigma ?? 1 > 0, "key points with a sigma of \(sigma ?? 0)")
    (self.shape, self.sigma) = (shape, sigma)
    self.classes = Array(repeating: ClassOutcomes(), count: classes)
  }

  /// Counts one frame.
  ///
  /// - Precondition: categories are those of this measurement; scores are numbers.
  public mutating func add(detections: [Detection], truth: [GroundTruthBox]) {
    let categories = classes.indices
    precondition(
      detections.allSatisfy { categories.contains($0.category) && !$0.score.isNaN }
        && truth.allSatisfy { categories.contains($0.category) },
      "a category beyond \(classes.count) classes, or a score that is no number")
    for category in categories {
      let found = detections.filter { $0.category == category }
      let there = truth.filter { $0.category == category }
      if found.isEmpty && there.isEmpty { continue }
      let matching = DetectionMatching(found, there, by: shape, sigma: sigma)
      classes[category].truths += matching.counted
      classes[category].outcomes += matching.outcomes
    }
  }

  /// Counts one frame, and gives what it comes to by itself.
  mutating func counting(detections: [Detection], truth: [GroundTruthBox]) -> DetectionAccuracy {
    var frame = DetectionAccuracy(classes: classCount, by: shape, sigma: sigma)
    frame.add(detections: detections, truth: truth)
    self += frame
    return frame
  }

  /// Adds the frames of another measurement after these.
  ///
  /// - Precondition: both have as many classes, and are of the same shape.
  public static func += (lhs: inout Self, rhs: Self) {
    precondition(
      lhs.classes.count == rhs.classes.count && lhs.shape == rhs.shape && lhs.sigma == rhs.sigma,
      "other classes or shapes")
    for (category, other) in rhs.classes.enumerated() {
      lhs.classes[category].truths += other.truths
      lhs.classes[category].outcomes += other.outcomes
    }
  }
}

extension DetectionAccuracy {
  private enum CodingKeys: String, CodingKey { case classes, shape, sigma }

  /// Reads what `encode(to:)` writes; without a shape it is of boxes.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    classes = try values.decode([ClassOutcomes].self, forKey: .classes)
    shape = try values.decodeIfPresent(Shape.self, forKey: .shape) ?? .box
    sigma = try values.decodeIfPresent(Double.self, forKey: .sigma)
  }
}

// MARK: results

extension DetectionAccuracy {
  /// The average precision of one class.
  public struct ClassAccuracy: Sendable, Hashable {
    /// At each of `thresholds`, from 0 to 1.
    public let averagePrecisions: [Double]

    /// At an overlap of 0.5.
    public var ap50: Double { averagePrecisions[0] }

    /// Mean over overlaps from 0.5 to 0.95.
    public var ap50To95: Double {
      averagePrecisions.reduce(0, +) / Double(averagePrecisions.count)
    }
  }

  /// By category; nil for a class of which no truth counts.
  public var perClass: [ClassAccuracy?] {
    classes.map { found in found.averagePrecisions.map { ClassAccuracy(averagePrecisions: $0) } }
  }

  /// Means over the classes with a truth that counts: `mAP50` and `mAP50_95`, of masks
  /// `mask_mAP50` and `mask_mAP50_95`, by key points `oks_mAP50` and `oks_mAP50_95`; empty if there
  /// is none.
  public var values: [String: Double] {
    let known = perClass.compactMap { $0 }
    if known.isEmpty { return [:] }
    let count = Double(known.count), prefix = shape.prefix
    return [
      "\(prefix)mAP50": known.reduce(0) { $0 + $1.ap50 } / count,
      "\(prefix)mAP50_95": known.reduce(0) { $0 + $1.ap50To95 } / count,
    ]
  }
}

extension DetectionAccuracy.Shape {
  /// What the names of figures begin with.
  fileprivate var prefix: String {
    switch self {
    case .box: ""
    case .mask: "mask_"
    case .points: "oks_"
    }
  }

  /// Detections of a class in a frame that are looked at.
  var most: Int {
    self == .points
      ? DetectionAccuracy.mostDetectionsByPoints : DetectionAccuracy.mostDetections
  }

  /// Whether a truth neither counts nor costs: a crowd and, by key points, one without any.
  func ignores(_ truth: GroundTruthBox) -> Bool {
    truth.isIgnored || self == .points && !truth.hasLabelledPoints
  }
}

/// What became of the detections of a class.
private struct ClassOutcomes: Sendable, Equatable, Codable {
  /// Truths that count.
  var truths = 0
  var outcomes: [DetectionOutcome] = []

  /// At each threshold; nil where no truth counts.
  var averagePrecisions: [Double]? {
    if truths == 0 { return nil }
    let sorted = outcomes.sortedByScore { $0.score }
    return DetectionAccuracy.thresholds.indices.map { threshold in
      averagePrecision(sorted, at: threshold)
    }
  }

  /// The mean over levels of recall of the best precision at that recall or a higher one.
  private func averagePrecision(_ sorted: [DetectionOutcome], at threshold: Int) -> Double {
    var (recalls, precisions) = ([Double](), [Double]())
    var (hits, misses) = (0.0, 0.0)
    for outcome in sorted {
      if !outcome.isIgnored(at: threshold) {
        if outcome.isHit(at: threshold) { hits += 1 } else { misses += 1 }
      }
      recalls.append(hits / Double(truths))
      precisions.append(hits / (misses + hits + Double.ulpOfOne))
    }
    for index in precisions.indices.dropFirst().reversed() {
      precisions[index - 1] = max(precisions[index - 1], precisions[index])
    }
    var (sum, at) = (0.0, 0)
    for level in 0...100 {
      let recall = level == 100 ? 1 : Double(level) * 0.01
      while at < recalls.count && recalls[at] < recall { at += 1 }
      sum += at < recalls.count ? precisions[at] : 0
    }
    return sum / 101
  }
}

/// What became of one detection; a bit for each threshold.
struct DetectionOutcome: Sendable, Equatable, Codable {
  let score: Double
  /// Where it was matched, and where that was with a truth that is ignored.
  var matched: UInt16 = 0, ignored: UInt16 = 0

  func isHit(at threshold: Int) -> Bool { matched >> UInt16(threshold) & 1 == 1 }
  func isIgnored(at threshold: Int) -> Bool { ignored >> UInt16(threshold) & 1 == 1 }
}

extension Array {
  /// The largest score first; equal ones stay in order.
  func sortedByScore(_ score: (Element) -> Double) -> [Element] {
    indices.sorted {
      let (a, b) = (score(self[$0]), score(self[$1]))
      return a == b ? $0 < $1 : a > b
    }.map { self[$0] }
  }
}
