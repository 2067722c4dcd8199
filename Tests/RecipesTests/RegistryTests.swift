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

struct RegistryTests {
  private let schedulers = NamedParts(registry: Registries.standard.schedulers)
  private let propagators = NamedParts(registry: Registries.standard.propagators)
  private let flows = NamedParts(registry: Registries.standard.flows)

  @Test func aSettingReachesThePart() throws {
    #expect((try schedulers.part("every:7") as? FixedInterval)?.interval == 7)
    #expect((try schedulers.part("every:7.5") as? MeanInterval)?.interval == 7.5)
    #expect((try schedulers.part("every:7,offset=3") as? MeanInterval)?.offset == 3)
    #expect((try schedulers.part("every:7,offset=0") as? FixedInterval)?.interval == 7)
    #expect(throws: SpecificationError.self) { try schedulers.part("every:7,offset=7") }
    #expect((try schedulers.part("moved:2.5") as? ThresholdScheduler)?.threshold == 2.5)
    let warp = try #require(try propagators.part("warp:previous,zero").propagator as? Warp)
    #expect(warp.reference == .previous && warp.border == .zero)
    let adaptive = try propagators.part("adaptive-warp:layer2,prior=0.5").propagator
    #expect((adaptive as? AdaptiveWarp)?.stage == "layer2")
    #expect((adaptive as? AdaptiveWarp)?.prior == 0.5)
  }

