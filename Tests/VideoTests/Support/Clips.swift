// SPDX-License-Identifier: Apache-2.0

import Video

enum ClipContent { case smooth, noise }

/// Encodes a small moving clip with the writer under test.
func writeClip(
  to path: String, width: Int = 64, height: Int = 48, frames: Int,
  rate: FrameRate = FrameRate(25), keyInterval: Int? = nil, content: ClipContent = .smooth
) throws {
  var options = VideoWriter.Options()
  (options.rateFactor, options.keyInterval, options.threads) = (12, keyInterval, 1)
  let writer = try VideoWriter(to: path, width: width, height: height, rate: rate, options: options)
  for index in 0..<frames {
    switch content {
    case .smooth: try writer.add(smooth(width: width, height: height, phase: index * 2))
    case .noise: try writer.add(noise(width: width, height: height, seed: UInt64(index)))
    }
  }
  try writer.finish()
}
