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
private struct HeadCard: Sendable, CustomTestStringConvertible {
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

  var testDescription: String { (folder as NSString).lastPathComponent }

  static let all: [HeadCard] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: modelFolder)) ?? []
    return names.sorted().map { "\(modelFolder)/\($0)" }
      .filter { (try? HeadFolder(at: $0))?.folder.isTrained == true }.compactMap { try? HeadCard($0) }
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
    #expect(HeadCard.all.map(\.testDescription) == ["street-depth", "street-detector"])
    #expect(HeadCard.all.allSatisfy { card in card.measured.contains { !$0.values.isEmpty } })
  }

  @Test(arguments: HeadCard.all)
  private func predictionsAreAsGoodAsStated(card: HeadCard) throws {
    let (head, backbone, inputs) = try storedHead(in: card.folder)
    for claim in card.measured {
      let street = MovingStreet(seed: claim.street)
      var (depth, detection) = (DepthAccuracy(), DetectionAccuracy(classes: 3))
      for index in 0..<claim.frames {
        let (image, truth) = street.viewWithTruth(at: index)
        let features = try withoutGradients {
          try FeatureMaps(
            of: backbone.input(for: Frame(index: index, time: 0, pixels: image)), after: inputs,
            through: backbone)
        }
        switch head {
        case .depth(let head):
          depth.add(predicted: try head(features, size: image.size), truth: truth.depth)
        case .detection(let head):
          detection.add(detections: try head(features, size: image.size), truth: truth.boxes)
        }
      }
      for (name, value) in claim.values {
        // Processors round differently, which moves a few boxes over the line.
        let found = try #require(depth.values[name] ?? detection.values[name])
        #expect(abs(found - value) < 0.01, "\(name): \(found), not \(value)")
      }
    }
  }
}
