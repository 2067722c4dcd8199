// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

@Suite struct MotionVectorTests {
  /// The vectors as rows of the reference files.
  private func rows(_ frame: Frame) -> [[Int32]] {
    (frame.motionVectors ?? []).map {
      [
        $0.source, Int32($0.width), Int32($0.height), Int32($0.sourceX), Int32($0.sourceY),
        Int32($0.x), Int32($0.y), $0.motionX, $0.motionY, Int32($0.scale),
      ]
    }
  }

  @Test(
    .enabled(if: sharedData != nil, "shared data is not there"),
    arguments: ["h264", "mpeg4_part2"], [1, 3])
  func vectorsAndTypesAreThoseOfTheReference(codec: String, threads: Int) throws {
    let folder = try #require(sharedData).path + "/motion_vectors/"
    let options = VideoOptions(motionVectors: true, threads: threads)
    let source = try VideoSource.open(folder + "vid_\(codec).mp4", options: options)
    let types = try String(contentsOfFile: folder + codec + "/frame_types.txt", encoding: .utf8)
      .split(separator: "\n")
    for index in 0...40 {
      let frame = try #require(try source.next())
      #expect(frame.index == index && frame.pictureType.rawValue == types[index])
      let expected = try NumpyArray(contentsOf: folder + codec + "/mvs-\(index).npy").rows
      #expect(rows(frame) == expected, "frame \(index)")
    }
  }
}
