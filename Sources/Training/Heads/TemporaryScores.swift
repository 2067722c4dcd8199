// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Video

func temporaryDepthScores(_ predictions: [DepthMap], _ targets: [DepthMap]) -> [String: Double] {
  var (sum, close, count, deep, deepSum) = (0.0, 0.0, 0.0, 0.0, 0.0)
  for (said, truth) in zip(predictions, targets) {
    for (p, t) in zip(said.metres, truth.metres) where t > 0 {
      sum += Double(abs(p - t) / t)
      close += max(p / t, t / p) < 1.25 ? 1 : 0
      count += 1
      if t > 60 { deep += 1; deepSum += Double(abs(p - t) / t) }
    }
  }
  return [
    "val/absrel": sum / count, "val/delta1": close / count, "val/far": deep / count,
    "val/farabsrel": deepSum / max(1, deep),
  ]
}

func temporaryDetectionScores(
  _ predictions: [[Detection]], _ targets: [[GroundTruthBox]]
) -> [String: Double] {
  var scores: [String: Double] = [:]
  for category in 0..<3 {
    var hits: [(Double, Bool)] = []
    var truths = 0
    for (said, truth) in zip(predictions, targets) {
      let all = truth.filter { $0.category == category }
      truths += all.count { !$0.isIgnored }
      var taken = Set<Int>()
      for found in said.filter({ $0.category == category }).sorted(by: { $0.score > $1.score }) {
        let best = all.indices.filter { !taken.contains($0) && !all[$0].isIgnored }.max {
          found.box.intersectionOverUnion(with: all[$0].box)
            < found.box.intersectionOverUnion(with: all[$1].box)
        }
        if let best, found.box.intersectionOverUnion(with: all[best].box) >= 0.5 {
          taken.insert(best)
          hits.append((found.score, true))
        } else if all.contains(where: {
          $0.isIgnored && found.box.intersectionOverUnion(with: $0.box) >= 0.5
        }) {
        } else {
          hits.append((found.score, false))
        }
      }
    }
    guard truths > 0 else { continue }
    hits.sort { $0.0 > $1.0 }
    var (curve, right): ([(Double, Double)], Double) = ([], 0)
    for (index, hit) in hits.enumerated() {
      right += hit.1 ? 1 : 0
      curve.append((right / Double(truths), right / Double(index + 1)))
    }
    var area = 0.0
    for step in 0...100 {
      area += curve.filter { $0.0 >= Double(step) / 100 }.map(\.1).max() ?? 0
    }
    scores["val/ap/\(category)"] = area / 101
    scores["val/truths/\(category)"] = Double(truths)
  }
  let aps = scores.filter { $0.key.hasPrefix("val/ap/") }.map(\.value)
  scores["val/map50"] = aps.reduce(0, +) / Double(max(1, aps.count))
  return scores
}
