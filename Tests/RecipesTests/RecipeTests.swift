// SPDX-License-Identifier: Apache-2.0

import Backbone
import Datasets
import Flow
import Foundation
import Pipeline
import Propagation
import Recipes
import Scheduler
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

  // Each part is one of the catalogue's; what has not been trained for these data says so, and names it.
  @Test(arguments: NamedRecipe.all)
  private func everyRecipeRunsOrSaysWhatIsNotTrained(named: NamedRecipe) throws {
    let parts = named.recipe.composition(of: models)
    do {
      let drawing = try drawn(parts)
      #expect(drawing.first == "K" && drawing.count == 7)
    } catch let error as BackboneError {
      let isMissing = error.message.contains("not trained") || error.code == .missingFile
      #expect(isMissing && error.message.contains("street-"), "\(error.message)")
      let ready = ["per-frame", "clockwork", "clockwork-adaptive", "clockwork-pipelined", "davss"]
      #expect(!ready.contains(named.recipe.name))
    }
  }

  @Test(arguments: [
    (Recipe.perFrame, "KKKKKKK"), (.clockwork, "K.K.K.K"), (.davss, "K....K."),
    (.pipelinedClockwork, "KKKKKKK"),
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

  private func drawn(_ parts: Composition) throws -> String {
    try traces(parts).map { $0.startsBackbone ? "K" : "." }.joined()
  }

  private func traces(_ parts: Composition) throws -> [FrameTrace] {
    let (network, head) = try StoredNetwork(at: models.backbone).load()
    let strategy = try [Card<StrategyMaker>].strategies.part(parts.propagation)(network)
    let pipeline = try KeyframePipeline(
      backbone: network, head: head,
      scheduler: [Card<any KeyframeScheduler>].schedulers.part(parts.scheduler),
      propagator: strategy.propagator, fusion: strategy.fusion,
      flow: [Card<any FlowEstimator>].flows(threads: 1).part(parts.flow),
      tap: parts.tap ?? strategy.tap)
    if pipeline.flow.needsMotionVectors {
      throw BackboneError(.missingFile, "a clip of street- frames that nobody encoded")
    }
    var state = pipeline.start()
    return try (0..<clip.count).map { try pipeline.label(clip.frame(at: $0), in: &state).trace }
  }
}
