// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Layers
import Specification
import Tensors
import TestSupport
import Testing
import Video

private let resNet = """
  encoder: {kind: resnet, depth: 10, width: 0.125, stride: 16}
  context: {kind: linear, channels: 8}
  """
private let light = """
  encoder: {kind: light, width: 0.25, stride: 32}
  context: {kind: pyramid, channels: 8, bins: [1, 2]}
  """

/// Networks whose scores are the sum of several stages' own (FCN-8s).
struct ScoreHeadsTests {
  // All that comes after the encoder, number by number.
  @Test(arguments: [
    (resNet, ["layer3", "layer2"], "ignored"), (resNet, ["layer3"], "learned"),
    (light, ["stage3", "stage1", "stem"], "ignored"),
  ]) func scoresAreTheSumOfStagesOwn(text: String, heads: [String], void: String) throws {
    let network = try network(text, heads: heads, void: void)
    let size = PixelSize(width: 56, height: 40)
    let input = try network.input(for: frame(size))
    func features(after stage: String) throws -> SlowMap {
      try SlowMap(network.run(0..<network.index(ofStage: stage) + 1, on: Features(input)).main)
    }
    var expected = try features(after: "context").convolved("classifier", of: network)
    for stage in heads {
      let own = try features(after: stage).convolved("scores.\(stage)", of: network)
      expected = expected.interpolated(height: own.height, width: own.width).adding(own)
    }
    let scores = try network.scores(of: input, in: .inference)
    #expect(scores.shape.dimensions == [1, expected.channels, expected.height, expected.width])
    #expect(expected.channels == (void == "learned" ? 12 : 11))
    let furthest = zip(try scores.floats(), expected.values).map { abs($0 - $1) }.max()
    #expect(furthest ?? 1 < 1e-4, "\(furthest ?? .nan)")
  }

  @Test(arguments: [(resNet, ["layer3", "layer2"]), (light, ["stage2"])])
  func itKeepsTheLawsOfBackbones(text: String, heads: [String]) throws {
    steadyThreads.lock()
    defer { steadyThreads.unlock() }
    let network = try network(text, heads: heads)
    for (width, height) in [(47, 33), (64, 32), (5, 3)] {
      let frame = frame(PixelSize(width: width, height: height))
      #expect(try brokenLaws(of: network, on: frame) == [])
      #expect(try brokenLaws(of: network.folded(), on: frame) == [])
    }
  }

  @Test func foldedScoresAreTheSame() throws {
    let network = try network(resNet, heads: ["layer3", "layer2"])
    let input = try network.input(for: frame(PixelSize(width: 56, height: 40)))
    let (whole, folded) = (
      try network.scores(of: input, in: .inference),
      try network.folded().scores(of: input, in: .inference)
    )
    #expect(try folded.distance(from: whole) < 1e-4)
  }

  @Test func halfPrecisionGivesScoresInSinglePrecision() throws {
    let network = try network(resNet, heads: ["layer3", "layer2"])
    let input = try network.input(for: frame(PixelSize(width: 56, height: 40)))
    let half = try network.scores(of: input, in: .training(seed: 1, precision: .bfloat16))
    #expect(half.type == .float32)
  }

