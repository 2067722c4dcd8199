// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing
import Video

@Suite(.serialized) struct MemoryTests {
  /// Resident memory of this process in KiB.
  private func resident() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    guard fgets(&line, 128, file) != nil else { return 0 }
    let text = String(
      decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return (Int(text.split(separator: " ")[1]) ?? 0) * 4
  }

  @Test func readingThousandsOfFramesKeepsMemoryFlat() throws {
    let scratch = try Scratch()
    try writeClip(to: scratch("clip.mp4"), width: 320, height: 240, frames: 250)
    var (count, early) = (0, 0)
    for round in 0..<16 {
      let inner = try VideoFile(scratch("clip.mp4"), options: VideoOptions(motionVectors: true))
      let source = Prefetching(inner, depth: 3)
      while try source.next() != nil { count += 1 }
      if round == 3 { early = resident() }
    }
    // Other tests run beside this one, so the bound is loose: 3000 frames leaked are 690 MB.
    #expect(count == 4000 && resident() - early < 500_000)
  }
}
