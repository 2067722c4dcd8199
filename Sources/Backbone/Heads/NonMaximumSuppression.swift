// SPDX-License-Identifier: Apache-2.0

public import Video

/// The detections that no better one of their class covers, the best first.
///
/// Greedy: the best detection is kept, and those of its class whose intersection over union with
/// it is above `threshold` are dropped; then the best of the rest, and so on (Girshick et al.,
/// CVPR 2014, section 2.2). Of equal scores the earlier detection counts as the better. At most
/// `limit` are kept.
public func nonMaximumSuppression(
  _ detections: [Detection], threshold: Double, limit: Int = .max
) -> [Detection] {
  keptPositions(of: detections, threshold: threshold, limit: limit).map { detections[$0] }
}

/// The positions of the detections that `nonMaximumSuppression` keeps, the best first.
func keptPositions(of detections: [Detection], threshold: Double, limit: Int) -> [Int] {
  let order = detections.indices.sorted {
    (-detections[$0].score, $0) < (-detections[$1].score, $1)
  }
  var kept: [Int] = []
  var keptOfClass: [Int: [BoundingBox]] = [:]
  for index in order where kept.count < limit {
    let (box, category) = (detections[index].box, detections[index].category)
    let others = keptOfClass[category] ?? []
    guard others.allSatisfy({ $0.intersectionOverUnion(with: box) <= threshold }) else { continue }
    kept.append(index)
    keptOfClass[category, default: []].append(box)
  }
  return kept
}
