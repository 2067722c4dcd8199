// SPDX-License-Identifier: Apache-2.0

import Evaluation
import Experiments
import Foundation
import Recipes
import Specification
import TestSupport
import Testing

struct ComparisonTests {
  private func run(
    _ options: [(key: String, value: OptionValue)], in folder: String
  ) throws -> StoredRun {
    var settings = ExperimentSettings()
    settings.options = [("backbone", "truth"), ("propagator", "copy")] + options
    let loaded = try EvaluationRun(settings.specification(in: .standard)).load()
    let evaluator = Evaluator(loaded.whole, on: loaded.clip, consistency: nil, warmsUp: false)
    var measured = evaluator.emptyMeasurement(keeping: .records)
    try evaluator.run(into: &measured)
    let result = RunResult(
      status: .ok, specification: loaded.spec, pipeline: [:], accuracy: measured.accuracy,
      intervals: measured.records.intervals(), speed: measured.speed,
      cost: .init(peakRSSBytes: nil), input: .init(path: "x", framesDecoded: 1), environment: [:])
    try RunFolder(folder).write(result, frames: measured.records)
    return try RunFolder(folder).read()
  }

  private func clip(_ run: StoredRun) -> String {
    run.clip(in: Registries.standard.grammar, role: Registries.standard.datasets.role)
  }

  @Test func clipsArePairedAndThenTakenTogether() throws {
    try withTemporaryFolder { home in
      let clips = ["street:3", "street:4", "street:5"]
      func runs(_ scheduler: String) throws -> [StoredRun] {
        try clips.enumerated().map { place, data in
          try run(
            [("data", .text(data)), ("frames", 20), ("scheduler", .text(scheduler))],
            in: "\(home.path)/\(scheduler) \(place)")
        }
      }
      let (exact, copied) = (try runs("every:1"), try runs("every:4"))
      let found = try Comparison(
        exact, with: copied.reversed(), names: ("a", "b"), figures: ["mIoU"], clip: clip)
      #expect(found.rows.map(\.clip) == ["street:5", "street:4", "street:3", nil])
      let all = try #require(found.rows.last)
      #expect(all.excludesZero && all.losses == 3 && all.gains == 0 && all.base == 1)
      let scores = copied.compactMap { $0.result.accuracy?.mIoU }
      #expect(abs(all.other - scores.reduce(0, +) / 3) < 1e-12)
      let same = try Comparison(
        exact, with: exact, names: ("a", "a"), figures: ["mIoU"], clip: clip)
      #expect(same.rows.allSatisfy { !$0.excludesZero })
    }
  }

  // A dataset's mean is that of its frames: the longer clip counts more.
  @Test func pooledClipsCountByTheirFrames() throws {
    try withTemporaryFolder { home in
      let run = try run([("data", "street:3"), ("frames", 20)], in: home.path + "/x")
      let lengths = ["short": 20, "long": 60]
      func made(_ clip: String, _ value: Double, _ place: Int) throws -> StoredRun {
        let frame = try #require(run.frames.first)
        let frames = (0..<(lengths[clip] ?? 0)).map { index in
          var frame = frame
          frame.counts = ["score": .mean(sum: value, weight: 1)]
          return frame
        }
        return StoredRun(path: "\(clip) \(place)", result: run.result, frames: frames)
      }
      func clip(_ run: StoredRun) -> String { String(run.path.prefix { $0 != " " }) }
      let base = try [made("short", 0.1, 0), made("long", 0.5, 0), made("long", 0.7, 1)]
      let other = try [made("long", 0.9, 0), made("short", 0.2, 0)]
      func compared(_ base: [StoredRun], pooled: Bool) throws -> Comparison.Row {
        let found = try Comparison(
          base, with: other, names: ("a", "b"), figures: ["score"], isPooled: pooled, clip: clip)
        #expect(found.isPooled == pooled && found.rows.map(\.clip) == ["long", "short", nil])
        return try #require(found.rows.last)
      }
      let row = try compared([base[0], base[1]], pooled: true)
      #expect(abs(row.base - (20 * 0.1 + 60 * 0.5) / 80) < 1e-12)
      #expect(abs(row.other - (20 * 0.2 + 60 * 0.9) / 80) < 1e-12)
      let difference = try #require(row.difference)
      #expect(abs(difference.estimate - (20 * 0.1 + 60 * 0.4) / 80) < 1e-12)
      #expect(difference.high - difference.low < 1e-12 && row.gains == 2)
      let mean = try compared([base[0], base[1]], pooled: false)
      #expect(abs(mean.base - 0.3) < 1e-12)
      let error = #expect(throws: SpecificationError.self) { try compared(base, pooled: true) }
      #expect(error?.message.contains("as many runs each") == true)
    }
  }

