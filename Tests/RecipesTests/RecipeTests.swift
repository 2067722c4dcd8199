// SPDX-License-Identifier: Apache-2.0

import Backbone
import Datasets
import Flow
import Foundation
import Layers
import Pipeline
import Propagation
import Recipes
import Scheduler
import Specification
import Synthesis
import TestSupport
import Testing
import Video

private struct NamedRecipe: Sendable, CustomTestStringConvertible {
  let recipe: Recipe
  var testDescription: String { recipe.name }
  static let all = Recipe.all.map(NamedRecipe.init)
}

struct RecipeTests {
  private let clip = StreetClip(seed: 5, count: 7, size: PixelSize(width: 128, height: 96))
  private let models = RecipeModels(in: modelFolder, data: "street")

  @Test func namesAreUniqueAndSettingsNameTheData() throws {
    let book = RecipeBook.standard
    #expect(Set(book.all.map(\.name)).count == book.all.count)
    let parts = try book.pipeline("davss:street", models: "there")
    #expect(parts.backbone?.options["path"] == "there/street-heavy")
    #expect(parts.propagator == PartSpec("trained", ["folder": "there/street-guided"]))
    let usual = try book.pipeline("davss", models: "there")
    #expect(usual.backbone?.options["path"] == "there/camvid-resnet18")
    let error = try #require(throws: SpecificationError.self) { try book.pipeline("davs") }
    #expect(error.message.contains("did you mean 'davss'"))
  }

