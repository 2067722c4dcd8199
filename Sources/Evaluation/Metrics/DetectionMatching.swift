// SPDX-License-Identifier: Apache-2.0

internal import Video

/// Who found what among the boxes of one class in one frame, as COCO decides it.
struct DetectionMatching {
  private let detections: [Detection]
  /// Those that count first.
  private let truths: [GroundTruthBox]
  /// How many of them count.
  let counted: Int
  /// Detection-major.
  private let overlaps: [Double]

  init(
    _ detections: [Detection], _ truth: [GroundTruthBox], by shape: DetectionAccuracy.Shape,
    sigma: Double?
  ) {
    let found = Array(detections.sortedByScore { $0.score }.prefix(shape.most))
    let (ignored, counted) = (truth.filter(shape.ignores), truth.filter { !shape.ignores($0) })
    let (truths, similarity) = (counted + ignored, KeyPointSimilarity(sigma: sigma))
    overlaps = found.flatMap { detection in
      truths.map { truth in
        switch shape {
        case .box: Self.overlap(detection.box, truth)
        case .mask: Self.overlap(detection.mask, truth)
        case .points: similarity(detection.points, truth)
        }
      }
    }
    (self.detections, self.truths, self.counted) = (found, truths, counted.count)
  }

  /// Intersection over union; over the detection alone where the truth is ignored.
  private static func overlap(_ box: BoundingBox, _ truth: GroundTruthBox) -> Double {
    if !truth.isIgnored { return box.intersectionOverUnion(with: truth.box) }
    return box.area > 0 ? box.intersection(with: truth.box) / box.area : 0
  }

  /// The same of masks; what has none overlaps nothing.
  private static func overlap(_ mask: ObjectMask?, _ truth: GroundTruthBox) -> Double {
    guard let mask, let other = truth.mask, mask.size == other.size else { return 0 }
    if !truth.isIgnored { return mask.intersectionOverUnion(with: other) }
    return mask.isEmpty ? 0 : Double(mask.intersection(with: other)) / Double(mask.area)
  }

  /// One for each detection, the surest first.
  var outcomes: [DetectionOutcome] {
    var list = detections.map { DetectionOutcome(score: $0.score) }
    for (bit, threshold) in DetectionAccuracy.thresholds.enumerated() {
      var isTaken = [Bool](repeating: false, count: truths.count)
      for index in detections.indices {
        guard let truth = match(of: index, from: threshold, isTaken) else { continue }
        isTaken[truth] = true
        list[index].matched |= 1 << UInt16(bit)
        if truth >= counted { list[index].ignored |= 1 << UInt16(bit) }
      }
    }
    return list
  }

  /// The free truth that the detection overlaps most, the last of equal ones; one that is ignored
  /// only where there is no other, and a crowd whether it is taken or not.
  private func match(of detection: Int, from threshold: Double, _ isTaken: [Bool]) -> Int? {
    var (best, match) = (min(threshold, 1 - 1e-10), Int?.none)
    for (index, truth) in truths.enumerated() {
      if isTaken[index] && !truth.isIgnored { continue }
      if let match, match < counted, index >= counted { break }
      let overlap = overlaps[detection * truths.count + index]
      if overlap >= best { (best, match) = (overlap, index) }
    }
    return match
  }
}