  @Test func aStagesOwnScoresAreThoseThatAreAdded() throws {
    let network = try network(resNet, heads: ["layer3", "layer2"])
    let input = try network.input(for: frame(PixelSize(width: 56, height: 40)))
    for stage in ["layer3", "layer2"] {
      let map = try network.run(
        0..<network.index(ofStage: stage) + 1, on: Features(input)
      ).main
      let own = try #require(try network.scores(of: map, after: stage))
      let expected = try SlowMap(map).convolved("scores.\(stage)", of: network)
      #expect(zip(try own.floats(), expected.values).allSatisfy { abs($0 - $1) < 1e-4 })
    }
    #expect(try network.scores(of: input, after: "layer1") == nil)
    let names = (0...network.stages.count).map { network.skipStages(through: $0) }
    #expect(
      names == [
        [], [], [], ["layer2"], ["layer2", "layer3"], ["layer2", "layer3"], ["layer2", "layer3"],
        ["layer2", "layer3"], [],
      ])
  }

  @Test func stagesTellTheirStridesAndWhatLaterOnesRead() throws {
    let network = try network(resNet, heads: ["layer3", "layer2"])
    #expect(
      network.stages == [
        Stage("stem", stride: 2), Stage("layer1", stride: 4), Stage("layer2", stride: 8),
        Stage("layer3", stride: 16), Stage("layer4", stride: 16), Stage("context", stride: 16),
        Stage("classifier", stride: 16), Stage("scores", stride: 8),
      ])
    let input = try network.input(for: frame(PixelSize(width: 32, height: 16)))
    let skips = try network.stages.indices.map {
      try network.run(0..<$0 + 1, on: Features(input)).skips.map { $0.shape[1] }
    }
    #expect(skips == [[], [], [16], [16, 32], [16, 32], [16, 32], [16, 32], []])
    let names = network.parameters.all.map(\.name).filter {
      network.stage(ofParameter: $0) == "scores"
    }
    #expect(
      names == [
        "scores.layer3.weight", "scores.layer3.bias", "scores.layer2.weight", "scores.layer2.bias",
      ])
  }

  // FCN-8s begins as FCN-32s: a stage's own scores are zero until they are learned.
  @Test func itBeginsAsTheNetworkWithoutHeads() throws {
    let network = try SegmentationNetwork(
      specification(resNet, heads: ["layer3"]), parameters: Parameters(seed: 3))
    let coarse = try SegmentationNetwork(specification(resNet), parameters: Parameters(seed: 3))
    let input = try network.input(for: frame(PixelSize(width: 56, height: 40)))
    let (scores, expected) = (
      try network.scores(of: input, in: .inference), try coarse.scores(of: input, in: .inference)
    )
    #expect(try scores.floats() == expected.floats())
    // And can leave it: the gradient of what is zero is not.
    for parameter in network.parameters.all where parameter.kind != .statistic {
      try parameter.tensor.setRequiresGradient(true)
    }
    let output = try network.scores(of: input, in: .training(seed: 1))
    try (output * output).sum().backward()
    let head = try #require(network.parameters.all.first { $0.name == "scores.layer3.weight" })
    let gradient = try #require(try head.tensor.gradient())
    #expect(try gradient.abs().max().item() > 0)
  }

  // A network's own stages behind a tap are those of the network that they are read from.
  @Test(arguments: ["layer4", "context", "classifier"])
  func stagesAfterATapCanBeAnotherNetworks(tap: String) throws {
    let heads = ["layer3", "layer2"]
    let (one, other) = (
      try network(resNet, heads: heads), try network(resNet, heads: heads, seed: 8)
    )
    let weights = Dictionary(
      uniqueKeysWithValues: other.parameters.all.map { ($0.name, $0.tensor) })
    let file = try SafetensorsFile(bytes: SafetensorsFile.encode(weights))
    let parameters = Parameters(reading: file)
    let joined = try one.withStages(after: tap, parameters: parameters, in: parameters.root)
    let later = Set(joined.parameters.all.map { joined.stage(ofParameter: $0.name) })
    let count = try one.index(ofStage: tap) + 1, last = one.stages.count
    #expect(later == Set(one.stages[count...].map(\.name)))
    let input = try one.input(for: frame(PixelSize(width: 56, height: 40)))
    let features = try one.run(0..<count, on: Features(input))
    let expected = try other.run(count..<last, on: features).main
    #expect(try joined.run(count..<last, on: features).main.floats() == expected.floats())
    let folded = try joined.folded().run(count..<last, on: features).main
    #expect(try folded.distance(from: expected) < 1e-4)
    #expect(try one.run(count..<last, on: features).main.distance(from: expected) > 0.01)
  }

  @Test func noStagesComeAfterTheLastScores() throws {
    let network = try network(resNet, heads: ["layer3"]), parameters = Parameters(seed: 1)
    let error = #expect(throws: BackboneError.self) {
      try network.withStages(after: "scores", parameters: parameters, in: parameters.root)
    }
    #expect(error?.message.contains("those after layer4, context, classifier can") == true)
  }

  @Test(arguments: [
    (["layer5"], "no stage 'layer5' before 'layer4'; there are layer3, layer2, layer1, stem"),
    (["layer4"], "no stage 'layer4' before 'layer4'; there are layer3, layer2, layer1, stem"),
    (["context"], "no stage 'context' before 'layer4'"),
    (["layer2", "layer3"], "no stage 'layer3' before 'layer2'; there are layer1, stem"),
    (["layer2", "layer2"], "no stage 'layer2' before 'layer2'; there are layer1, stem"),
    (["stem", "layer1"], "no stage 'layer1' before 'stem'; there is none"),
  ]) func aStageThatHasNoHeadIsTold(heads: [String], complaint: String) throws {
    let specification = try specification(resNet, heads: heads)
    let error = try #require(throws: SpecificationError.self) {
      try SegmentationNetwork(specification, parameters: Parameters(seed: 1))
    }
    #expect(error.code == .badDescription)
    #expect(error.message.contains("network.score_heads: \(complaint)"), "\(error.message)")
  }

  @Test(arguments: [
    ("score_heads: layer3", "network.score_heads must be a list of names"),
    ("score_heads: []", "network.score_heads must be a list of names"),
    ("score_head: [layer3]", "network.score_head unknown"),
    (
      "score_heads: [layer3]\ndecoder: [{stride: 4, channels: 4}]",
      "network.score_heads cannot stand beside decoder"
    ),
  ]) func aWrongKeyIsTold(line: String, complaint: String) throws {
    let error = try #require(throws: SpecificationError.self) {
      try specification(resNet + "\n" + line)
    }
    #expect(error.message.contains(complaint), "\(error.message)")
  }

  private func specification(
    _ network: String, heads: [String] = [], void: String = "ignored"
  ) throws -> NetworkSpecification {
    let key = heads.isEmpty ? "" : "score_heads: [\(heads.joined(separator: ", "))]"
    return try NetworkSpecification(
      DescriptionReader(
        yaml: """
          input: {color: bgr, mean: [110, 109, 105], std: [72, 73, 70]}
          classes: camvid11
          network:
            \(network.split(separator: "\n").joined(separator: "\n  "))
            void: \(void)
            \(key)
          """))
  }

  /// A network whose heads have learned something.
  private func network(
    _ text: String, heads: [String], void: String = "ignored", seed: UInt64 = 3
  ) throws -> SegmentationNetwork {
    let network = try SegmentationNetwork(
      specification(text, heads: heads, void: void), parameters: Parameters(seed: seed))
    for (index, parameter) in network.parameters.all.enumerated() {
      let noise = try Tensor.normal(
        parameter.tensor.shape, deviation: 0.3, seed: seed + UInt64(index))
      if parameter.name.hasPrefix("scores.") { try parameter.tensor.assign(noise) }
    }
    return network
  }
}

