// SPDX-License-Identifier: Apache-2.0
import Flow
import Foundation
import Video

/// Two frames and the exact motion between them.
struct TruePair {
  let name: String
  let current: Frame, reference: Frame
  let truth: MotionField
}

/// The pairs of Middlebury and KITTI 2012 that lie in a folder, grey.
func truePairs(in folder: URL) throws -> [TruePair] {
  let middlebury = folder.appendingPathComponent("middlebury")
  let images = middlebury.appendingPathComponent("other-data")
  var pairs = try FileManager.default.contentsOfDirectory(atPath: images.path).sorted().map {
    name in
    TruePair(
      name: name, current: try greyFrame(0, images.path + "/\(name)/frame10.png"),
      reference: try greyFrame(1, images.path + "/\(name)/frame11.png"),
      truth: try MotionField(floFile: middlebury.path + "/other-gt-flow/\(name)/flow10.flo"))
  }
  let kitti = folder.appendingPathComponent("kitti2012").path
  for number in ["000045", "000157"] {
    pairs.append(
      TruePair(
        name: "KITTI-\(number.suffix(3))",
        current: try greyFrame(0, kitti + "/image_0_\(number)_10.png"),
        reference: try greyFrame(1, kitti + "/image_0_\(number)_11.png"),
        truth: try MotionField(kittiFile: kitti + "/flow_occ_\(number)_10.png")))
  }
  return pairs
}

private func greyFrame(_ index: Int, _ path: String) throws -> Frame {
  Frame(index: index, time: 0, pixels: try Image(contentsOf: path).grey())
}
