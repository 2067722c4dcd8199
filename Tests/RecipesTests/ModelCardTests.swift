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
import Specification
import Tensors
import TestSupport
import Testing
import Video

/// What `card.yaml` beside a model's weights claims.
private struct ModelCard: Sendable, CustomTestStringConvertible {
  struct Score: Sendable {
    let data: String, split: String
    let frames: Int
    /// Every how many frames there is a key, and whose motion leads to it; of what schedules, the
    /// share of keys.
    let interval: Int, flow: String?
    let rate: Double
    let mIoU: Double
  }

  /// What the weights are of.
  enum Kind { case network, flow, propagation, changeScore, policy, head }

  /// Labels carried along a network's motion over a number of frames.
  struct Carrying: Sendable {
    let data: String, split: String
    let frames: Int, gap: Int
    let accuracy: Double, mIoU: Double
  }

  let folder: String
  let kind: Kind
  let parameters: Int, macs: Int
  /// What is claimed of a segmentation network, and of a flow network.
  let scores: [Score], carried: [Carrying]

  init(_ folder: String) throws {
    self.folder = folder
    let said = try ModelFolder(at: folder)
    kind =
      said.has("propagation")
      ? .propagation
      : said.has("change_score")
        ? .changeScore
        : said.has("head")
          ? .head
          : said.has("policy")
            ? .policy : try said.hasFlowNetwork() ? .flow : .network
    let text = try String(contentsOfFile: "\(folder)/card.yaml", encoding: .utf8)
    let card = try DescriptionReader(yaml: text)
    try card.allow(["parameters", "macs", "command", "data", "scores", "carried", "measured"])
    parameters = try card.integer("parameters", in: 1...100_000_000)
    macs = try card.integer("macs", in: 1...1_000_000_000_000)
    scores =
      try !card.has("scores")
      ? []
      : card.groups("scores").map {
        Score(
          data: try $0.string("data"), split: try $0.string("split"),
          frames: try $0.integer("frames", in: 1...1000),
          interval: try $0.integer("interval", in: 1...100, usual: 1),
          flow: $0.has("flow") ? try $0.string("flow") : nil,
          rate: try $0.number("rate", in: 0...1, usual: 1), mIoU: try $0.number("miou", in: 0...1))
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
    #expect(card.scores.isEmpty == [.flow, .head].contains(card.kind))
    #expect(card.carried.isEmpty == (card.kind != .flow))
  }

  /// Of a picture of 360×480.
  @Test(arguments: ModelCard.all)
  private func parametersAndWorkAreAsStated(card: ModelCard) throws {
    let ledger = MACCounter()
    let parameters = try withoutGradients { try card.parameters(countingIn: ledger) }
    #expect(parameters.count == card.parameters)
    #expect(ledger.macs == card.macs)
  }

  @Test(arguments: ModelCard.all.filter { $0.kind != .flow })
  private func scoresAreAsStated(card: ModelCard) throws {
    for score in card.scores {
      guard let clip = try clip(score.data, score.split, frames: score.frames) else { continue }
      let pipeline = try card.pipeline(for: score)
      let measured = try Evaluator(pipeline, on: clip, consistency: nil).run()
      let found = try #require(measured.accuracy?.mIoU)
      // Processors round differently, which moves a few pixels at the edges of things.
      #expect(abs(found - score.mIoU) < 0.004, "\(score): \(found)")
    }
  }

  @Test(arguments: ModelCard.all.filter { $0.kind == .flow })
  private func labelsAreCarriedAsStated(card: ModelCard) throws {
    let flow = try NetworkFlow(contentsOf: card.folder)
    for claim in card.carried {
      guard let clip = try clip(claim.data, claim.split, frames: claim.frames) else { continue }
      let matrix = try LabelCarrying(clip, gap: claim.gap).run(along: flow)
      let (accuracy, mIoU) = (matrix.accuracy ?? 0, matrix.meanIoU ?? 0)
      #expect(abs(accuracy - claim.accuracy) < 0.002, "\(claim): \(accuracy)")
      #expect(abs(mIoU - claim.mIoU) < 0.004, "\(claim): \(mIoU)")
    }
  }

  /// Nil where the data are not at hand.
  private func clip(_ data: String, _ split: String, frames: Int) throws -> (any LabelledClip)? {
    var data = data
    if !data.hasPrefix("street:") {
      guard let shared = sharedData else {
        print("skipped: \(data) \(split) is not at hand")
        return nil
      }
      data += ":" + shared.appendingPathComponent(data).path
    }
    return try RecipesTests.clip(data, ClipRequest(split: split, limit: frames))
  }
}

// What a card is of, as it is used.
extension ModelCard {
  /// The parameters of what runs for one frame of 360×480.
  fileprivate func parameters(countingIn ledger: MACCounter) throws -> Parameters {
    let size = PixelSize(width: 480, height: 360)
    let picture = Image(width: size.width, height: size.height, channels: 3, repeating: 0)
    let frame = Frame(index: 0, time: 0, pixels: picture)
    switch kind {
    case .flow:
      let flow = try NetworkFlow(contentsOf: folder)
      _ = try flow.motion(from: frame, to: frame, in: .counting(in: ledger))
      return flow.network.parameters
    case .network:
      let network = try SegmentationNetwork(contentsOf: folder)
      let features = try network.run(
        0..<network.stages.count, on: Features(network.input(for: frame)),
        in: .counting(in: ledger))
      _ = try network.head(features.main, size: size, in: .counting(in: ledger))
      return network.parameters
    case .propagation:
      let (specification, backbone) = try described()
      let weights = try SafetensorsFile(contentsOf: "\(folder)/weights.safetensors")
      let part = try specification.part(
        behind: backbone, parameters: Parameters(reading: weights))
      try PropagatedFrame(backbone, tap: specification.tap, of: size, countedIn: ledger).run(part)
      return part.parameters
    case .changeScore:
      let changeScore = try LearnedChangeScore(ModelFolder(at: folder))
      let text = try String(contentsOfFile: "\(folder)/spec.yaml", encoding: .utf8)
      let specification = try ChangeScoreSpecification(yaml: text, folder: folder)
      let backbone = try SegmentationNetwork(contentsOf: specification.backbone)
      _ = try changeScore.predict(
        changeScore.emptyChange(behind: backbone, size: size), in: .counting(in: ledger))
      return changeScore.parameters
    case .head:
      return try runHead(in: folder, on: frame, countingIn: ledger)
    case .policy:
      let network = try PolicyNetwork(ModelFolder(at: folder))
      let seen = PolicyObservation.nothing.observation(
        framesSinceKeyframe: 1, within: KeyframeBudget(.rate(0.1)))
      _ = try network.step(
        Tensor(seen, shape: [1, seen.count]), after: network.start(1), in: .counting(in: ledger))
      return network.parameters
    }
  }

