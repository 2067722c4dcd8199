// SPDX-License-Identifier: Apache-2.0

import Datasets
import Evaluation
import Flow
import Foundation
import Pipeline
import Propagation
import Recipes
import Scheduler
import Testing
import Video

/// Six frames of one row: the first three are alike, then come three that are alike but for one
/// pixel.
private struct Steps: LabelledClip {
  let name = "steps", classes = ClassList(name: "two", names: ["a", "b"], void: 255), count = 6
  private let rows: [[UInt8]] = [
    [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 1], [1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 0, 0],
  ]

  func frame(at index: Int) -> Frame {
    Frame(
      index: index, time: Double(index) / 25,
      pixels: Image(width: 4, height: 1, channels: 3, repeating: UInt8(index)))
  }

  func labels(at index: Int) -> Image? { row(rows[index]) }
}

struct OracleScheduleTests {
  private func oracle(horizon: Int = 30) throws -> OracleSchedule {
    let truth = GroundTruthBackbone(of: Steps())
    let pipeline = try KeyframePipeline(
      backbone: truth, head: truth.head, scheduler: .every(2), propagator: .copy, flow: .zero)
    return try #require(try OracleSchedule(pipeline, on: Steps(), horizon: horizon))
  }

  @Test func anEpisodeHoldsTheSameAndWhatIsSeen() throws {
    let truth = GroundTruthBackbone(of: Steps())
    let pipeline = try KeyframePipeline(
      backbone: truth, head: truth.head, scheduler: .every(2), propagator: .copy, flow: .zero)
    let episode = try #require(try PolicyEpisode(pipeline, on: Steps()))
    let scores = try oracle().scores
    #expect(episode.scores == scores.map { $0.map(Float.init) })
    #expect(episode.sights.map(\.count) == [5, 4, 3, 2, 1, 0])
    for (key, frame) in [(0, 1), (1, 4), (2, 5)] {
      // Frame i is i all over, and nothing moves.
      let difference = Float(log(1 + Double(frame - key)) / 3)
      let seen = episode.sight(frame, from: key).numbers
      #expect(zip(seen, [0, 0, difference, difference, 0]).allSatisfy { abs($0 - $1) < 1e-5 })
    }
    #expect(try PolicyEpisode(pipeline, on: Steps()) { $0 < 3 } == nil)
    let near = try #require(try PolicyEpisode(pipeline, on: Steps(), horizon: 3))
    #expect(near.scores.map(\.count) == [3, 3, 3, 3, 2, 1])
  }

  @Test func everyFrameIsMeasuredFromEveryKeyBeforeIt() throws {
    let scores = try oracle().scores
    #expect(scores.map(\.count) == [6, 5, 4, 3, 2, 1])
    #expect(scores.allSatisfy { $0[0] == 1 })
    // At the last one pixel of four in either is right, of b none.
    #expect(scores[0] == [1, 1, 1, 0, 0, 0.25 / 2])
    #expect(abs(scores[3][2] - (0.5 + 2.0 / 3) / 2) < 1e-9)
  }

  @Test func theBestKeysAreWhereThingsChange() throws {
    let oracle = try oracle()
    #expect(oracle.keys(rate: 1.0 / 3).keys == [0, 3])
    #expect(oracle.keys(rate: 0.5).keys == [0, 3, 5])
    #expect(oracle.keys(rate: 1).keys == Set(0..<6))
  }

  // Two frames at most from a key: three keys at the least, whatever the rate.
  @Test func noFrameIsLeftBeyondTheHorizon() throws {
    #expect(try oracle(horizon: 2).keys(rate: 0.1).keys.count == 3)
  }

  @Test func itCanBeStopped() throws {
    let truth = GroundTruthBackbone(of: Steps())
    let pipeline = try KeyframePipeline(
      backbone: truth, head: truth.head, scheduler: .every(2), propagator: .copy, flow: .zero)
    #expect(try OracleSchedule(pipeline, on: Steps()) { $0 < 2 } == nil)
  }
}
