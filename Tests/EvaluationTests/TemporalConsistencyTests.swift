// SPDX-License-Identifier: Apache-2.0

import Evaluation
import Flow
import Testing

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

  /// The value after one pair whose every pixel was `moving` cells to the right before.
  private func consistency(_ current: [UInt8], after previous: [UInt8], moving dx: Float) -> Double?
  {
    let motion = MotionField(
      width: current.count, height: 1,
      displacements: current.indices.flatMap { _ in [dx, 0] })
    var measure = TemporalConsistency(classes: 3)
    measure.add(current: row(current), previous: row(previous), motion: motion)
    return measure.value
  }
}