  @Test func aShallowClockNeedsSomethingAfterTheTap() throws {
    var parts = Recipe.twoClocks.pipeline(of: models)
    parts.tap = nil
    let error = try #require(throws: SpecificationError.self) {
      try parts.pipeline(around: models.backbone)
    }
    #expect(error.message.contains("shallow:3,every:5") && error.message.contains("decoder"))
    parts.propagator = models.trained("guided")
    _ = try parts.pipeline(around: models.backbone)
  }

  @Test func aClockForMiddleStagesNeedsThemAmongTheTaps() throws {
    let (backbone, head) = try network(at: models.backbone)
    let stages = backbone.stages.map(\.name)
    var parts = PipelineSpec(scheduler: "middle:layer2,2,every:4", tap: "layer2,context")
    let resolved = try parts.resolve(around: backbone, head: head)
    #expect(resolved.pipeline.taps == ["layer2", "context"] && stages.contains("layer2"))
    for tap in ["context", "layer1,layer2"] {
      parts.tap = tap
      let error = try #require(throws: SpecificationError.self) {
        try parts.resolve(around: backbone, head: head)
      }
      #expect(error.message.contains("clock of its own for 'layer2'"))
    }
    parts.tap = "layer1, layer2, context"
    parts.scheduler = "middle:layer2,2,middle:layer1,2,every:4"
    let nested = try #require(throws: SpecificationError.self) {
      try parts.resolve(around: backbone, head: head)
    }
    #expect(nested.message.contains("one clock"))
    parts.scheduler = "every:4"
    parts.tap = "layer4,context"
    #expect(
      try parts.resolve(around: backbone, head: head).warnings.contains {
        $0.contains("'layer4' has no effect")
      })
    for tap in ["layer2,,context", "layer2,nowhere"] {
      parts.tap = tap
      let error = try #require(throws: (any Error).self) {
        try parts.resolve(around: backbone, head: head)
      }
      #expect("\(error)".contains("no stage"))
    }
  }

  // A trained part is told apart from what it runs with: another flow is used on request, and said.
  @Test func aPartRunsAlongTheFlowItWasTrainedAlong() throws {
    let (backbone, head) = try network(at: models.backbone)
    var parts = PipelineSpec(propagator: models.trained("guided"))
    let usual = try parts.resolve(around: backbone, head: head, path: models.backbone)
    #expect(usual.spec.flow == PartSpec("dis", ["preset": "medium"]) && usual.warnings.isEmpty)
    parts.flow = "chained:dis:fast"
    let other = try parts.resolve(around: backbone, head: head, path: "elsewhere")
    #expect(other.warnings.count == 2)
    #expect(
      other.warnings.contains { $0.contains("along dis:medium, and runs along chained:dis:fast") })
    #expect(other.warnings.contains { $0.contains("behind") && $0.contains("elsewhere") })
    #expect(usual.files.contains { $0.hasSuffix("street-guided/weights.safetensors") })
  }

  // Three of the numbers that a policy looks at would be zero without a word.
  @Test func aSchedulerThatLooksAtMotionIsToldWhereThereIsNone() throws {
    let (backbone, head) = try network(at: models.backbone)
    var parts = PipelineSpec(scheduler: "shots:moved:rate=0.1", propagator: "copy", flow: "zero")
    #expect(try parts.resolve(around: backbone, head: head).warnings.count == 1)
    parts.flow = "dis:fast"
    #expect(try parts.resolve(around: backbone, head: head).warnings.isEmpty)
    parts = PipelineSpec(scheduler: "every:5", propagator: "copy", flow: "zero")
    #expect(try parts.resolve(around: backbone, head: head).warnings.isEmpty)
  }

  // Each part is one of the catalogue's; what has not been trained for these data says so, and
  // names it.
  @Test(arguments: NamedRecipe.all)
  private func everyRecipeRunsOrSaysWhatIsNotTrained(named: NamedRecipe) throws {
    let parts = named.recipe.pipeline(of: models)
    do {
      let drawing = try drawn(parts)
      #expect(drawing.first == "K" && drawing.count == 7)
    } catch let error as SpecificationError {
      let isMissing = error.message.contains("not trained") || error.code == .missingFile
      #expect(isMissing && error.message.contains("street-"), "\(error.message)")
      let ready = [
        "per-frame", "clockwork", "clockwork-adaptive", "clockwork-pipelined", "davss",
        "two-clocks",
        "two-clocks-codec",
      ]
      #expect(!ready.contains(named.recipe.name))
    }
  }

  @Test(arguments: [
    (Recipe.perFrame, "KKKKKKK"), (.clockwork, "K.K.K.K"), (.davss, "K....K."),
    (.pipelinedClockwork, "KKKKKKK"), (.twoClocks, "K....K."), (.codecClocks, "K.....K"),
  ])
  func schedulesAreThoseOfThePapers(recipe: Recipe, drawing: String) throws {
    #expect(try drawn(recipe.pipeline(of: models)) == drawing)
  }

  // Every frame starts the deep stages, and none but the first waits for them.
  @Test func nothingWaitsInThePipelinedClock() throws {
    let traces = try traces(Recipe.pipelinedClockwork.pipeline(of: models))
    let roles: [FrameRole] = traces.map(\.role)
    #expect(roles == [.key] + Array(repeating: .propagated, count: 6))
    #expect(traces.map(\.framesSinceKeyframe) == [0, 1, 1, 1, 1, 1, 1])
  }

  // A key costs the whole network, every other frame what comes before and after the deep stages,
  // or a warp of its scores; a key in the background is counted where it is taken up.
  @Test func theWorkOfEachFrameIsCounted() throws {
    let network = try network(at: models.backbone).backbone
    let segmentation = try #require(network as? SegmentationNetwork)
    func work(_ stages: Range<Int>) throws -> Int {
      let ledger = MACCounter()
      let input = try Features(segmentation.input(for: clip.frame(at: 0)))
      let before = try segmentation.run(0..<stages.lowerBound, on: input, in: .inference)
      _ = try segmentation.run(stages, on: before, in: .counting(in: ledger))
      return ledger.macs
    }
    let whole = try work(0..<segmentation.stages.count)
    let counted = try traces(Recipe.perFrame.pipeline(of: models)).map(\.macs)
    let last = try #require(counted.first)
    #expect(counted.allSatisfy { $0 == last } && last >= whole && last < whole + whole / 20)
    var shallow = Recipe.clockwork.pipeline(of: models)
    shallow.scheduler = "shallow:2,every:4"
    let clocked = try traces(shallow).map(\.macs)
    let deep = try segmentation.index(ofStage: "context") + 1
    let late = try work(deep..<segmentation.stages.count)
    #expect(clocked[0] == last && clocked[4] == last)
    #expect(clocked[2] > late && clocked[2] < last && clocked[6] == clocked[2])
    #expect(clocked[1] < last / 20 && clocked[1] == clocked[3] && clocked[1] > 0)
    let borrowed = try traces(
      PipelineSpec(scheduler: "background:1,every:3", propagator: "copy")
    ).map(\.macs)
    #expect(borrowed.map { $0 >= whole } == [true, false, false, false, true, false, false])
  }

  private func drawn(_ parts: PipelineSpec) throws -> String {
    try traces(parts).map { $0.startsBackbone ? "K" : "." }.joined()
  }

  private func traces(_ parts: PipelineSpec) throws -> [FrameTrace] {
    // Some recipes take a network of their own.
    var path = models.backbone
    if case .text(let own) = parts.backbone?.options["path"] { path = own }
    let pipeline = try parts.pipeline(around: path)
    let clip: any LabelledClip =
      pipeline.flow.needsMotionVectors ? try EncodedClip(clip, group: 12, threads: 1) : clip
    var state = pipeline.start()
    return try (0..<clip.count).map { try pipeline.label(clip.frame(at: $0), in: &state).trace }
  }
}
