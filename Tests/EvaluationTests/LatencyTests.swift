// SPDX-License-Identifier: Apache-2.0

import Evaluation
import Testing

struct LatencyTests {
  @Test func percentilesAreSamplesOfTheSet() throws {
    let summary = try #require(latency(1...100).summary)
    #expect(summary.mean == 50.5)
    #expect(summary.p50 == 50)
    #expect(summary.p90 == 90)
    #expect(summary.p95 == 95)
    #expect(summary.max == 100)
    #expect(summary.n == 100)
  }

  @Test func tooFewSamplesSayNothingOfTheTail() throws {
    #expect(try #require(latency(1...499).summary).p99 == nil)
    #expect(try #require(latency(1...500).summary).p99 == 495)
  }

  @Test func oneSampleIsEveryPercentile() throws {
    let summary = try #require(latency(7...7).summary)
    #expect((summary.p50, summary.p95, summary.max) == (7, 7, 7))
  }

  @Test func nothingTimedSaysNothing() { #expect(Latency().summary == nil) }

  private func latency(_ milliseconds: ClosedRange<Int>) -> Latency {
    milliseconds.reversed().reduce(into: Latency()) { $0.add(.milliseconds($1)) }
  }
}
