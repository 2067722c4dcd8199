// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Layers
import Specification
import Tensors
import TestSupport
import Testing
import Video

struct SegmentationNetworkTests {
  @Test(arguments: ["pyramid", "atrous"]) func itIsPyTorchs(context: String) throws {
    let (golden, network) = try read(context)
    let input = try golden.tensor("input")
    try golden.expect(network.scores(of: input, in: .inference), is: "scores")
    try golden.expect(network.folded().scores(of: input, in: .inference), is: "scores")
    try golden.expectTraining(of: network.parameters, network.scores)
  }

  @Test(arguments: ["pyramid", "atrous"])
  func halfPrecisionStaysNearSinglePrecision(context: String) throws {
    let (golden, network) = try read(context)
    let input = try golden.tensor("input")
    let half = try network.scores(of: input, in: .training(seed: 1, precision: .bfloat16))
    #expect(half.type == .float32)
    // Eight bits of mantissa, some twenty layers.
    #expect(try half.distance(from: golden.tensor("scores")) < 0.05)
    #expect(try half.distance(from: golden.tensor("scores")) > 0)
  }

  @Test(arguments: [
    "encoder: {kind: resnet, depth: 18, width: 0.125, stride: 16}\n  "
      + "context: {kind: pyramid, channels: 8, bins: [1, 2]}\n  "
      + "decoder: [{stride: 8, channels: 6}, {stride: 2, channels: 4}]",
    "encoder: {kind: resnet, depth: 50, width: 0.0625, stride: 8}\n  "
      + "context: {kind: atrous, channels: 8, rates: [2, 4]}",
    "encoder: {kind: light, width: 0.25}\n  context: {kind: linear, channels: 8}\n  "
      + "decoder: [{stride: 4, channels: 4}]",
  ]) func itKeepsTheLawsOfBackbones(description: String) throws {
    steadyThreads.lock()
    defer { steadyThreads.unlock() }
    let network = try SegmentationNetwork(
      specification(description), parameters: Parameters(seed: 3))
    for (width, height) in [(47, 33), (64, 32), (5, 3)] {
      let frame = frame(width: width, height: height)
      let broken = try brokenLaws(of: network, on: frame)
      #expect(broken == [])
      #expect(try brokenLaws(of: network.folded(), on: frame) == [])
      let features = try network.run(
        0..<network.stages.count, on: Features(network.input(for: frame)))
      #expect(features.skips.isEmpty)
      let scores = try network.head(features.main, size: PixelSize(width: width, height: height))
      #expect(scores.shape == [1, 11, height, width])
    }
  }

  @Test func stagesTellTheirStrides() throws {
    let network = try SegmentationNetwork(
      specification(
        "encoder: {kind: resnet, depth: 18, width: 0.125, stride: 16}\n  "
          + "context: {kind: linear, channels: 8}\n  decoder: [{stride: 4, channels: 4}]"),
      parameters: Parameters(seed: 1))
    #expect(
      network.stages == [
        Stage("stem", stride: 2), Stage("layer1", stride: 4), Stage("layer2", stride: 8),
        Stage("layer3", stride: 16), Stage("layer4", stride: 16), Stage("context", stride: 16),
        Stage("decoder", stride: 4), Stage("classifier", stride: 4),
      ])
  }

  @Test(arguments: [
    ("decoder: [{stride: 16, channels: 4}]", "no features of stride 16 to join after stride 16"),
    ("decoder: [{stride: 3, channels: 4}]", "there are [8, 4, 2]"),
    (
      "decoder: [{stride: 4, channels: 4}, {stride: 8, channels: 4}]",
      "no features of stride 8 to join after stride 4; there are [2]"
    ),
    (
      "decoder: [{stride: 4, channels: 4}, {stride: 4, channels: 4}]",
      "no features of stride 4 to join after stride 4; there are [2]"
    ),
  ]) func whatCannotBeJoinedIsTold(decoder: String, complaint: String) throws {
    let specification = try specification(
      "encoder: {kind: light, width: 0.25, stride: 16}\n  context: {kind: linear, channels: 8}\n  "
        + decoder)
    let error = try #require(throws: SpecificationError.self) {
      try SegmentationNetwork(specification, parameters: Parameters(seed: 1))
    }
    #expect(error.code == .badDescription && error.message.contains(complaint))
  }

  @Test(arguments: [
    ("kind: light, depth: 18", "network.encoder.depth unknown"),
    ("kind: resnet, depth: 19", "no ResNet-19; there are 10, 18, 34, 50, 101"),
    ("kind: resnet, depth: 18, stride: 12", "an encoder's stride is 8, 16 or 32, not 12"),
    ("kind: resnet, depth: 18, width: 0", "network.encoder.width must be 0.05…4.0"),
    ("kind: vgg", "network.encoder.kind must be one of resnet, light"),
  ]) func aWrongEncoderIsTold(encoder: String, complaint: String) throws {
    let error = try #require(throws: SpecificationError.self) {
      try specification("encoder: {\(encoder)}\n  context: {kind: linear, channels: 8}")
    }
    #expect(error.message.contains(complaint))
  }

  @Test(arguments: [
    ("kind: linear, channels: 8, bins: [1]", "network.context.bins unknown"),
    ("kind: pyramid, channels: 8", "network.context.bins must be a list of whole numbers"),
    ("kind: atrous, channels: 8, rates: [0]", "network.context.rates must be a list"),
    ("kind: linear", "network.context.channels must be given"),
  ]) func aWrongContextIsTold(context: String, complaint: String) throws {
    let error = try #require(throws: SpecificationError.self) {
      try specification("encoder: {kind: light}\n  context: {\(context)}")
    }
    #expect(error.message.contains(complaint))
  }

  private func read(_ context: String) throws -> (Golden, SegmentationNetwork) {
    let golden = try Golden(context)
    let isPyramid = context == "pyramid"
    let specification = try specification(
      """
      encoder: {kind: light, width: 0.125, stride: \(isPyramid ? 16 : 8)}
        context: {kind: \(context), channels: 8, \(isPyramid ? "bins: [1, 2, 3]" : "rates: [2, 3]")}
        \(isPyramid ? "decoder: [{stride: 8, channels: 6}, {stride: 4, channels: 5}]" : "")
      """)
    let network = try SegmentationNetwork(
      specification, parameters: Parameters(reading: golden.file))
    return (golden, network)
  }

  private func specification(_ network: String) throws -> NetworkSpecification {
    try NetworkSpecification(
      DescriptionReader(
        yaml: """
          input: {color: bgr, mean: [110, 109, 105], std: [72, 73, 70]}
          classes: camvid11
          network:
            \(network)
          """))
  }
}

private func frame(width: Int, height: Int) -> Frame {
  let bytes = (0..<width * height * 3).map { UInt8(($0 * 37) % 251) }
  return Frame(
    index: 0, time: 0, pixels: Image(width: width, height: height, channels: 3, bytes: bytes))
}