/// One picture's planes, as plain numbers.
private struct SlowMap {
  let channels: Int, height: Int, width: Int
  var values: [Float]

  init(channels: Int, height: Int, width: Int) {
    (self.channels, self.height, self.width) = (channels, height, width)
    values = [Float](repeating: 0, count: channels * height * width)
  }

  init(_ tensor: Tensor) throws {
    self.init(channels: tensor.shape[1], height: tensor.shape[2], width: tensor.shape[3])
    values = try tensor.contiguous().floats()
  }

  subscript(channel: Int, y: Int, x: Int) -> Float {
    get { values[(channel * height + y) * width + x] }
    set { values[(channel * height + y) * width + x] = newValue }
  }

  private func made(
    channels: Int, height: Int, width: Int, by number: (Int, Int, Int) -> Float
  ) -> SlowMap {
    var planes = SlowMap(channels: channels, height: height, width: width)
    for channel in 0..<channels {
      for y in 0..<height {
        for x in 0..<width { planes[channel, y, x] = number(channel, y, x) }
      }
    }
    return planes
  }

  /// By the 1×1 convolution whose parameters begin with `name`.
  func convolved(_ name: String, of network: SegmentationNetwork) throws -> SlowMap {
    func parameter(_ kind: String) throws -> Tensor {
      try #require(network.parameters.all.first { $0.name == "\(name).\(kind)" }).tensor
    }
    let (weight, bias) = (try parameter("weight").floats(), try parameter("bias").floats())
    return made(channels: bias.count, height: height, width: width) { output, y, x in
      var sum = bias[output]
      for input in 0..<channels { sum += weight[output * channels + input] * self[input, y, x] }
      return sum
    }
  }

  /// Between the centres of the four nearest cells.
  func interpolated(height: Int, width: Int) -> SlowMap {
    func place(_ index: Int, _ count: Int, _ size: Int) -> (first: Int, next: Int, share: Float) {
      let centre = max(0, (Float(index) + 0.5) * Float(size) / Float(count) - 0.5)
      let first = min(Int(centre), size - 1)
      return (first, min(first + 1, size - 1), centre - Float(first))
    }
    return made(channels: channels, height: height, width: width) { channel, y, x in
      let (row, column) = (place(y, height, self.height), place(x, width, self.width))
      func across(_ y: Int) -> Float {
        let (left, right) = (self[channel, y, column.first], self[channel, y, column.next])
        return left + (right - left) * column.share
      }
      let (above, below) = (across(row.first), across(row.next))
      return above + (below - above) * row.share
    }
  }

  func adding(_ other: SlowMap) -> SlowMap {
    made(channels: channels, height: height, width: width) { self[$0, $1, $2] + other[$0, $1, $2] }
  }
}

private func frame(_ size: PixelSize) -> Frame {
  let bytes = (0..<size.width * size.height * 3).map { UInt8(($0 * 37) % 251) }
  return Frame(
    index: 0, time: 0,
    pixels: Image(width: size.width, height: size.height, channels: 3, bytes: bytes))
}
