// SPDX-License-Identifier: Apache-2.0

import Testing
import Video

@Suite struct PresentationClockTests {
  /// Stated times, 25 frames a second, to times, gaps and repairs.
  private func read(
    _ stated: [Double?], lengths: [Double]? = nil
  ) -> (times: [Double], gaps: String, repairs: Int) {
    var clock = PresentationClock(nominalRate: FrameRate(25))
    let steps = stated.enumerated().map { clock.time(stated: $1, length: lengths?[$0]) }
    let drawing = steps.map { $0.followsGap ? "|" : "." }.joined()
    return (steps.map { ($0.time * 1000).rounded() / 1000 }, drawing, clock.repairs)
  }

  @Test func goodTimesStayAsTheyAre() {
    let result = read([1.4, 1.44, 1.48])
    #expect(result == ([1.4, 1.44, 1.48], "...", 0))
  }

  @Test func negativeTimesAreTimes() {
    #expect(read([-0.08, -0.04, 0]) == ([-0.08, -0.04, 0], "...", 0))
  }

  @Test func missingTimesFollowTheOneBefore() {
    #expect(read([nil, nil, nil]) == ([0, 0.04, 0.08], "...", 3))
    #expect(read([0, nil, 0.08]) == ([0, 0.04, 0.08], "...", 1))
  }

  @Test func timeNeverGoesBack() {
    #expect(read([1, 1, 0.5, 1.04]) == ([1, 1, 1, 1.04], "....", 2))
  }

  @Test func aHoleIsAGapUnlessTheFrameBeforeLastedThatLong() {
    #expect(read([0, 0.04, 0.2, 0.24]) == ([0, 0.04, 0.2, 0.24], "..|.", 0))
    let lengths = [0.04, 0.16, 0.04, 0.04]
    #expect(read([0, 0.04, 0.2, 0.24], lengths: lengths) == ([0, 0.04, 0.2, 0.24], "....", 0))
  }
}
