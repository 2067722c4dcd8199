// SPDX-License-Identifier: Apache-2.0

import Evaluation
import Flow
import TestSupport
import Testing
import Video

struct TemporalConsistencyTests {
  @Test func labelsThatFollowTheMotionAgreeFully() {
    #expect(consistency([1, 2, 2, 0], after: [0, 1, 2, 2], moving: 1) == 1)
  }

  @Test func labelsThatStayWhileThePictureMovesDoNot() {
    let value = consistency([0, 1, 2, 2], after: [0, 1, 2, 2], moving: 1)
    let expected = 0.5 / 3
    #expect(value == expected)
  }

  @Test func pixelsFromOutsideTheFrameAreNotCounted() {
    #expect(consistency([2, 2, 2, 0], after: [0, 1, 2, 2], moving: 9) == nil)
  }

  @Test func pixelsOfUnknownMotionAreNotCounted() {
    let value = consistency([0, 2, 1, 1], after: [0, 1, 1, 1], moving: 0, known: [1, 0, 1, 1])
    #expect(value == 1)
  }

  // The current labels as the previous frame sees them, half-way between pixels: 0.5 → 0, 1 → 1,
  // 1.5 → 1, and 2 from beyond the edge. By class: 0: 1 of 1; 1: 2 of 2; 2: 1 of 1.
  @Test func thePublishedVariantMixesIdsAndRoundsDown() {
    #expect(
      consistency([0, 1, 1, 2], after: [0, 1, 1, 2], moving: 0.5, variant: .published) == 1)
    // 0 and 2 mix to 1, a class that neither frame has there.
    let mixed = consistency([0, 2], after: [0, 2], moving: 0.5, variant: .published)
    #expect(mixed == (0.0 + 0.0 + 1.0) / 3)
  }

  @Test func thePublishedVariantLeavesOutVoidAlone() {
    let value = consistency(
      [0, 1, 1, 2], after: [0, 255, 1, 2], moving: 0, known: [0, 0, 0, 0], variant: .published)
    #expect(value == 1)
  }

  // Beside a loop over a random pair, with unequal motion.
  @Test func bothVariantsAreWhatTheyAreSaidToBe() {
    var draws = Draws(seed: 4)
    let (width, height, classes) = (9, 7, 4)
    func map() -> Image {
      Image(
        width: width, height: height, channels: 1,
        bytes: (0..<63).map { _ in UInt8.random(in: 0..<4, using: &draws) })
    }
    let (current, previous) = (map(), map())
    let cells = draws.floats(2 * 63, in: -3...3)
    let motion = MotionField(width: width, height: height, displacements: cells)
    for variant in TemporalConsistency.Variant.allCases {
      var both = [Double](repeating: 0, count: classes), either = both
      for y in 0..<height {
        for x in 0..<width {
          let (toX, toY) = (
            Float(x) + cells[2 * (y * width + x)], Float(y) + cells[2 * (y * width + x) + 1]
          )
          var pair: (Int, Int)?
          if variant == .clean {
            let (column, row) = (Int(toX.rounded()), Int(toY.rounded()))
            if (0..<width).contains(column), (0..<height).contains(row) {
              pair = (Int(current[x: x, y: y]), Int(previous[x: column, y: row]))
            }
          } else {
            var sum: Float = 0
            for v in 0..<height {
              for u in 0..<width {
                let (atX, atY) = (min(max(toX, 0), 8), min(max(toY, 0), 6))
                let weight = max(0, 1 - abs(atX - Float(u))) * max(0, 1 - abs(atY - Float(v)))
                sum += weight * Float(current[x: u, y: v])
              }
            }
            pair = (Int(sum + 1e-5), Int(previous[x: x, y: y]))
          }
          guard let pair else { continue }
          if pair.0 == pair.1 { both[pair.0] += 1 }
          either[pair.0] += 1
          if pair.0 != pair.1 { either[pair.1] += 1 }
        }
      }
      let expected = zip(both, either).map { $0 / $1 }.reduce(0, +) / Double(classes)
      var measure = TemporalConsistency(classes: classes, variant: variant)
      measure.add(current: current, previous: previous, motion: motion)
      #expect(abs((measure.value ?? 0) - expected) < 1e-9, "\(variant)")
    }
  }

  /// The value after one pair whose every pixel was `moving` cells to the right before.
  private func consistency(
    _ current: [UInt8], after previous: [UInt8], moving dx: Float, known: [UInt8]? = nil,
    variant: TemporalConsistency.Variant = .clean
  ) -> Double? {
    let motion = MotionField(
      width: current.count, height: 1,
      displacements: current.indices.flatMap { _ in [dx, 0] }, known: known)
    var measure = TemporalConsistency(classes: 3, variant: variant)
    measure.add(current: row(current), previous: row(previous), motion: motion)
    return measure.value
  }
}

struct VideoConsistencyTests {
  private func value(
    window: Int, _ frames: [(labels: [UInt8], truth: [UInt8]?)], breaks: Set<Int> = []
  ) -> Double? {
    var measure = VideoConsistency(window: window)
    for (index, frame) in frames.enumerated() {
      measure.add(
        row(frame.labels), truth: frame.truth.map(row), followsBreak: breaks.contains(index))
    }
    return measure.value
  }

  // Truth is constant at the first three pixels; there the labels of two stay in the first window,
  // of one in the second.
  @Test func itIsTheShareOfConstantTruthThatIsConstant() {
    let truth: [[UInt8]] = [[0, 1, 2, 0], [0, 1, 2, 1], [0, 1, 2, 2]]
    let labels: [[UInt8]] = [[1, 1, 2, 0], [1, 1, 0, 0], [1, 0, 0, 0]]
    let frames = zip(labels, truth).map { ($0, Optional($1)) }
    #expect(value(window: 2, frames) == (2.0 / 3 + 2.0 / 3) / 2)
    #expect(value(window: 3, frames) == 1.0 / 3)
    #expect(value(window: 4, frames) == nil)
  }

  @Test func voidIsNotCounted() {
    #expect(value(window: 2, [([0, 1], [255, 1]), ([1, 1], [255, 1])]) == 1)
  }

  @Test func whatIsNotLabelledOrBreaksBeginsAnew() {
    let frames: [([UInt8], [UInt8]?)] = [
      ([0], [0]), ([0], [0]), ([1], nil), ([1], [0]), ([2], [0]),
    ]
    #expect(value(window: 2, frames) == 0.5)
    #expect(value(window: 2, [([0], [0]), ([1], [0])], breaks: [1]) == nil)
  }
}
