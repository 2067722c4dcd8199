// SPDX-License-Identifier: Apache-2.0
import Flow
import Foundation
import TestSupport
import Testing
import Video

/// End-point errors on public pairs, beside OpenCV's on the same files at the same preset.
@Suite(.enabled(if: sharedData != nil, "shared data is not there"))
struct DISFlowAccuracyTests {
  @Test(arguments: [
    "Dimetrodon", "Grove2", "Grove3", "Hydrangea", "RubberWhale", "Urban2", "Urban3", "Venus",
  ])
  func itIsAsAccurateAsOpenCVOnMiddlebury(name: String) throws {
    let folder = try #require(sharedData).appendingPathComponent("flow/middlebury")
    let frames = try stills("\(folder.path)/other-data/\(name)/frame", "10.png", "11.png")
    let truth = try MotionField(floFile: "\(folder.path)/other-gt-flow/\(name)/flow10.flo")
    try expectAccuracy(on: frames, truth)
  }

  @Test(arguments: ["000045", "000157"])
  func itIsAsAccurateAsOpenCVOnKITTI(name: String) throws {
    let folder = try #require(sharedData).appendingPathComponent("flow/kitti2012")
    let frames = try stills("\(folder.path)/image_0_\(name)_", "10.png", "11.png")
    let truth = try MotionField(kittiFile: "\(folder.path)/flow_occ_\(name)_10.png")
    try expectAccuracy(on: frames, truth)
  }

  private func expectAccuracy(on frames: [Frame], _ truth: MotionField) throws {
    for preset in DISFlow.Preset.allCases {
      let other = try #require(OpenCVDISFlow.Preset(rawValue: preset.rawValue))
      let ours = try error(of: DISFlow(preset: preset, threads: 2), on: frames, truth)
      let theirs = try error(of: OpenCVDISFlow(preset: other), on: frames, truth)
      #expect(ours <= 1.05 * theirs, "\(preset): \(ours) px, OpenCV \(theirs) px")
    }
  }

  private func error(
    of estimator: some FlowEstimator, on frames: [Frame], _ truth: MotionField
  ) throws -> Double {
    let motion = try estimator.motion(from: frames[0], to: frames[1])
    return try #require(try motion.endPointError(against: truth)).mean
  }
}

private func stills(_ path: String, _ names: String...) throws -> [Frame] {
  try names.enumerated().map { index, name in
    Frame(index: index, time: 0, pixels: try Image(contentsOf: path + name))
  }
}
