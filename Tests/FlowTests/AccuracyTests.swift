// SPDX-License-Identifier: Apache-2.0
import Flow
import Foundation
import TestSupport
import Testing
import Video

/// End-point errors on public pairs, beside those of OpenCV 5.0's own DIS in Python on the same
/// files.
@Suite(.enabled(if: sharedData != nil, "shared data is not there"))
struct AccuracyTests {
  static let middleburyPairs: [(name: String, openCV: Double)] = [
    ("Dimetrodon", 0.1534), ("Grove2", 0.3239), ("Grove3", 0.8532), ("Hydrangea", 0.2509),
    ("RubberWhale", 0.2235),
    ("Urban2", 0.652), ("Urban3", 1.9859), ("Venus", 0.3907),
  ]
  static let kittiPairs: [(name: String, truth: String, openCV: Double)] = [
    ("000045", "noc", 0.9016), ("000045", "occ", 1.173), ("000157", "noc", 0.2342),
    ("000157", "occ", 0.2356),
  ]

  @Test(arguments: middleburyPairs)
  func disIsAsAccurateAsOpenCVOnMiddlebury(name: String, openCV: Double) throws {
    let folder = try #require(sharedData).appendingPathComponent(
      "flow/middlebury/other-data/\(name)")
    let motion = try OpenCVDISFlow().motion(
      from: still(folder, "frame10.png"), to: still(folder, "frame11.png"))
    let error = try #require(try motion.endPointError(against: middlebury(name)))
    print("\(name): \(rounded(error.mean)) px, OpenCV \(openCV)")
    #expect(error.mean < 1.1 * openCV)
  }

  @Test(arguments: kittiPairs)
  func disIsAsAccurateAsOpenCVOnKITTI(name: String, truth: String, openCV: Double) throws {
    let folder = try #require(sharedData).appendingPathComponent("flow/kitti2012")
    let motion = try OpenCVDISFlow().motion(
      from: still(folder, "image_0_\(name)_10.png"), to: still(folder, "image_0_\(name)_11.png"))
    let wanted = try MotionField(
      kittiFile: folder.appendingPathComponent("flow_\(truth)_\(name)_10.png").path)
    let error = try #require(try motion.endPointError(against: wanted))
    print(
      "KITTI \(name) \(truth): \(rounded(error.mean)) px, OpenCV \(openCV);",
      "\(rounded(100 * error.outliers)) % outliers")
    #expect(error.mean < 1.1 * openCV)
  }
}

private func still(_ folder: URL, _ name: String) throws -> Frame {
  Frame(
    index: 0, time: 0, pixels: try Image(contentsOf: folder.appendingPathComponent(name).path))
}

private func rounded(_ value: Double) -> String { String(format: "%.3f", value) }
