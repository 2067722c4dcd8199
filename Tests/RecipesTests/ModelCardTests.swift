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

  /// Labels carried along a network's motion over a number of frames.
  struct Carrying: Sendable {
    let data: String, split: String
    let frames: Int, gap: Int
    let accuracy: Double, mIoU: Double
  }

  let folder: String
  let parameters: Int, multiplyAdds: Int
  /// What is claimed of a segmentation network, and of a flow network.
  let scores: [Score], carried: [Carrying]

  init(_ folder: String) throws {
    self.folder = folder
    let text = try String(contentsOfFile: "\(folder)/card.yaml", encoding: .utf8)
    let card = try DescriptionReader(yaml: text)
    try card.allow(["parameters", "multiply-adds", "command", "data", "scores", "carried"])
    parameters = try card.integer("parameters", in: 1...100_000_000)
    multiplyAdds = try card.integer("multiply-adds", in: 1...1_000_000_000_000)
    scores =
      try !card.has("scores")
      ? []
      : card.groups("scores").map {
        Score(
          data: try $0.string("data"), split: try $0.string("split"),
          frames: try $0.integer("frames", in: 1...1000), mIoU: try $0.number("miou", in: 0...1))
      }
    carried =
      try !card.has("carried")
      ? []
      : card.groups("carried").map {
        Carrying(
          data: try $0.string("data"), split: try $0.string("split"),
          frames: try $0.integer("frames", in: 1...1000), gap: try $0.integer("gap", in: 1...100),
          accuracy: try $0.number("accuracy", in: 0...1), mIoU: try $0.number("miou", in: 0...1))
      }
  }

  var isOfFlow: Bool { !carried.isEmpty }

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

  // A card that cannot be read would be left out of all that follows.
  @Test func whatIsTrainedHasACardThatCanBeRead() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: modelFolder).filter {
      FileManager.default.fileExists(atPath: "\(modelFolder)/\($0)/weights.safetensors")
    }
    for name in names { _ = try ModelCard("\(modelFolder)/\(name)") }
    #expect(names.sorted() == ModelCard.all.map(\.testDescription))
  }

  @Test(arguments: ModelCard.all)
  private func everyCardClaimsSomething(card: ModelCard) {
    #expect(card.scores.isEmpty != card.carried.isEmpty)
  }

  /// Of a picture of 360×480.
  @Test(arguments: ModelCard.all)
  private func parametersAndWorkAreAsStated(card: ModelCard) throws {
    let size = PixelSize(width: 480, height: 360)
    let picture = Image(width: size.width, height: size.height, channels: 3, repeating: 0)
    let frame = Frame(index: 0, time: 0, pixels: picture)
    let ledger = WorkLedger()
    let parameters: Parameters = try withoutGradients {
      if card.isOfFlow {
        let flow = try NetworkFlow(folder: card.folder)
        _ = try flow.motion(from: frame, to: frame, in: .counting(in: ledger))
        return flow.network.parameters
      }
      let network = try SegmentationNetwork(contentsOf: card.folder)
      let features = try network.run(
        0..<network.stages.count, on: Features(network.input(for: frame)),
        in: .counting(in: ledger))
      _ = try network.head(features.main, size: size, in: .counting(in: ledger))
      return network.parameters
    }
    #expect(parameters.count == card.parameters)
    #expect(ledger.multiplyAdds == card.multiplyAdds)
  }

  @Test(arguments: ModelCard.all.filter { !$0.isOfFlow })
  private func scoresAreAsStated(card: ModelCard) throws {
    let (network, head) = try StoredNetwork(at: card.folder).load()
    for score in card.scores {
      guard let clip = try clip(score.data, score.split, frames: score.frames) else { continue }
      let pipeline = try KeyframePipeline(
        backbone: network, head: head, scheduler: .every(1), propagator: .copy, flow: Still())
      let measured = try Evaluator(pipeline, on: clip, consistency: nil).run()
      let found = try #require(measured.accuracy?.mIoU)
      // Processors round differently, which moves a few pixels at the edges of things.
      #expect(abs(found - score.mIoU) < 0.004, "\(score.data): \(found), not \(score.mIoU)")
    }
  }

  @Test(arguments: ModelCard.all.filter(\.isOfFlow))
  private func labelsAreCarriedAsStated(card: ModelCard) throws {
    let flow = try NetworkFlow(folder: card.folder)
    for claim in card.carried {
      guard let clip = try clip(claim.data, claim.split, frames: claim.frames) else { continue }
      let matrix = try LabelCarrying(clip, gap: claim.gap).run(along: flow)
      let (accuracy, mIoU) = (matrix.accuracy ?? 0, matrix.meanIoU ?? 0)
      #expect(abs(accuracy - claim.accuracy) < 0.002, "\(claim): \(accuracy)")
      #expect(abs(mIoU - claim.mIoU) < 0.004, "\(claim): \(mIoU)")
    }
  }

  /// Nil where the data are not at hand.
  private func clip(_ data: String, _ split: String, frames: Int) throws -> (any Clip)? {
    var data = data
    if !data.hasPrefix("street:") {
      guard let shared = sharedData else {
        print("skipped: \(data) \(split) is not at hand")
        return nil
      }
      data += ":" + shared.appendingPathComponent(data).path
    }
    return try [Card<ClipMaker>].clips.part(data)(ClipRequest(split: split, limit: frames))
  }
}
