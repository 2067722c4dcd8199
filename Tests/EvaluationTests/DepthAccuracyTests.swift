// SPDX-License-Identifier: Apache-2.0

import Evaluation
import Foundation
import Testing
import Video

struct DepthAccuracyTests {
  @Test func aPerfectPredictionHasNoError() {
    let values = measured([1, 5, 60], [1, 5, 60]).values
    #expect(values["abs_rel"] == 0 && values["sq_rel"] == 0)
    #expect(values["rmse"] == 0 && values["rmse_log"] == 0)
    #expect(values["delta1"] == 1 && values["delta2"] == 1 && values["delta3"] == 1)
  }

  /// By hand: errors of 2 at 10 m, 0 at 20 m and 30 at 40 m.
  @Test func errorsAreThoseOfEigenAndOthers() {
    let found = measured([12, 20, 10], [10, 20, 40])
    #expect(near(found.absRel, (0.2 + 0 + 0.75) / 3))
    #expect(near(found.sqRel, (0.4 + 0 + 22.5) / 3))
    #expect(near(found.rmse, (904.0 / 3).squareRoot()))
    let logs = (pow(log(1.2), 2) + pow(log(4), 2)) / 3
    #expect(near(found.rmseLog, logs.squareRoot()))
    #expect(near(found.delta(1), 2.0 / 3) && near(found.delta(3), 2.0 / 3))
  }

  @Test func ratiosCountBelowTheirLimitEitherWay() {
    let truth = [Float](repeating: 16, count: 8)
    // 1.25 exactly, below it both ways, then between the limits, and past the last.
    let found = measured([20, 19.9, 12.9, 21, 12, 26, 9, 40], truth)
    #expect(near(found.delta(1), 2.0 / 8))
    #expect(near(found.delta(2), 5.0 / 8))
    #expect(near(found.delta(3), 7.0 / 8))
  }

  // Any scale and shift of inverse depth is undone; what lies behind the camera then is as far as
  // can be.
  @Test func inverseDepthIsAlignedByScaleAndShift() {
    let truth: [Float] = [1, 2, 4, 5]
    let relative = truth.map { 1 / (3 / $0 + 0.7) }
    var aligned = DepthAccuracy(range: 0.5...6, alignment: .inverse)
    aligned.add(predicted: row(relative), truth: row(truth))
    #expect((aligned.absRel ?? 1) < 1e-5)
    // By hand: of 1/p = 2, 1, 1, 0 and 1/t = 1, 1/2, 1/4, 1/5 least squares give 0.4 /p + 0.0875.
    var fitted = DepthAccuracy(range: 0.5...6, alignment: .inverse, farthest: 10)
    fitted.add(predicted: row([0.5, 1, 1, 1e30]), truth: row([1, 2, 4, 5]))
    let found = [0.8875, 0.4875, 0.4875, 0.0875].map { min(1 / $0, 10) }
    let errors = zip(found, truth).map { abs($0 - Double($1)) / Double($1) }
    #expect(abs((fitted.absRel ?? 9) - errors.reduce(0, +) / 4) < 1e-6)
    // A prediction that is the same everywhere has no such scale.
    var flat = DepthAccuracy(range: 0.5...6, alignment: .inverse)
    flat.add(predicted: row([2, 2]), truth: row([2, 4]))
    #expect(flat.absRel == 0.25)
  }

  @Test func onlyKnownDepthsInRangeCount() {
    let found = measured([3, 4, 50, 2], [0, 4, 90, 2])
    #expect(found.count == 2 && found.absRel == 0)
    var near = DepthAccuracy(range: 1...3)
    near.add(predicted: row([9, 2]), truth: row([4, 2]))
    #expect(near.count == 1 && near.absRel == 0)
  }

  @Test func predictionsAreMovedIntoTheRange() {
    #expect(near(measured([500], [40]).absRel, 1))
    for missing in [0, -3, Float.nan] as [Float] {
      #expect(near(measured([missing], [40]).absRel, (40 - 1e-3) / 40))
    }
  }

  @Test func medianAlignmentTakesAScaleOutFrameByFrame() {
    var (scaled, raw) = (DepthAccuracy(alignment: .median), DepthAccuracy())
    for factor in [0.25, 3] as [Float] {
      let truth: [Float] = [2, 8, 0, 16, 31]
      let predicted = row(truth.map { $0 * factor })
      scaled.add(predicted: predicted, truth: row(truth))
      raw.add(predicted: predicted, truth: row(truth))
    }
    #expect((scaled.absRel ?? 1) < 1e-12 && (raw.absRel ?? 0) > 0.5)
  }

  /// Medians 2.5 and 5 of four pixels each; the unknown one must not shift them.
  @Test func theMedianOfAnEvenNumberIsBetweenTheTwoInTheMiddle() {
    var found = DepthAccuracy(alignment: .median)
    found.add(predicted: row([1, 2, 3, 4, 70]), truth: row([2, 4, 6, 10, 0]))
    #expect(near(found.absRel, 0.2 / 4))
  }

  @Test func pixelsArePooledOverFrames() {
    var parts = measured([12, 20], [10, 20])
    parts += measured([10], [40])
    #expect(parts == measured([12, 20, 10], [10, 20, 40]))
    #expect(parts.count == 3)
  }

  @Test func whereNothingIsCountedThereIsNoValue() {
    let found = measured([4, 5], [0, 81])
    #expect(found.values.isEmpty && found.absRel == nil && found.delta(2) == nil)
  }

  @Test func resizingTakesTheNearestDepth() {
    let small = DepthMap(width: 2, height: 1, metres: [3, 7])
    let large = small.resized(to: PixelSize(width: 5, height: 2))
    #expect(large.metres == [3, 3, 7, 7, 7, 3, 3, 7, 7, 7])
    let map = DepthMap(width: 3, height: 3, metres: [1, 2, 3, 4, 5, 6, 7, 8, 9])
    #expect(map.resized(to: PixelSize(width: 1, height: 3)).metres == [2, 5, 8])
    #expect(map.resized(to: map.size) == map)
  }

  private func measured(_ predicted: [Float], _ truth: [Float]) -> DepthAccuracy {
    var accuracy = DepthAccuracy()
    accuracy.add(predicted: row(predicted), truth: row(truth))
    return accuracy
  }

  private func row(_ metres: [Float]) -> DepthMap {
    DepthMap(width: metres.count, height: 1, metres: metres)
  }

  private func near(_ value: Double?, _ expected: Double) -> Bool {
    value.map { abs($0 - expected) < 1e-6 * max(1, expected) } ?? false
  }
}
