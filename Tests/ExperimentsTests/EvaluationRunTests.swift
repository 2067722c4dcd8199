// SPDX-License-Identifier: Apache-2.0

import Evaluation
import Experiments
import Foundation
import Recipes
import Specification
import TestSupport
import Testing

struct EvaluationRunTests {
  private func spec(_ options: [(key: String, value: OptionValue)]) throws -> ExperimentSpec {
    var settings = ExperimentSettings()
    settings.options = options
    return try settings.specification(in: .standard)
  }

  private func street(
    _ others: [(key: String, value: OptionValue)] = []
  ) throws -> ExperimentSpec {
    try spec(
      [("data", "street:3"), ("backbone", "truth"), ("frames", 6), ("propagator", "copy")] + others)
  }

  private func measured(
    _ spec: ExperimentSpec
  ) throws -> (LoadedEvaluation, RunMeasurement) {
    let loaded = try EvaluationRun(spec).load()
    return (
      loaded, try Evaluator(loaded.whole, on: loaded.clip, consistency: loaded.consistency).run()
    )
  }

  @Test func resultsHaveTheFieldsThatScriptsRelyOn() throws {
    let (loaded, measured) = try measured(street([("scheduler", "every:2")]))
    let result = RunResult(
      status: .ok, specification: loaded.spec,
      pipeline: loaded.names(
        in: .standard, usesFlow: measured.usesFlow, consistency: measured.consistencyFlow),
      accuracy: measured.accuracy, against: .labels, speed: measured.speed,
      cost: .init(peakRSSBytes: 1), input: .init(path: "x", framesDecoded: 6), environment: [:])
    let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(result))
    let fields = try #require(json as? [String: Any])
    let accuracy = try #require(fields["accuracy"] as? [String: Any])
    #expect(accuracy["mIoU"] is Double && accuracy["TC"] is Double)
    #expect((accuracy["mIoU_by_distance"] as? [Any])?.count == 2)
    #expect((accuracy["per_class"] as? [String: Any])?["Road"] is Double)
    let speed = try #require(fields["speed"] as? [String: Any])
    #expect(speed["keyframe_ratio"] as? Double == 0.5)
    let latency = try #require(speed["latency_ms"] as? [String: Any])
    #expect(Set(latency.keys) == ["all", "key", "propagated", "by_stage"])
    #expect(fields["status"] as? String == "ok" && fields["schema_version"] as? Int == 2)
    let pipeline = try #require(fields["pipeline"] as? [String: String])
    // Copies ask for no flow, and the street's own motion is exact.
    #expect(pipeline["flow"] == nil && pipeline["consistency"] == "ground-truth")
    #expect(fields["accuracy_against"] as? String == "labels")
    #expect(fields["specification_hash"] as? String == loaded.spec.fingerprint)
  }

  // What a result says is all that the run is repeated from.
  @Test func aRunIsRepeatedFromItsSpecification() throws {
    let scratch = try Scratch()
    let (loaded, first) = try measured(
      street([("scheduler", "shots:moved:2"), ("flow", "chained:dis:ultrafast")]))
    let data = try JSONEncoder().encode(["specification": loaded.spec])
    let path = try scratch.file("result.json", data)
    var settings = ExperimentSettings()
    settings.file = path
    let again = try settings.specification(in: .standard)
    #expect(again == loaded.spec && again.fingerprint == loaded.spec.fingerprint)
    #expect(try measured(again).1.accuracy == first.accuracy)
  }

  // Another estimator than the one under test judges, however that one is composed.
  @Test(arguments: [
    ("farneback", "dis:medium"), ("chained:farneback", "dis:medium"), ("dis", "farneback"),
  ])
  func temporalConsistencyIsJudgedByAnotherFlow(flow: String, judge: String) throws {
    let loaded = try EvaluationRun(street([("flow", .text(flow))])).load()
    let grammar = Registries.standard.grammar
    #expect(loaded.spec.consistency?.flow.map { grammar.text(of: $0, as: "flow") } == judge)
  }

  @Test func temporalConsistencyCanBeLeftOut() throws {
    let (loaded, measured) = try measured(street([("consistency", "none"), ("warm_up", false)]))
    let accuracy = try #require(measured.accuracy)
    #expect(accuracy.temporalConsistency == nil && accuracy.publishedConsistency == nil)
    #expect(measured.consistencyFlow == nil && accuracy.mIoU != nil)
    let again = try JSONDecoder().decode(
      ExperimentSpec.self, from: JSONEncoder().encode(loaded.spec))
    #expect(again == loaded.spec && again.consistency == .left && !again.warmsUp)
  }

  @Test func theBestKeyframesAreFoundInsideOtherSchedulers() throws {
    let (_, oracle) = try measured(street([("scheduler", "oracle:0.5")]))
    #expect(oracle.speed.keyframeRatio == 0.5)
    let (_, wrapped) = try measured(street([("scheduler", "shots:oracle:0.5")]))
    #expect(wrapped.accuracy == oracle.accuracy)
  }

  @Test func filesOverridesAndOptionsTakeEachOthersPlace() throws {
    let scratch = try Scratch()
    let yaml = """
      recipe: two-clocks
      data: street:3
      backbone: truth
      scheduler: every:4
      flow: {kind: chained, base: {kind: dis, preset: fast}}
      """
    var settings = ExperimentSettings()
    settings.file = try scratch.file("run.yaml", yaml.utf8)
    settings.overrides = [
      "scheduler.interval=7", "flow.base.preset=ultrafast", "++frames=5", "~fusion",
    ]
    settings.options = [("split", "test")]
    #expect(throws: SpecificationError.self) { try settings.specification(in: .standard) }
    settings.overrides.removeLast()
    let spec = try settings.specification(in: .standard)
    let grammar = Registries.standard.grammar
    #expect(grammar.text(of: spec.pipeline.scheduler, as: "scheduler") == "every:7")
    #expect(spec.pipeline.flow.map { grammar.text(of: $0, as: "flow") } == "chained:dis:ultrafast")
    #expect(spec.frames == 5 && spec.split == "test" && spec.pipeline.tap == "context")
    #expect(spec.pipeline.smoothing?.weight == 0.5)
  }

  @Test(arguments: [
    ("schedular: every:5", ":1: unknown key 'schedular'; did you mean 'scheduler'?"),
    ("data: street:1\nscheduler: evry:5", "no scheduler 'evry'"),
    ("data: street:1\nframes: many", ":2: 'frames' cannot be read"),
    ("a: &x [1]\nb: *x", ":1: an anchor or an alias is not read"),
    ("scheduler: {kind: every, intervall: 5}", "no option 'intervall'; did you mean 'interval'?"),
  ])
  func whatIsWrongInAFileIsToldWithItsLine(yaml: String, complaint: String) throws {
    let scratch = try Scratch()
    var settings = ExperimentSettings()
    settings.file = try scratch.file("run.yaml", yaml.utf8)
    let error = try #require(throws: SpecificationError.self) {
      try settings.specification(in: .standard)
    }
    #expect(error.message.contains(complaint), "\(error.message)")
  }
}
