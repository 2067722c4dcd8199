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
