// SPDX-License-Identifier: Apache-2.0

import Backbone
import Datasets
import Flow
import Foundation
import Frames
import Layers
import Propagation
import Recipes
import Scheduler
import Specification
import Tensors
import TestSupport
import Testing
import Video

struct CatalogueTests {
  private let schedulers = [Card<any KeyframeScheduler>].schedulers
  private let propagators = [Card<any Propagator>].propagators
  private let flows = [Card<any FlowEstimator>].flows(threads: 1)

  @Test func namesAreUnique() {
    let clips = [Card<ClipMaker>].clips.map(\.name)
    for names in [schedulers.map(\.name), propagators.map(\.name), flows.map(\.name), clips] {
      #expect(Set(names).count == names.count)
    }
  }

  @Test func aSettingReachesThePart() throws {
    #expect((try schedulers.part("every:7") as? FixedInterval)?.interval == 7)
    #expect((try schedulers.part("moved:2.5") as? ThresholdScheduler)?.threshold == 2.5)
    let warp = try #require(try propagators.part("warp:previous,zero") as? Warp)
    #expect(warp.reference == .previous && warp.border == .zero)
  }

  @Test func defaultsAreTheUsualOnes() throws {
    let warp = try #require(try propagators.part("warp") as? Warp)
    #expect(warp.reference == .keyframe && warp.border == .clamp)
    #expect((try flows.part("dis") as? DISFlow)?.preset == .medium)
    #expect((try flows.part("dis:fast") as? DISFlow)?.preset == .fast)
  }

  @Test(arguments: [
    ("evry:5", "no 'evry'; there are ALL; did you mean 'every'?"),
    ("every", "every:N needs a whole number of at least 1, not ''"),
    ("every:0", "every:N needs a whole number of at least 1, not '0'"),
    ("every:x", "every:N needs a whole number of at least 1, not 'x'"),
    ("moved:-1", "moved:PIXELS|rate=R|latency=MS needs a number above 0, not '-1'"),
    ("moved:nan", "moved:PIXELS|rate=R|latency=MS needs a number above 0, not 'nan'"),
    (
      "moved:rate=2",
      "moved:PIXELS|rate=R|latency=MS needs a share above 0 and not above 1, not 'rate=2'"
    ),
    ("random:0", "random:RATE needs a share above 0 and not above 1, not '0'"),
    ("features", "features:STAGE,CHANGE|STAGE,rate=R|STAGE,latency=MS needs a stage, not ''"),
    (
      "features:low",
      "features:STAGE,CHANGE|STAGE,rate=R|STAGE,latency=MS needs a number above 0, not 'low'"
    ),
    ("shots", "shots:SCHEDULER needs a scheduler, not ''"),
    (
      "moved:latency=-3", "moved:PIXELS|rate=R|latency=MS needs a number above 0, not 'latency=-3'"
    ),
    ("budget:0.5", "budget:SHARE,SCHEDULER needs a scheduler, not '0.5'"),
    (
      "background:0,every:2",
      "background:N,SCHEDULER needs a whole number of at least 1, not '0,every:2'"
    ),
    ("ladder:0.5,2,evry:3", "no 'evry'; there are ALL; did you mean 'every'?"),
    (
      "budget:0.5,oracle:0.2",
      "budget:SHARE,SCHEDULER cannot take an oracle's keys, which are chosen for a run as a whole, not '0.5,oracle:0.2'"
    ),
    ("shots:every:0", "every:N needs a whole number of at least 1, not '0'"),
    ("", "no ''; there are ALL"),
  ])
  func aWrongNameIsAnsweredWithTheRightOnes(text: String, answer: String) throws {
    let error = try #require(throws: CatalogueError.self) { try schedulers.part(text) }
    let all = schedulers.map(\.usage).joined(separator: ", ")
    #expect(error.message == answer.replacing("ALL", with: all))
  }

  @Test func scoresTakeALimitOrARate() throws {
    #expect(try schedulers.part("moved:8") is ThresholdScheduler)
    let held = try #require(try schedulers.part("moved:rate=0.2") as? TargetRateScheduler)
    #expect(held.target == .rate(0.2) && held.changeScore is MotionMagnitude)
    let timed = try #require(try schedulers.part("spread:latency=12.5") as? TargetRateScheduler)
    #expect(timed.target == .latency(.microseconds(12500)) && timed.changeScore is MotionDeviation)
    let unsure = try #require(try schedulers.part("entropy:0.1") as? ThresholdScheduler)
    #expect((unsure.changeScore as? UncertaintyIncrease)?.measure == .entropy)
    let limited = try #require(try schedulers.part("warp-error:12") as? ThresholdScheduler)
    #expect(limited.threshold == 12 && limited.changeScore is WarpError)
    let features = try #require(try schedulers.part("features:layer1,rate=0.1") as? TargetRateScheduler)
    #expect((features.changeScore as? FeatureChange)?.stage == "layer1")
    let labels = try #require(try schedulers.part("labels:classifier,0.3") as? ThresholdScheduler)
    #expect((labels.changeScore as? LabelChange)?.stage == "classifier" && labels.threshold == 0.3)
    let shots = try #require(try schedulers.part("shots:moved:rate=0.5") as? ShotChange)
    #expect((shots.base as? TargetRateScheduler)?.target == .rate(0.5))
    #expect((try schedulers.part("codec") as? CodecKeyframes)?.longest == .max)
    #expect((try schedulers.part("codec:12") as? CodecKeyframes)?.longest == 12)
    #expect((try schedulers.part("random:0.25") as? RandomKeyframes)?.rate == 0.25)
  }

