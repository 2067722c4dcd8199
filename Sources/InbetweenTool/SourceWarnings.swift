// SPDX-License-Identifier: Apache-2.0

internal import Flow
internal import Video

extension StreamInfo {
  /// What is odd about a stream before it is read.
  func warnings(along flow: any FlowEstimator) -> [String] {
    guard flow.needsMotionVectors, hasBidirectionalFrames else { return [] }
    return [
      """
      the video has B frames, whose motion vectors lead to later frames too: motion along --flow \
      codec is unknown there, and labels are copied where it is; 'inbetween video prepare IN OUT' \
      encodes it anew without them
      """
    ]
  }
}

extension StreamReport {
  /// What was odd about a stream that was read.
  var warnings: [String] {
    var warnings: [String] = []
    if damagedPackets > 0 {
      let what = damagedPackets == 1 ? "picture or packet" : "pictures or packets"
      let reason = firstDamage.map { ": \($0)" } ?? ""
      warnings.append("\(damagedPackets) \(what) cannot be read\(reason)")
    }
    if undecodable > 0 {
      warnings.append(
        "the video begins between key frames: \(undecodable) frames that cannot be decoded are "
          + "left out")
    }
    if concealedFrames > 0 {
      warnings.append(
        "\(concealedFrames) of \(decoded) frames are damaged, and in part made up by the decoder")
    }
    return warnings
  }
}
