// SPDX-License-Identifier: Apache-2.0

import Backbone
import TestSupport
import Testing
import Video

private func detection(
  _ x: Int, _ y: Int, _ width: Int, _ height: Int, category: Int = 0, score: Double
) -> Detection {
  Detection(
    box: BoundingBox(
      x: Double(x), y: Double(y), width: Double(width), height: Double(height)),
    category: category, score: score)
}

/// Boxes of whole pixels on a small picture, of two classes, some with equal scores.
private func draw(_ count: Int, seed: UInt64) -> [Detection] {
  var draws = Draws(seed: seed)
  return (0..<count).map { _ in
    detection(
      .random(in: 0..<12, using: &draws), .random(in: 0..<12, using: &draws),
      .random(in: 1...9, using: &draws), .random(in: 1...9, using: &draws),
      category: .random(in: 0...1, using: &draws),
      score: Double(Int.random(in: 0..<40, using: &draws)) / 40)
  }
}

/// The pixels that a box of whole pixels covers.
private func pixels(_ box: BoundingBox) -> Set<Int> {
  var covered: Set<Int> = []
  for y in Int(box.y)..<Int(box.y + box.height) {
    for x in Int(box.x)..<Int(box.x + box.width) { covered.insert(100 * y + x) }
  }
  return covered
}

/// Takes the best of what is left and strikes out what it covers, until nothing is left.
private func slowSuppression(_ detections: [Detection], threshold: Double) -> [Detection] {
  var (left, kept) = (detections, [Detection]())
  while let best = left.map(\.score).max(), let at = left.firstIndex(where: { $0.score == best }) {
    let taken = left.remove(at: at), covered = pixels(taken.box)
    kept.append(taken)
    left.removeAll { other in
      let theirs = pixels(other.box)
      let overlap = Double(covered.intersection(theirs).count)
      return other.category == taken.category
        && overlap / Double(covered.union(theirs).count) > threshold
    }
  }
  return kept
}

struct NonMaximumSuppressionTests {
  @Test(arguments: 0..<20) func theRestIsWhatAPlainLoopLeaves(seed: Int) {
    let detections = draw(60, seed: UInt64(seed))
    for threshold in [0, 0.2, 0.5, 0.9, 1] {
      let expected = slowSuppression(detections, threshold: threshold)
      #expect(nonMaximumSuppression(detections, threshold: threshold) == expected)
      #expect(
        nonMaximumSuppression(detections, threshold: threshold, limit: 5)
          == Array(expected.prefix(5)))
    }
  }

  @Test func onlyABetterDetectionOfTheSameClassCovers() {
    let good = detection(0, 0, 10, 10, score: 0.9)
    let worse = detection(1, 0, 10, 10, score: 0.8)
    let other = detection(0, 0, 10, 10, category: 1, score: 0.7)
    #expect(nonMaximumSuppression([worse, other, good], threshold: 0.5) == [good, other])
  }

  @Test func whatADroppedDetectionCoversIsKept() {
    // Each covers half of the next: the first drops the second, which then drops nobody.
    let row = (0..<3).map { detection(4 * $0, 0, 12, 6, score: 0.9 - 0.1 * Double($0)) }
    #expect(nonMaximumSuppression(row, threshold: 0.4) == [row[0], row[2]])
  }

  @Test func nothingGivesNothing() {
    #expect(nonMaximumSuppression([], threshold: 0.5).isEmpty)
    #expect(
      nonMaximumSuppression([detection(0, 0, 1, 1, score: 1)], threshold: 0.5, limit: 0).isEmpty)
  }
}
