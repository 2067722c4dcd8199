// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

/// `run A B C`: several sources side by side through one network.
struct SeveralSourcesTests {
  let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.writeClip(to: "a.mp4", frames: 24)
    try scratch.writeClip(to: "b.mp4", frames: 10, width: 80, height: 60)
    try scratch.writePictures(to: "c", frames: 6)
  }

  // Label maps, roles and counts are what each source gives alone.
  @Test(arguments: ["every:4", "moved:1", "every:1"])
  func eachSourceGivesWhatItGivesAlone(scheduler: String) throws {
    let line = "--backbone NET --scheduler \(scheduler) --threads 2"
    let outcome = try scratch.inbetween(
      "run a.mp4 b.mp4 c \(line) --labels all/{name} --json {name}.json "
        + "--per-frame {number}.csv --output {name}-out.mp4")
    #expect(outcome.code == 0, "\(outcome.err)")
    #expect(outcome.out.contains("3 sources together: 40 frames"))
    for (place, source) in ["a.mp4", "b.mp4", "c"].enumerated() {
      let name = String(source.prefix(1))
      let alone = try scratch.inbetween(
        "run \(source) \(line) --labels alone/\(name) --json alone.json --per-frame alone.csv")
      #expect(alone.code == 0, "\(alone.err)")
      let names = try scratch.names("alone/\(name)")
      #expect(try scratch.names("all/\(name)") == names && !names.isEmpty)
      for map in names {
        #expect(
          try scratch.bytes("all/\(name)/\(map)") == scratch.bytes("alone/\(name)/\(map)"))
      }
      // Frame, time, role and reason.
      let tables = try ["\(place + 1).csv", "alone.csv"].map { try scratch.table($0) }
      #expect(tables[0].map { $0.prefix(4) } == tables[1].map { $0.prefix(4) })
      let results = try ["\(name).json", "alone.json"].map { try scratch.json($0) }
      let inputs = results.map { $0["input"] as? NSDictionary }
      #expect(inputs[0] == inputs[1])
      #expect(results[0]["status"] as? String == "ok")
      let wall = try #require(results[0]["wall"] as? [String: Any])
      let together = try #require(wall["together"] as? [String: Any])
      #expect(together["streams"] as? Int == 3 && together["frames"] as? Int == 40)
      #expect(scratch.has("\(name)-out.mp4"))
    }
  }

  @Test func oneThatBreaksOffDoesNotStopTheOthers() throws {
    let whole = try scratch.bytes("a.mp4")
    try scratch.write(whole.prefix(whole.count * 6 / 10), to: "cut.mp4")
    let outcome = try scratch.inbetween(
      "run a.mp4 cut.mp4 b.mp4 --backbone NET --labels maps/{name} --json {name}.json")
    #expect(outcome.code == 65 && outcome.err.contains("cut.mp4"), "\(outcome.err)")
    #expect(try scratch.names("maps/a").count == 24)
    #expect(try scratch.names("maps/b").count == 10)
    #expect(try scratch.json("b.json")["status"] as? String == "ok")
    #expect(try scratch.json("cut.json")["status"] as? String == "partial")
  }

  @Test(arguments: [
    ("run a.mp4 b.mp4 --output o.mp4", 64, "{name}"),
    ("run a.mp4 b.mp4 --json -", 64, "{name}"),
    ("run a.mp4 c/../a.mp4 --labels maps/{name}", 64, "{number}"),
    ("run a.mp4 b.mp4 --overlap", 64, "--overlap"),
    ("run a.mp4 b.mp4 --regions 2x2", 64, "--regions"),
    ("run a.mp4 --batch 2", 64, "several sources"),
    ("run a.mp4 b.mp4 --batch 0", 64, "1 to 256"),
    ("run a.mp4 none.mp4", 66, "none.mp4"),
    ("run a.mp4 b.mp4 --output {name}.mp4", 64, "overwrite what is read"),
    ("run a.mp4 b.mp4 --json {name}.mp4", 64, "overwrite what is read"),
  ])
  func whatCannotBeToldApartIsRefused(_ line: String, _ code: Int, _ words: String) throws {
    let before = try scratch.names()
    let outcome = try scratch.inbetween("\(line) --backbone NET")
    #expect(outcome.code == Int32(code) && outcome.errorLines.count == 1, "\(outcome)")
    #expect(outcome.err.contains(words), "\(outcome.err)")
    #expect(try scratch.names() == before)
  }
}