  @Test func aPolicySpendsABudget() throws {
    let scratch = try Scratch()
    let parameters = Parameters(seed: 1)
    _ = try PolicyNetwork(size: 4, parameters: parameters)
    let folder = scratch.path
    func write(size: Int) throws {
      let text = "name: policy\nbackbone: ../net\npolicy: {size: \(size)}\n"
      _ = try scratch.file("spec.yaml", Array(text.utf8))
    }
    try write(size: 4)
    let untrained = try #require(throws: SpecificationError.self) {
      try schedulers.part("policy:\(folder),rate=0.1")
    }
    #expect(untrained.code == .missingFile && untrained.message.contains("not trained"))
    try SafetensorsFile.write(
      Dictionary(uniqueKeysWithValues: parameters.all.map { ($0.name, $0.tensor) }),
      to: "\(folder)/weights.safetensors")
    let held = try #require(
      try schedulers.part("policy:\(folder),rate=0.1") as? BudgetPolicy)
    #expect(held.allowance.terms == .rate(0.1, saved: 2))
    let block = try #require(
      try schedulers.part("policy:\(folder),20/101") as? BudgetPolicy)
    #expect(block.allowance.terms == .block(keys: 20, frames: 101))
    for wrong in ["", ",", ",0/5", ",6/5", ",5", ",rate=2", ",1/2/3"] {
      #expect(throws: CatalogueError.self) { try schedulers.part("policy:\(folder)\(wrong)") }
    }
    try write(size: 5)
    let misfit = try #require(throws: SpecificationError.self) {
      try schedulers.part("policy:\(folder),rate=0.1")
    }
    #expect(misfit.code == .badWeights)
  }

  @Test func schedulersWrapOthers() throws {
    let clocked = try #require(try schedulers.part("shallow:3,every:10") as? ShallowClock)
    #expect(clocked.interval == 3 && (clocked.base as? FixedInterval)?.interval == 10)
    let budget = try #require(try schedulers.part("budget:0.1,features:a,2") as? BudgetedScheduler)
    #expect(budget.allowance.terms == .rate(0.1, saved: 2) && budget.base is ThresholdScheduler)
    let late = try #require(
      try schedulers.part("background:2,shots:every:9") as? BackgroundRefresh)
    #expect(late.frames == 2 && late.base is ShotChange)
    let ladder = try #require(try schedulers.part("ladder:0.5,3,every:4") as? AlternatingResolution)
    #expect(ladder.scale == 0.5 && ladder.fullEvery == 3 && ladder.base is FixedInterval)
    let afforded = try #require(
      try schedulers.part("ladder:0.5/1/0.7,budget=0.1,moved:8") as? BudgetedResolution)
    #expect(afforded.scales == [1, 0.7, 0.5] && afforded.base is ThresholdScheduler)
    #expect(afforded.allowance.terms == .rate(0.1, saved: 2))
    for wrong in [
      "ladder:0.5/,budget=0.1,every:2", "ladder:0.5,budget=2,every:2", "ladder:0.5,budget=0.1",
    ] {
      #expect(throws: CatalogueError.self) { try schedulers.part(wrong) }
    }
  }

  @Test func aSettingWhereThereIsNoneIsRefused() {
    #expect(throws: CatalogueError.self) { try propagators.part("copy:2") }
  }

  @Test func aSplitWithoutLabelsCannotBeMeasured() throws {
    let scratch = try Scratch()
    try FileManager.default.createDirectory(
      atPath: scratch("val"), withIntermediateDirectories: true)
    try Image(width: 4, height: 4, channels: 3, repeating: 9).writePNG(to: scratch("val/a_1.png"))
    let make = try [Card<ClipMaker>].clips.part("camvid:\(scratch.path)")
    let error = try #require(throws: DatasetError.self) { try make(ClipRequest(split: "val")) }
    #expect(error.code == .missing && error.message == "no labels in \(scratch("valannot"))")
  }
}
