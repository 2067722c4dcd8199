// SPDX-License-Identifier: Apache-2.0

import Backbone
import Datasets
import Evaluation
import Foundation
import Layers
import Specification
import Synthesis
import Tensors
import TestSupport
import Testing
import Video

/// What `card.yaml` beside a head's weights claims of its predictions for each frame on its own.
private struct HeadCard: Sendable {
  let folder: String
  let measured: [Claim]

  struct Claim: Sendable {
    let street: UInt64
    let frames: Int
    /// By the names of the measures.
    let values: [String: Double]
  }

  init(_ folder: String) throws {
    self.folder = folder
    let text = try String(contentsOfFile: "\(folder)/card.yaml", encoding: .utf8)
    measured = try DescriptionReader(yaml: text).groups("measured").map { group in
      let measures = ["abs_rel", "delta1", "mAP50"].filter { group.has($0) }
      try group.allow(["data", "frames"] + measures)
      let data = try group.string("data").split(separator: ":")
      return Claim(
        street: try #require(data.last.flatMap { UInt64($0) }),
        frames: try group.integer("frames", in: 1...1000),
        values: Dictionary(
          uniqueKeysWithValues: try measures.map { ($0, try group.number($0, in: 0...1)) }))
    }
  }

  var name: String { (folder as NSString).lastPathComponent }

  static let all: [HeadCard] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: modelFolder)) ?? []
    return names.sorted().map { "\(modelFolder)/\($0)" }
      .filter { (try? HeadFolder(at: $0))?.folder.isTrained == true }.compactMap {
        try? HeadCard($0)
      }
  }()
}

/// Runs the head in a folder on the features of `frame`, which are not counted.
func runHead(
  in folder: String, on frame: Frame, countingIn ledger: MACCounter
) throws -> Parameters {
  let (head, backbone, inputs) = try storedHead(in: folder)
  let features = try FeatureMaps(
    of: backbone.input(for: frame), after: inputs, through: backbone)
  try head.run(on: features, size: frame.pixels.size, in: .counting(in: ledger))
  return head.parameters
}

private func storedHead(in folder: String) throws -> (StoredHead, SegmentationNetwork, [String]) {
  let stored = try HeadFolder(at: folder)
  let backbone = try SegmentationNetwork(contentsOf: stored.specification.backbone).folded()
  return (try stored.head(behind: backbone), backbone, stored.specification.inputs)
}

struct HeadCardTests {
  @Test func theHeadsOfStreetsHaveCardsThatClaimSomething() {
    #expect(HeadCard.all.map(\.name) == ["street-depth", "street-detector"])
    #expect(HeadCard.all.allSatisfy { card in card.measured.contains { !$0.values.isEmpty } })
  }

  // Streets are rendered once for all heads, which takes longer than the heads do.
  @Test func predictionsAreAsGoodAsStated() throws {
    let trials = try HeadCard.all.flatMap { card in
      try card.measured.map { try Trial($0, of: card.folder) }
    }
    for (street, trials) in Dictionary(grouping: trials, by: \.claim.street) {
      let clip = MovingStreet(seed: street)
      for index in 0..<(trials.map(\.claim.frames).max() ?? 0) {
        let (image, truth) = clip.viewWithTruth(at: index)
        for trial in trials where index < trial.claim.frames {
          try trial.add(Frame(index: index, time: 0, pixels: image), truth)
        }
      }
    }
    for trial in trials {
      for (name, value) in trial.claim.values {
        // Processors round differently, which moves a few boxes over the line.
        let found = try #require(trial.depth.values[name] ?? trial.detection.values[name])
        #expect(abs(found - value) < 0.01, "\(trial.folder), \(name): \(found), not \(value)")
      }
    }
  }
}

/// A claim under test.
private final class Trial {
  let claim: HeadCard.Claim
  let folder: String
  var depth = DepthAccuracy(), detection = DetectionAccuracy(classes: 3)
  private let head: StoredHead
  private let backbone: SegmentationNetwork
  private let inputs: [String]

  init(_ claim: HeadCard.Claim, of folder: String) throws {
    (self.claim, self.folder) = (claim, folder)
    (head, backbone, inputs) = try storedHead(in: folder)
  }

  func add(_ frame: Frame, _ truth: StreetTruth) throws {
    let size = frame.pixels.size
    let features = try withoutGradients {
      try FeatureMaps(of: backbone.input(for: frame), after: inputs, through: backbone)
    }
    switch head {
    case .depth(let head):
      depth.add(predicted: try head(features, size: size), truth: truth.depth)
    case .detection(let head):
      detection.add(detections: try head(features, size: size), truth: truth.boxes)
    }
  }
}
