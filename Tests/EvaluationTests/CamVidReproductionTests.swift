// SPDX-License-Identifier: Apache-2.0

import Backbone
import Datasets
import Evaluation
import Flow
import Foundation
import Pipeline
import Propagation
import Recipes
import Scheduler
import Specification
import TestSupport
import Testing

/// What Docs/Reproductions/CamVid-ESPNet.md says, with a network and labels that others made.
@Suite(.enabled(if: sharedData != nil, "shared data is not there"), .serialized)
struct CamVidReproductionTests {
  /// The bounds are what PyTorch and OpenCV give on the same clip, less a margin.
  @Test(arguments: [
    ("copy", 1, 0.699...0.703), ("copy", 5, 0.596...0.602), ("warp", 5, 0.688...1),
    ("warp", 10, 0.642...1), ("warp:previous", 10, 0.67...1),
  ])
  func scoresAreThoseOfThePage(
    propagation: String, interval: Int, bounds: ClosedRange<Double>
  ) throws {
    let data = try #require(sharedData)
    let clip = try CamVid(root: data.appending(path: "camvid").path, split: "val")
    let network = try ImportedNetwork(
      contentsOf: data.appending(path: "models/espnet_p2q8_camvid_360x480.torchscript.pt").path)
    let pipeline = try PipelineSpec(
      scheduler: PartSpec("every", ["interval": .integer(interval)]),
      propagator: PartSpec(propagation)
    ).resolve(around: network, head: network.head).pipeline
    let accuracy = try #require(
      try Evaluator(pipeline, on: clip, consistency: nil).run().accuracy)
    #expect(bounds.contains(try #require(accuracy.mIoU)))
    #expect(accuracy.labelledFrames == 101)
    #expect(accuracy.mIoUByDistance.count == interval)
  }
}
