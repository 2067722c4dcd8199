// SPDX-License-Identifier: Apache-2.0

import Testing
import Video

@Suite struct BreakDetectorTests {
  /// Stated times to times, breaks by their first letters, and repairs.
  private func read(
    _ stated: [Double?], lengths: [Double]? = nil, rate: Double? = 25, restarts: Bool = false,
    hasDelays: Bool = false
  ) -> (times: [Double], breaks: String, repairs: Int) {
    var clock = BreakDetector(
      usually: rate.map { 1 / $0 }, restarts: restarts, hasDelays: hasDelays)
    let steps = stated.enumerated().map { clock.next(time: $1, length: lengths?[$0]) }
    let drawing = steps.map { $0.streamBreak.map { String($0.rawValue.prefix(1)) } ?? "." }.joined()
    return (steps.map { ($0.time * 1000).rounded() / 1000 }, drawing, clock.repairs)
  }

  @Test func goodTimesStayAsTheyAre() {
    #expect(read([1.4, 1.44, 1.48]) == ([1.4, 1.44, 1.48], "...", 0))
  }

  @Test func negativeTimesAreTimes() {
    #expect(read([-0.08, -0.04, 0]) == ([-0.08, -0.04, 0], "...", 0))
  }

  @Test func missingTimesFollowTheOneBefore() {
    #expect(read([nil, nil, nil]) == ([0, 0.04, 0.08], "...", 3))
    #expect(read([0, nil, 0.08]) == ([0, 0.04, 0.08], "...", 1))
  }

  @Test func timesThatBeginAnewGoOnAndAreABreak() {
    #expect(
      read([1, 1.04, 1.08, 0.5, 0.54]) == ([1, 1.04, 1.08, 1.12, 1.16], "...r.", 1))
    let far = [1, 1.04, 1.08, 5000, 5000.04]
    #expect(read(far, restarts: true) == ([1, 1.04, 1.08, 1.12, 1.16], "...r.", 0))
    #expect(read(far) == (far, "...g.", 0))
  }

  @Test func aTimeThatIsStatedTwiceIsNoBreak() {
    #expect(read([1, 1.04, 1.04, 1.02, 1.08]) == ([1, 1.04, 1.04, 1.04, 1.08], ".....", 2))
  }

  @Test func aHoleIsAGapUnlessTheFrameBeforeLastedThatLong() {
    #expect(read([0, 0.04, 0.2, 0.24]) == ([0, 0.04, 0.2, 0.24], "..g.", 0))
    let lengths = [0.04, 0.16, 0.04, 0.04]
    #expect(read([0, 0.04, 0.2, 0.24], lengths: lengths) == ([0, 0.04, 0.2, 0.24], "....", 0))
  }

  // A container like MP4 states no times but how long each frame is shown: a pause in it is one.
  @Test func noFrameIsShownForTenUsualSteps() {
    let times = [0, 0.04, 0.08, 0.12, 5.12, 5.16]
    let lengths = [0.04, 0.04, 0.04, 5, 0.04, 0.04]
    #expect(read(times, lengths: lengths).breaks == "....g.")
    #expect(read(times, lengths: lengths, hasDelays: true).breaks == "......")
  }

  // MediaRecorder: whole milliseconds, no rate, and a guess of a thousand frames a second.
  @Test func withoutARateRecentStepsSayWhatIsUsual() {
    let jitter = (0..<30).map { Double($0) * 0.033 + [0, 0.002, 0.007, 0.003][$0 % 4] }
    #expect(!read(jitter, rate: nil).breaks.contains("g"))
    #expect(!read(jitter, lengths: jitter.map { _ in 0.001 }, rate: nil).breaks.contains("g"))
    let holed = jitter.map { $0 < 0.5 ? $0 : $0 + 0.4 }
    #expect(read(holed, rate: nil).breaks.filter { $0 == "g" }.count == 1)
  }

  @Test func anotherRateIsABreakAtMostOnce() {
    let times = (0..<10).map { Double($0) * 0.04 } + (0..<10).map { 0.48 + Double($0) * 0.12 }
    #expect(read(times).breaks == "..........g.........")
  }

  @Test func theLengthOfAFrameIsBelievedWhereItMayBeTrue() {
    var clock = BreakDetector()
    let steps = [0, 0.033, 0.066, 0.1, 0.133].map { clock.next(time: $0, length: 0.001) }
    #expect(steps.last.flatMap(\.duration).map { abs($0 - 0.033) < 1e-9 } == true)
    var delays = BreakDetector(usually: 0.32, hasDelays: true)
    let given = [0, 0.04, 1.04].map { delays.next(time: $0, length: 0.02).duration }
    #expect(given == [0.02, 0.02, 0.02])
  }
}
