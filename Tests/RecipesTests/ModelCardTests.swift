// SPDX-License-Identifier: Apache-2.0

import Backbone
import Datasets
import Evaluation
import Flow
import Foundation
import Layers
import Pipeline
import Propagation
import Recipes
import Scheduler
import Tensors
import TestSupport
import Testing
import Video

/// What `card.yaml` beside a model's weights claims.
private struct ModelCard: Sendable, CustomTestStringConvertible {
  struct Score: Sendable {
    let data: String, split: String
    let frames: Int
    let mIoU: Double
  }

  let folder: String
  let parameters: Int, multiplyAdds: Int
  let scores: [Score]

  init(_ folder: String) throws {
    self.folder = folder
    let text = try String(contentsOfFile: "\(folder)/card.yaml", encoding: .utf8)
    let card = try DescriptionReader(yaml: text)
    try card.allow(["parameters", "multiply-adds", "command", "data", "scores"])
    parameters = try card.integer("parameters", in: 1...100_000_000)
    multiplyAdds = try card.integer("multiply-adds", in: 1...1_000_000_000_000)
    scores = try card.groups("scores").map {
      Score(
        data: try $0.string("data"), split: try $0.string("split"),
        frames: try $0.integer("frames", in: 1...1000), mIoU: try $0.number("miou", in: 0...1))
    }
  }

  var testDescription: String { (folder as NSString).lastPathComponent }

  static let all: [ModelCard] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: modelFolder)) ?? []
    return names.sorted().compactMap { try? ModelCard("\(modelFolder)/\($0)") }
  }()
}

@Suite(.serialized) struct ModelCardTests {
  @Test func theNetworksOfTheDemoHaveCards() {
    let names = ModelCard.all.map(\.testDescription)
    #expect(names.contains("street-heavy") && names.contains("street-light"))
  }

  /// Of a picture of 360×480.
  @Test(arguments: ModelCard.all)
  private func parametersAndWorkAreAsStated(card: ModelCard) throws {
    let network = try SegmentationNetwork(contentsOf: card.folder)
    #expect(network.parameters.count == card.parameters)
    let size = PixelSize(width: 480, height: 360)
    let picture = Image(width: size.width, height: size.height, channels: 3, repeating: 0)
    let ledger = WorkLedger()
    try withoutGradients {
      let input = Features(try network.input(for: Frame(index: 0, time: 0, pixels: picture)))
      let features = try network.run(
        0..<network.stages.count, on: input, in: .counting(in: ledger))
      _ = try network.head(features.main, size: size, in: .counting(in: ledger))
    }
    #expect(ledger.multiplyAdds == card.multiplyAdds)
  }

  @Test(arguments: ModelCard.all)
  private func scoresAreAsStated(card: ModelCard) throws {
    #expect(!card.scores.isEmpty)
    let (network, head) = try StoredNetwork(at: card.folder).load()
    for score in card.scores {
      guard let clip = try clip(of: score) else { continue }
      let pipeline = try KeyframePipeline(
        backbone: network, head: head, scheduler: .every(1), propagator: .copy, flow: Still())
      let measured = try Evaluator(pipeline, on: clip).run()
      let found = try #require(measured.accuracy?.mIoU)
      // Processors round differently, which moves a few pixels at the edges of things.
      #expect(abs(found - score.mIoU) < 0.004, "\(score.data): \(found), not \(score.mIoU)")
    }
  }

  /// Nil where the data are not at hand.
  private func clip(of score: ModelCard.Score) throws -> (any Clip)? {
    var data = score.data
    if !data.hasPrefix("street:") {
      guard let shared = sharedData else {
        print("skipped: \(data) \(score.split) is not at hand")
        return nil
      }
      data += ":" + shared.appendingPathComponent(data).path
    }
    return try [Card<ClipMaker>].clips.part(data)(
      ClipRequest(split: score.split, limit: score.frames))
  }
}
