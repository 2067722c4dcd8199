// SPDX-License-Identifier: Apache-2.0

import Backbone
import Specification
import TestSupport
import Testing
import Training
import Video

private let depth = """
  name: a
  backbone: ../b
  head: {kind: depth, inputs: [context, decoder], channels: 6, range: [2, 80]}
  training:
    batch: 3
    crop: [48, 64]
    pictures: 5
    loss: {variance: 0.85, gradient: 2, scales: 3}
    stages: [{name: all, steps: 2, optimizer: adam, rate: 0.1}]
  """

private let detector = depth.replacing(
  "kind: depth", with: "kind: fcos, classes: [x, y], stride: 4, score: 0.2"
).replacing(", range: [2, 80]", with: "").replacing(
  "{variance: 0.85, gradient: 2, scales: 3}", with: "{radius: 2.5, gamma: 1, boxes: 3}")

struct HeadTrainingSpecificationTests {
  @Test func depthSpecificationsAreRead() throws {
    let specification = try HeadTrainingSpecification(yaml: depth, folder: "models/a")
    #expect(specification.head.backbone == "models/a/../b")
    #expect(specification.head.inputs == ["context", "decoder"])
    #expect(specification.head.kind == .depth(.init(channels: 6, blocks: 2, range: 2...80)))
    #expect(specification.batchSize == 3 && specification.pictureCount == 5)
    #expect(specification.augmentation.crop == PixelSize(width: 64, height: 48))
    #expect(specification.depthLoss == DepthLoss(variance: 0.85, gradient: 2, scales: 3))
    #expect(specification.plan.steps == 2)
  }

  @Test func detectionSpecificationsAreRead() throws {
    let specification = try HeadTrainingSpecification(yaml: detector, folder: "")
    guard case .detection(let settings) = specification.head.kind else {
      Issue.record("\(specification.head.kind)")
      return
    }
    #expect(settings.classes.names == ["x", "y"] && settings.stride == 4)
    #expect(settings.channels == 6 && settings.scoreThreshold == 0.2)
    #expect(
      specification.detection
        == .init(focal: FocalLoss(gamma: 1), radius: 2.5, boxes: 3, centreness: 1))
  }

  @Test(arguments: [
    (depth, "kind: depth", "kind: width"), (depth, "[2, 80]", "[80, 2]"),
    (depth, "range: [2, 80]", "classes: [a]"), (depth, "pictures: 5", "pictures: 0"),
    (depth, "variance: 0.85", "variance: 2"), (depth, "scales: 3", "radius: 3"),
    (depth, "batch: 3", "rotation: 3"), (detector, "classes: [x, y], ", ""),
    (detector, "radius", "scales"), (detector, "score: 0.2", "score: 2"),
    (depth, "backbone: ../b", ""), (depth, "channels: 6", "channels: 0"),
    (depth, "channels: 6", "channels: 6, coordinates: maybe"),
  ])
  func aWrongKeyIsRefused(text: String, part: String, wrong: String) {
    #expect(text.contains(part))
    #expect(throws: SpecificationError.self) {
      try HeadTrainingSpecification(yaml: text.replacing(part, with: wrong), folder: "")
    }
  }

  @Test func aChangedLossIsAnotherTraining() throws {
    func fingerprint(_ text: String) throws -> String {
      try HeadTrainingSpecification(yaml: text, folder: "").fingerprint[0]
    }
    #expect(try fingerprint(depth) == fingerprint(depth + "\n# a comment"))
    #expect(
      try fingerprint(depth)
        != fingerprint(depth.replacing("gradient: 2", with: "gradient: 1")))
  }
}