  // A part of anyone's is named as the package's own are.
  @Test func aPartOfOnesOwnIsNamedBesideTheOthers() throws {
    var registries = Registries.standard
    registries.register(
      changeScore: "mine", "how many frames have passed", options: [.required("step", .count)]
    ) { _, _ in MotionMagnitude() }
    registries.schedulers.register(
      "last", "never", options: [.optional("name", .text, standard: "x")]
    ) { _, _ in FixedInterval(every: 9) }
    let spec = try PipelineSpec(scheduler: "shots:mine:3,rate=0.5").canonical(in: registries)
    #expect(
      registries.grammar.text(of: spec.scheduler, as: "scheduler") == "shots:mine:3,rate=0.5")
    let built = try registries.schedulers.build(
      spec.scheduler, in: registries.context(threads: 1))
    #expect((built as? ShotChange)?.base is TargetRateScheduler)
    let other = try registries.grammar.parse("last", as: "scheduler")
    #expect(other.options == ["name": "x"])
  }

  // Two spellings of a pipeline are one value.
  @Test func spellingsOfAPipelineAreOneValue() throws {
    let texts = PipelineSpec(
      backbone: "Models/street-heavy", scheduler: "moved:rate=0.10", flow: "chained:dis",
      smoothing: try SmoothingSpec("0.5"))
    let values = PipelineSpec(
      backbone: PartSpec("network", ["path": .text("Models/street-heavy")]),
      scheduler: PartSpec("moved", ["rate": 0.1]),
      flow: PartSpec("chained", parts: ["base": PartSpec("dis", ["preset": "medium"])]),
      smoothing: try SmoothingSpec("0.5,20"))
    var registries = Registries.standard
    registries.engines = [Engine("network") { _ in true }]
    let (first, second) = (
      try texts.canonical(in: registries), try values.canonical(in: registries)
    )
    #expect(first == second && first.hashValue == second.hashValue)
    let data = try JSONEncoder().encode(first)
    let read = try JSONDecoder().decode(PipelineSpec.self, from: data)
    #expect(try read.canonical(in: registries) == first)
  }

  @Test(arguments: [("true", 10), ("4", 4), ("2.5", 2.5), ("false", nil)] as [(String, Double?)])
  func bidirectionalIsASwitchOrLevels(text: String, tolerance: Double?) throws {
    let json = Data("{\"bidirectional\": \(text)}".utf8)
    let spec = try JSONDecoder().decode(PipelineSpec.self, from: json)
    #expect(spec.bidirectional?.tolerance == tolerance)
    let again = try JSONDecoder().decode(
      PipelineSpec.self, from: JSONEncoder().encode(spec))
    #expect(again == spec)
  }

  @Test(arguments: ["0", "-3", "\"yes\""]) func otherSwitchesAreRefused(text: String) {
    let json = Data("{\"bidirectional\": \(text)}".utf8)
    #expect(throws: (any Error).self) { try JSONDecoder().decode(PipelineSpec.self, from: json) }
  }

  @Test func defaultsAreTheUsualOnes() throws {
    let warp = try #require(try propagators.part("warp").propagator as? Warp)
    #expect(warp.reference == .keyframe && warp.border == .clamp)
    #expect((try flows.part("dis") as? DISFlow)?.preset == .medium)
    #expect((try flows.part("dis:fast") as? DISFlow)?.preset == .fast)
  }

  @Test(arguments: [
    ("evry:5", "no scheduler 'evry'; did you mean 'every'?"),
    ("every", "every:N,offset=OFFSET needs a number of at least 1"), ("every:0", "not '0'"),
    ("every:x", "not 'x'"), ("moved:-1", "needs a number above 0"), ("moved:nan", "not 'nan'"),
    ("moved:latency=1e300", "latency"), ("moved:latency=1e-300", "latency"),
    ("moved:rate=2", "a number above 0 and not above 1"), ("random:0", "not '0'"),
    ("features", "features:STAGE,CHANGE"), ("features:low", "needs either a threshold"),
    ("shots", "needs a scheduler"), ("budget:0.5", "needs a scheduler"),
    ("background:0,every:2", "not '0'"), ("ladder:0.5,2,evry:3", "did you mean 'every'?"),
    ("shots:every:0", "not '0'"), ("", "no scheduler ''"),
    ("oracle:0.2", "which only eval has"), ("budget:0.5,oracle:0.2", "which only eval has"),
  ])
  func aWrongNameIsAnsweredWithTheRightOnes(text: String, answer: String) throws {
    let error = try #require(throws: SpecificationError.self) { try schedulers.part(text) }
    #expect(error.message.contains(answer), "\(error.message)")
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
    let features = try #require(
      try schedulers.part("features:layer1,rate=0.1") as? TargetRateScheduler)
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
      #expect(throws: SpecificationError.self) { try schedulers.part("policy:\(folder)\(wrong)") }
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
      #expect(throws: SpecificationError.self) { try schedulers.part(wrong) }
    }
  }

  @Test func whatIsInsideAPartMayBeAShortText() throws {
    let grammar = Registries.standard.grammar
    let wanted = try grammar.parse("shallow:3,within:9,moved:8", as: "scheduler")
    for inner in [
      "within:9,moved:8", "{kind: within, frames: 9, base: 'moved:8'}",
      "{kind: within, frames: 9, base: {kind: moved, threshold: 8}}",
    ] {
      let yaml = "{kind: shallow, interval: 3, base: \(inner)}"
      let part = try ConfigNode(
        yaml: inner.hasPrefix("{") ? yaml : "{kind: shallow, interval: 3, base: '\(inner)'}",
        file: "part"
      ).decoded(as: PartSpec.self)
      #expect(try grammar.canonical(part, as: "scheduler") == wanted)
    }
  }

  @Test func aSettingWhereThereIsNoneIsRefused() {
    #expect(throws: SpecificationError.self) { try propagators.part("copy:2") }
  }

  @Test func aSplitWithoutLabelsCannotBeMeasured() throws {
    let scratch = try Scratch()
    try FileManager.default.createDirectory(
      atPath: scratch("val"), withIntermediateDirectories: true)
    try Image(width: 4, height: 4, channels: 3, repeating: 9).writePNG(to: scratch("val/a_1.png"))
    let error = try #require(throws: DatasetError.self) {
      try clip("camvid:\(scratch.path)", ClipRequest(split: "val"))
    }
    #expect(error.code == .missing && error.message == "no labels in \(scratch("valannot"))")
  }
}