  private func described() throws -> (PropagationSpecification, SegmentationNetwork) {
    let text = try String(contentsOfFile: "\(folder)/spec.yaml", encoding: .utf8)
    let specification = try PropagationSpecification(yaml: text, folder: folder)
    return (specification, try SegmentationNetwork(contentsOf: specification.backbone))
  }

  fileprivate func pipeline(for score: Score) throws -> KeyframePipeline<Image> {
    func flow(_ usual: String) throws -> any FlowEstimator {
      try RecipesTests.flow(score.flow ?? usual)
    }
    switch kind {
    case .network, .flow, .head:
      let (network, head) = try RecipesTests.network(at: folder)
      return try KeyframePipeline(
        backbone: network, head: head, scheduler: .every(1), propagator: .copy, flow: ZeroFlow())
    case .propagation:
      let specification = try described().0
      let (network, head) = try RecipesTests.network(at: specification.backbone)
      let strategy = try PropagationStrategy(ModelFolder(at: folder), behind: network)
      return try KeyframePipeline(
        backbone: network, head: head, scheduler: .every(score.interval),
        propagator: strategy.propagator, fusion: strategy.fusion, decoder: strategy.decoder,
        flow: flow(specification.flow), tap: strategy.tap)
    case .changeScore:
      let text = try String(contentsOfFile: "\(folder)/spec.yaml", encoding: .utf8)
      let specification = try ChangeScoreSpecification(yaml: text, folder: folder)
      let (network, head) = try RecipesTests.network(at: specification.backbone)
      return try KeyframePipeline(
        backbone: network, head: head,
        scheduler: TargetRateScheduler(
          LearnedChangeScore(ModelFolder(at: folder)), rate: score.rate),
        propagator: .warp(), flow: flow(specification.flow))
    case .policy:
      let text = try String(contentsOfFile: "\(folder)/spec.yaml", encoding: .utf8)
      let specification = try PolicySpecification(yaml: text, folder: folder)
      let (network, head) = try RecipesTests.network(at: specification.backbone)
      guard case .trained(let part) = specification.propagator else {
        throw SpecificationError(.badDescription, "\(folder): only behind a trained part here")
      }
      let strategy = try PropagationStrategy(ModelFolder(at: part), behind: network)
      return try KeyframePipeline(
        backbone: network, head: head,
        scheduler: BudgetPolicy(PolicyNetwork(ModelFolder(at: folder)), within: .rate(score.rate)),
        propagator: strategy.propagator, fusion: strategy.fusion,
        flow: flow(specification.flow), tap: strategy.tap)
    }
  }
}
