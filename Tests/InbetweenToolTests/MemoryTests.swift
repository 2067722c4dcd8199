// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

struct MemoryTests {
  let scratch: Scratch
  private let frames = 5000

  init() throws {
    scratch = try Scratch()
    try scratch.writeClip(to: "clip.mp4", frames: frames)
  }

  @Test func memoryStaysFlatOverFiveThousandFrames() throws {
    let running = try scratch.start(
      "run clip.mp4 --backbone NET --scheduler every:10 --threads 1 --output o.mp4 --json r.json "
        + "--per-frame f.csv")
    let samples = try residentSamples(of: running)
    let outcome = try running.wait()
    #expect(outcome.code == 0, "\(outcome.err)")
    let input = try scratch.json("r.json")["input"] as? [String: Any]
    #expect(input?["frames_decoded"] as? Int == frames)

    // What is kept of a frame until the end, its times and its line of the table, was measured as
    // 1.5 MB in the 3000 frames between the windows; pictures or label maps kept would be 27 or 9
    // MB.
    try #require(samples.count >= 20)
    let early = median(samples[(samples.count / 5)..<(samples.count * 2 / 5)])
    let late = median(samples[(samples.count * 4 / 5)...])
    #expect(late - early <= 8 * 1024, "\(early) KiB grew to \(late) KiB")
  }

  /// Resident memory in KiB, from when the first frames are written until the program ends.
  private func residentSamples(of running: Running) throws -> [Int] {
    let path = "/proc/\(running.process.processIdentifier)/status"
    var samples: [Int] = []
    while running.process.isRunning {
      Thread.sleep(forTimeInterval: 0.02)
      guard try !samples.isEmpty || isWriting() else { continue }
      if let size = resident(path) { samples.append(size) }
    }
    return samples
  }

  /// Whether more than a video's header is in the file that will be the output.
  private func isWriting() throws -> Bool {
    try scratch.names().contains { name in
      guard name.hasSuffix(".tmp") else { return false }
      let attributes = try? FileManager.default.attributesOfItem(atPath: scratch(name))
      return attributes?[.size] as? Int ?? 0 > 16384
    }
  }

  private func resident(_ path: String) -> Int? {
    let status = try? String(contentsOfFile: path, encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return line.flatMap { Int($0.split(whereSeparator: \.isWhitespace)[1]) }
  }

  private func median(_ values: ArraySlice<Int>) -> Int { values.sorted()[values.count / 2] }
}
