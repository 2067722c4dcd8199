// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

/// What is left when a run is stopped: whole files under their names, or none.
struct SignalTests {
  let scratch: Scratch
  private let line =
    "run clip.mp4 --backbone NET --output o.mp4 --labels maps --json r.json --per-frame f.csv"

  init() throws {
    scratch = try Scratch()
    try scratch.write(Self.longClip.get(), to: "clip.mp4")
  }

  private static let longClip = Result {
    let scratch = try Scratch()
    try scratch.writeClip(to: "clip.mp4", frames: 4000, width: 32, height: 32, keyInterval: 50)
    return try scratch.bytes("clip.mp4")
  }

  @Test(arguments: [(SIGINT, 130, "interrupted"), (SIGTERM, 143, "terminated")])
  func oneSignalEndsTheRunAfterItsFrame(number: Int32, code: Int32, word: String) throws {
    let running = try scratch.start(line)
    try waitForMaps(atLeast: 5)
    running.send(number)
    let outcome = try running.wait()
    #expect(outcome.code == code, "\(outcome.err)")
    // Before it there may be lines that tell how far a slow run was.
    #expect(outcome.errorLines.last?.contains(word) == true)
    let count = try scratch.names("maps").count
    #expect((5..<4000).contains(count))
    #expect(try frames(of: "o.mp4") == count)
    #expect(try scratch.table("f.csv").count == count + 1)
    let result = try scratch.json("r.json")
    #expect(result["status"] as? String == "cancelled")
    #expect((result["input"] as? [String: Any])?["frames_decoded"] as? Int == count)
    #expect(try scratch.names() == ["clip.mp4", "f.csv", "maps", "o.mp4", "r.json"])
  }

  @Test func aSecondSignalEndsTheProcessAtOnce() throws {
    let running = try scratch.start(line)
    try waitForMaps(atLeast: 2)
    running.send(SIGINT)
    running.send(SIGTERM)
    running.send(SIGINT)
    let outcome = try running.wait()
    #expect(outcome.code == 130 || outcome.code == 143)
    try expectNothingHalfDone()
  }

  @Test func aSignalWhileLoadingIsHeardToo() throws {
    for milliseconds in [0, 20, 80, 200] {
      let running = try scratch.start(line)
      usleep(useconds_t(1000 * milliseconds))
      running.send(SIGINT)
      let outcome = try running.wait()
      // Before the program's first line runs, the system itself ends the process.
      #expect(outcome.code == 130 || outcome.signal == SIGINT)
      try expectNothingHalfDone()
    }
  }

  @Test func aKilledRunLeavesNothingHalfDoneUnderAFinalName() throws {
    let running = try scratch.start(line)
    try waitForMaps(atLeast: 5)
    running.send(SIGKILL)
    #expect(try running.wait().signal == SIGKILL)
    for name in ["o.mp4", "r.json", "f.csv"] { #expect(!scratch.has(name)) }
    try expectNothingHalfDone()
    let left = try scratch.names().filter { $0.hasSuffix(".tmp") }
    #expect(left.count == 1)
    #expect(left[0].hasPrefix("o.mp4.inbetween-"))
    // The next run that writes there removes it.
    let next = try scratch.inbetween("run clip.mp4 --frames 3 --backbone NET --json other.json")
    #expect(next.code == 0, "\(next.err)")
    #expect(try scratch.names().allSatisfy { !$0.hasSuffix(".tmp") })
  }

  @Test func anInterruptedMeasurementTellsWhatItMeasured() throws {
    // Until loading is over there is nothing to tell, which takes a slow machine long.
    for seconds in [8, 24, 72] as [UInt32] {
      let running = try scratch.start("eval street:3 --frames 500 --backbone truth --json r.json")
      sleep(seconds)
      running.send(SIGINT)
      let outcome = try running.wait()
      #expect(outcome.code == 130 && outcome.err.contains("interrupted"), "\(outcome.err)")
      if scratch.has("r.json") { break }
    }
    #expect(try scratch.json("r.json")["status"] as? String == "cancelled")
  }

  private func waitForMaps(atLeast count: Int) throws {
    try #require(eventually { (try? scratch.names("maps"))?.count ?? 0 > count })
  }

  /// What bears a final name can be read to its end.
  private func expectNothingHalfDone() throws {
    if scratch.has("o.mp4") { #expect(try frames(of: "o.mp4") > 0) }
    if scratch.has("r.json") { #expect(try scratch.json("r.json")["status"] != nil) }
    guard scratch.has("maps") else { return }
    for name in try scratch.names("maps") where name.hasSuffix(".png") {
      #expect(try Image.labels(contentsOf: scratch("maps/" + name)).width == 32)
    }
  }

  private func frames(of name: String) throws -> Int {
    let source = try VideoSource.open(scratch(name))
    while try source.next() != nil {}
    #expect(source.report.isClean)
    return source.report.decoded
  }
}
