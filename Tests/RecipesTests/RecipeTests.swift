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
    let cards = [Card<RecipeMaker>].recipes
    #expect(Set(cards.map(\.name)).count == cards.count)
    let (parts, backbone) = try cards.part("davss:street")("there")
    #expect(backbone == "there/street-heavy")
    #expect(parts.propagation == "trained:there/street-guided")
    #expect(try cards.part("davss")("there").backbone == "there/camvid-resnet18")
    #expect(throws: CatalogueError.self) { try cards.part("davs") }
  }

  @Test func aShallowClockNeedsSomethingAfterTheTap() throws {
    let (network, head) = try StoredNetwork(at: models.backbone).load()
    var parts = Recipe.twoClocks.composition(of: models)
    parts.tap = nil
    let error = try #require(throws: CatalogueError.self) {
      try parts.pipeline(around: network, head: head)
    }
    #expect(error.message.contains("shallow:3,every:5") && error.message.contains("decoder"))
    parts.propagation = "trained:\(models["guided"])"
    _ = try parts.pipeline(around: network, head: head)
  }

  // Each part is one of the catalogue's; what has not been trained for these data says so, and names it.
  @Test(arguments: NamedRecipe.all)
  private func everyRecipeRunsOrSaysWhatIsNotTrained(named: NamedRecipe) throws {
    let parts = named.recipe.composition(of: models)
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
    #expect(try drawn(recipe.composition(of: models)) == drawing)
  }

  // Every frame starts the deep stages, and none but the first waits for them.
  @Test func nothingWaitsInThePipelinedClock() throws {
    let traces = try traces(Recipe.pipelinedClockwork.composition(of: models))
    let roles: [FrameRole] = traces.map(\.role)
    #expect(roles == [.key] + Array(repeating: .propagated, count: 6))
    #expect(traces.map(\.framesSinceKey) == [0, 1, 1, 1, 1, 1, 1])
  }

  // A key costs the whole network, every other frame what comes before and after the deep stages, or a warp of its
  // scores; a key in the background is counted where it is taken up.
  @Test func theWorkOfEachFrameIsCounted() throws {
    let network = try StoredNetwork(at: models.backbone).load().0
    let segmentation = try #require(network as? SegmentationNetwork)
    func work(_ stages: Range<Int>) throws -> Int {
      let ledger = MACCounter()
      let input = try Features(segmentation.input(for: clip.frame(at: 0)))
      let before = try segmentation.run(0..<stages.lowerBound, on: input, in: .inference)
      _ = try segmentation.run(stages, on: before, in: .counting(in: ledger))
      return ledger.macs
    }
    let whole = try work(0..<segmentation.stages.count)
    let counted = try traces(Recipe.perFrame.composition(of: models)).map(\.macs)
    let last = try #require(counted.first)
    #expect(counted.allSatisfy { $0 == last } && last >= whole && last < whole + whole / 20)
    var shallow = Recipe.clockwork.composition(of: models)
    shallow.scheduler = "shallow:2,every:4"
    let clocked = try traces(shallow).map(\.macs)
    let deep = try segmentation.index(ofStage: "context") + 1
    let late = try work(deep..<segmentation.stages.count)
    #expect(clocked[0] == last && clocked[4] == last)
    #expect(clocked[2] > late && clocked[2] < last && clocked[6] == clocked[2])
    #expect(clocked[1] < last / 20 && clocked[1] == clocked[3] && clocked[1] > 0)
    let borrowed = try traces(
      Composition(scheduler: "background:1,every:3", propagation: "copy")
    ).map(\.macs)
    #expect(borrowed.map { $0 >= whole } == [true, false, false, false, true, false, false])
  }

  private func drawn(_ parts: Composition) throws -> String {
    try traces(parts).map { $0.startsBackbone ? "K" : "." }.joined()
  }

  private func traces(_ parts: Composition) throws -> [FrameTrace] {
    let (network, head) = try StoredNetwork(at: models.backbone).load()
    let pipeline = try parts.pipeline(around: network, head: head)
    let clip: any LabelledClip =
      pipeline.flow.needsMotionVectors ? try EncodedClip(clip, group: 12, threads: 1) : clip
    var state = pipeline.start()
    return try (0..<clip.count).map { try pipeline.label(clip.frame(at: $0), in: &state).trace }
  }
}
