// SPDX-License-Identifier: Apache-2.0

import Datasets
import Evaluation
import Experiments
import Foundation
import Recipes
import Specification
import TestSupport
import Testing

struct SweepTests {
  private func request(_ data: [String], _ change: (inout SweepPlan.Request) throws -> Void)
    throws -> SweepPlan.Request
  {
    var request = SweepPlan.Request()
    request.data = data
    request.settings.options = [("backbone", "truth"), ("frames", 6), ("flow", "dis:ultrafast")]
    try change(&request)
    return request
  }

  private func worker(_ folder: SweepFolder) -> SweepWorker {
    SweepWorker(folder, in: .standard, threads: 1) { _ in [:] }
  }

  @Test func settingsAreCombinedZippedAndExcluded() throws {
    let plan = try SweepPlan(
      request(["street:3", "street:4"]) {
        $0.grid = [
          try SweepAxis("scheduler=every:1,every:2,'shallow:1,every:3'"),
          try SweepAxis("propagator=copy,warp"),
        ]
        $0.exclusions = [try SweepExclusion("scheduler=every:1,propagator=w*")]
      }, in: .standard)
    // every:1 and copy is per-frame inference itself: 5 points a clip, that among them.
    #expect(plan.points.count == 2 * 6)
    #expect(plan.points.count(where: \.isBaseline) == 2)
    #expect(Set(plan.points.map(\.id)).count == plan.points.count)
    #expect(Set(plan.points.map(\.group)).count == 2)
    #expect(Set(plan.points.map(\.configuration)).count == 6)
    #expect(plan.points.contains { $0.settings["scheduler"] == "shallow:1,every:3" })
    let zipped = try SweepPlan(
      request(["street:3"]) {
        $0.zip = [
          try SweepAxis("scheduler=every:2,every:3"), try SweepAxis("propagator=copy,warp"),
        ]
      }, in: .standard)
    #expect(
      Set(zipped.points.filter { !$0.isBaseline }.map(\.name)) == [
        "every:2, copy", "every:3, warp",
      ])
  }

  @Test(arguments: [
    ("scheduler", "key=value"), ("scheduler=", "empty value"), ("scheduler='a", "stays open"),
    ("=a", "key=value"),
  ])
  func wrongSettingsAreRefused(_ text: String, _ words: String) {
    let error = #expect(throws: SpecificationError.self) { try SweepAxis(text) }
    #expect(error?.message.contains(words) == true)
  }

  @Test func whatCannotBeCombinedIsRefused() throws {
    for (grid, zip, exclusion) in [
      (["scheduler=every:1", "scheduler=every:2"], [], nil),
      ([], ["scheduler=every:1", "propagator=copy,warp"], nil),
      (["scheduler=every:1"], [], "flow=dis"), (["scheduler=no-such"], [], nil),
      (["scheduler=every:2"], [], "scheduler=*"),
    ] as [([String], [String], String?)] {
      #expect(throws: SpecificationError.self) {
        try SweepPlan(
          request(exclusion == "scheduler=*" ? [] : ["street:3"]) {
            $0.grid = try grid.map { try SweepAxis($0) }
            $0.zip = try zip.map { try SweepAxis($0) }
            $0.exclusions = try exclusion.map { [try SweepExclusion($0)] } ?? []
          }, in: .standard)
      }
    }
  }

  // Points in step share frames, flow and what the backbone makes; none may tell.
  @Test func pointsInStepGiveWhatEachGivesAlone() throws {
    try withTemporaryFolder { home in
      let folder = SweepFolder(home.path + "/sweep")
      let plan = try SweepPlan(
        request(["street:3"]) {
          $0.settings.options = [
            ("backbone", .text(modelFolder + "/street-light")), ("frames", 7),
          ]
          $0.zip = [
            try SweepAxis(
              "scheduler=every:3,every:3,every:4,moved:rate=0.3,every:3,"
                + "'background:1,every:3',every:3,every:3,moved:rate=0.3"
            ),
            try SweepAxis("propagator=warp,warp:previous,copy,warp,warp,warp,warp,warp,warp"),
            try SweepAxis(
              "flow=dis:fast,dis:fast,dis:fast,dis:fast,chained:dis:fast,dis:fast,codec,"
                + "chained:dis:fast,dis:fast"),
            try SweepAxis("bidirectional=" + String(repeating: "false,", count: 7) + "true,true"),
          ]
        }, in: .standard)
      try folder.begin(plan)
      try expectThatPointsInStepGiveWhatEachGivesAlone(folder, plan)
    }
  }

  // Stages of the backbone's own are found behind what remembers its work for all points.
  @Test func aTrainedDecoderRunsInStep() throws {
    try withTemporaryFolder { home in
      let folder = SweepFolder(home.path + "/sweep")
      let plan = try SweepPlan(
        request(["street:3"]) {
          $0.settings.options = [
            ("backbone", .text(modelFolder + "/street-heavy")), ("frames", 5), ("tap", "context"),
            ("flow", "chained:dis:ultrafast"), ("scheduler", "every:3"),
          ]
          $0.grid = [try SweepAxis("propagator=warp,trained:\(modelFolder)/street-decoder")]
        }, in: .standard)
      try folder.begin(plan)
      try expectThatPointsInStepGiveWhatEachGivesAlone(folder, plan)
    }
  }

  private func expectThatPointsInStepGiveWhatEachGivesAlone(
    _ folder: SweepFolder, _ plan: SweepPlan
  ) throws {
    #expect(try worker(folder).run())
    for point in plan.points {
      try #require(folder.state(of: point) == .finished, "\(point.name)")
      let stored = try folder.run(point).read()
      let loaded = try EvaluationRun(point.specification).load()
      let alone = try Evaluator(
        loaded.pipeline, on: loaded.clip, consistency: loaded.consistency, warmsUp: false
      ).run()
      #expect(stored.result.accuracy == alone.accuracy, "\(point.name)")
      #expect(stored.result.cost.macsPerFrame == alone.macs?.frame, "\(point.name)")
      #expect(stored.result.speed.keyframeRatio == alone.speed.keyframeRatio)
      // Beside others nothing is timed.
      #expect(stored.result.speed.latency.all == nil)
      #expect(stored.frames.values["mIoU"] == alone.accuracy?.mIoU)
      #expect(stored.frames.values["TC"] == alone.accuracy?.temporalConsistency)
    }
  }

  @Test func regionsAreNotTakenForOneAnother() throws {
    try withTemporaryFolder { home in
      let folder = SweepFolder(home.path)
      let plan = try SweepPlan(
        request(["street:3"]) {
          $0.settings.options = [
            ("backbone", .text(modelFolder + "/street-light")), ("frames", 5),
            ("regions", "2x2:0"), ("flow", "dis:fast"),
          ]
          $0.grid = [try SweepAxis("scheduler=every:2,every:3")]
        }, in: .standard)
      try folder.begin(plan)
      #expect(try worker(folder).run())
      for point in plan.points where !point.isBaseline {
        let loaded = try EvaluationRun(point.specification).load()
        var alone = RunMeasurement(classes: loaded.clip.classes)
        try Evaluator(loaded.pipeline, on: loaded.clip, warmsUp: false).run(into: &alone)
        #expect(try folder.run(point).read().result.accuracy?.mIoU == alone.accuracy?.mIoU)
      }
    }
  }

  // Beside others nothing is timed, whatever is predicted; alone, everything is.
  @Test func headsAreMeasuredUntimedAndTimedAlone() throws {
    try withTemporaryFolder { home in
      let folder = SweepFolder(home.path)
      var plan = try SweepPlan(
        request(["street:3"]) {
          $0.settings.options = [
            ("backbone", .text(modelFolder + "/street-heavy")), ("frames", 4),
            ("head", .text(modelFolder + "/street-depth")), ("flow", "dis:ultrafast"),
          ]
          $0.grid = [try SweepAxis("scheduler=every:2")]
        }, in: .standard)
      plan.rounds = 3
      try folder.begin(plan)
      #expect(try worker(folder).run())
      for point in plan.points {
        let run = try folder.run(point).read()
        #expect(run.result.scores?["abs_rel"] == run.frames.values["abs_rel"])
        #expect(run.result.speed.latency.all == nil && run.frames[0].milliseconds == nil)
      }
      let timing = SweepTiming(folder, in: .standard, threads: 1, environment: [:])
      #expect(try timing.run(isStopped: { false }, advance: {}))
      let rounds = folder.rounds(of: plan.points[0].group)
      #expect(rounds.count == 3 && rounds.allSatisfy { $0.entries.count == 2 })
      #expect(rounds[0].entries.values.allSatisfy { $0.frames == 4 && $0.perFrame > 0 })
    }
  }

  @Test func aPipelineOnSomeOfTheClipsSaysSo() throws {
    try withTemporaryFolder { home in
      let folder = SweepFolder(home.path)
      let plan = try SweepPlan(
        request(["street:3", "street:4"]) {
          $0.settings.options.append(("propagator", "copy"))
          $0.grid = [try SweepAxis("scheduler=every:2")]
        }, in: .standard)
      try folder.begin(plan)
      #expect(try worker(folder).run())
      let part = try #require(plan.points.first { !$0.isBaseline })
      try FileManager.default.removeItem(atPath: folder.run(part).resultPath)
      let rows = try SweepSummary(folder).rows
      #expect(rows.map(\.points.count) == [2, 1])
    }
  }

  @Test func finishedPointsAreLeftAndFailedOnesToldApart() throws {
    try withTemporaryFolder { home in
      let folder = SweepFolder(home.path)
      let plan = try SweepPlan(
        request(["street:3"]) {
          $0.grid = [
            try SweepAxis("scheduler=every:2,every:3"),
            try SweepAxis("propagator=copy,trained:/nope"),
          ]
        }, in: .standard)
      try folder.begin(plan)
      #expect(try worker(folder).run())
      let states = plan.points.map { folder.state(of: $0) }
      #expect(states.count { $0 == .failed } == 2 && states.count { $0 == .finished } == 3)
      let failed = try #require(plan.points.first { folder.state(of: $0) == .failed })
      #expect(folder.failure(of: failed)?.reason.contains("/nope") == true)
      let done = try #require(plan.points.first { folder.state(of: $0) == .finished })
      let before = try bytes(of: folder.run(done).resultPath)
      try Data("{}".utf8).write(to: URL(fileURLWithPath: folder.run(done).framesPath))
      #expect(try worker(folder).run())
      #expect(try bytes(of: folder.run(done).resultPath) == before)
      // One that was not finished is measured again.
      try FileManager.default.removeItem(atPath: folder.run(done).resultPath)
      #expect(try worker(folder).run())
      #expect(try folder.run(done).read().frames.count == 6)
      try folder.retryFailed(plan)
      #expect(folder.state(of: failed) == .pending)
    }
  }

  @Test func ratiosOfTimesAreTakenRoundByRound() throws {
    func entry(_ time: Double) -> TimingRound.Entry {
      .init(frames: 10, keyFrames: 1, pipeline: time * 10, decoding: 0, key: time, nonKey: 0)
    }
    // The machine becomes three times slower; the ratio stays what it is.
    let rounds = [1.0, 1.5, 3.0].map { slow in
      TimingRound(entries: ["a": entry(slow * 2), "b": entry(slow * 4)], environment: [:])
    }
    let ratio = try #require(TimeRatio(of: "a", against: "b", in: rounds))
    #expect(ratio.milliseconds == 3 && ratio.rounds == 3)
    let interval = try #require(ratio.ratio)
    #expect(abs(interval.estimate - 0.5) < 1e-12 && interval.high - interval.low < 1e-9)
    #expect(TimeRatio(of: "a", against: "c", in: rounds) == nil)
  }
}