  // Where key frames fall is not what is compared: all places count alike.
  @Test func ofRunsWithOtherKeyFramesTheMeanCounts() throws {
    try withTemporaryFolder { home in
      func runs(_ interval: Int) throws -> [StoredRun] {
        try (0..<3).map { place in
          let scheduler = "every:\(interval),offset=\(place)"
          return try run(
            [("data", "street:3"), ("frames", 24), ("scheduler", .text(scheduler))],
            in: "\(home.path)/\(interval) \(place)")
        }
      }
      let (often, seldom) = (try runs(3), try runs(6))
      let found = try Comparison(
        often, with: seldom, names: ("a", "b"), figures: ["mIoU"], clip: clip)
      #expect(found.rows.map(\.clip) == ["street:3"])
      let row = try #require(found.rows.first)
      func mean(_ runs: [StoredRun]) -> Double {
        runs.reduce(0) { $0 + ($1.result.accuracy?.mIoU ?? .nan) } / 3
      }
      #expect(abs(row.base - mean(often)) < 1e-12 && abs(row.other - mean(seldom)) < 1e-12)
      #expect(row.losses == 1 && row.difference?.high ?? 1 < 0)
      #expect(row.baseRuns == 3 && row.otherRuns == 3)
      #expect(abs(try #require(row.difference).estimate - (row.other - row.base)) < 1e-12)
      let one = try Comparison(
        often, with: [seldom[1]], names: ("a", "b"), figures: ["mIoU"], clip: clip)
      #expect(one.rows.map(\.other) == [try #require(seldom[1].result.accuracy?.mIoU)])
    }
  }

  // One pipeline is best on the first half, another on the second: each is told where it is worse.
  @Test func theHalfThatChoosesIsNotTheOneThatIsReported() throws {
    try withTemporaryFolder { home in
      let base = try run([("data", "street:3"), ("frames", 8)], in: home.path + "/base")
      func made(_ good: Range<Int>, _ name: String) -> (name: String, run: StoredRun) {
        let frames = base.frames.map { frame in
          var frame = frame
          frame.counts = ["score": .mean(sum: good.contains(frame.index) ? 0.9 : 0.2, weight: 1)]
          return frame
        }
        return (name, StoredRun(path: "", result: base.result, frames: frames))
      }
      let even = made(0..<8, "even").run
      let folds = try TwoFold(
        [made(0..<4, "early"), made(4..<8, "late")], baseline: even, clip: "c", figure: "score")
      #expect(folds.folds.map(\.choice) == ["early", "late"])
      #expect(
        folds.folds.allSatisfy { abs($0.chosen - 0.9) < 1e-9 && abs($0.reported - 0.2) < 1e-9 })
      #expect(abs(folds.gap - 0.7) < 1e-9)
    }
  }

  @Test func otherFramesOrClipsAreRefused() throws {
    try withTemporaryFolder { home in
      let one = try run([("data", "street:3"), ("frames", 6)], in: home.path + "/1")
      let two = try run([("data", "street:4"), ("frames", 6)], in: home.path + "/2")
      let short = try run([("data", "street:3"), ("frames", 5)], in: home.path + "/3")
      for other in [two, short] {
        #expect(throws: SpecificationError.self) {
          try Comparison([one], with: [other], names: ("a", "b"), clip: clip)
        }
      }
      let error = #expect(throws: SpecificationError.self) {
        try Comparison([one], with: [one], names: ("a", "b"), figures: ["mIo"], clip: clip)
      }
      #expect(error?.message.contains("did you mean 'mIoU'") == true)
    }
  }

  @Test func whatIsNoRunIsRefusedWithItsName() throws {
    try withTemporaryFolder { home in
      let folder = RunFolder(home.path)
      #expect(throws: SpecificationError.self) { try folder.read() }
      try Data("{".utf8).write(to: URL(fileURLWithPath: folder.resultPath))
      let error = #expect(throws: SpecificationError.self) { try folder.read() }
      #expect(error?.message.contains("result.json is no file of a measured run") == true)
    }
  }
}
