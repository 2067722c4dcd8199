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

extension Image {
  /// FNV-1a over the samples.
  var hash64: UInt64 {
    withUnsafeBytes { $0.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } }
  }
}
