// SPDX-License-Identifier: Apache-2.0

import Video

/// All frames that are left in a source.
func frames(of source: any FrameSource) throws -> [Frame] {
  var frames: [Frame] = []
  while let frame = try source.next() { frames.append(frame) }
  return frames
}

/// Picture types as text, one letter a frame.
func drawn(_ frames: [Frame]) -> String { frames.map(\.pictureType.rawValue).joined() }
