// SPDX-License-Identifier: Apache-2.0

import Evaluation
import Testing

struct LatencyTests {
  @Test func percentilesAreSamplesOfTheSet() throws {
    let summary = try #require(latency(1...100).summary)
    #expect(isNear(summary.mean, 50.5))
    #expect(isNear(summary.p50, 50))
    #expect(isNear(summary.p90, 90))
    #expect(isNear(summary.p95, 95))
    #expect(isNear(summary.max, 100))
    #expect(summary.n == 100)
  }

  @Test func tooFewSamplesSayNothingOfTheTail() throws {
    #expect(try #require(latency(1...499).summary).p99 == nil)
    #expect(isNear(try #require(latency(1...500).summary).p99, 495))
  }

  @Test func oneSampleIsEveryPercentile() throws {
    let summary = try #require(latency(7...7).summary)
    for value in [summary.p50, summary.p95, summary.max] { #expect(isNear(value, 7)) }
  }

  @Test func nothingTimedSaysNothing() { #expect(Latency().summary == nil) }

  private func isNear(_ value: Double?, _ expected: Double) -> Bool {
    value.map { abs($0 - expected) < 1e-9 } ?? false
  }

  private func latency(_ milliseconds: ClosedRange<Int>) -> Latency {
    milliseconds.reversed().reduce(into: Latency()) { $0.add(.milliseconds($1)) }
  }
}
