// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

struct DamageTests {
  let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.writeClip(to: "clip.mp4", frames: 30, keyInterval: 6)
  }

  @Test(arguments: 0..<20)
  func aDamagedVideoGivesWholeOutputsOrASentence(seed: Int) throws {
    try scratch.write(damaged(scratch.bytes("clip.mp4"), seed: seed), to: "bad.mp4")
    let outcome = try scratch.inbetween(
      "run bad.mp4 --backbone NET --threads 1 --output o.mp4 --json r.json --per-frame f.csv")
    #expect(outcome.code == 0 || outcome.code == 65, "\(outcome.err)")
    let sentences = outcome.errorLines.filter { !$0.hasPrefix("inbetween: warning: ") }
    #expect(sentences.count == (outcome.code == 0 ? 0 : 1), "\(outcome.err)")
    #expect(try scratch.names().allSatisfy { !$0.hasSuffix(".tmp") })
    guard scratch.has("r.json") else { return #expect(outcome.code == 65) }
    let result = try scratch.json("r.json")
    let input = try #require(result["input"] as? [String: Any])
    let count = try #require(input["frames_decoded"] as? Int)
    if outcome.code == 65 { #expect(result["status"] as? String == "partial") }
    #expect(scratch.has("o.mp4") == (count > 0))
    guard count > 0 else { return }
    #expect(try frames(of: "o.mp4") == count)
    #expect(try scratch.table("f.csv").count == count + 1)
  }

  private func frames(of name: String) throws -> Int {
    let source = try VideoSource.open(scratch(name))
    while try source.next() != nil {}
    #expect(source.report.isClean)
    return source.report.decoded
  }
}
