// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

struct IndexTests {
  private let sweep =
    "sweep street:3 --backbone truth --frames 8 --flow dis:ultrafast --rounds 2 --timed-frames 3 "
    + "--set scheduler=every:2,every:4 --out s"

  // What the database says is what the results in the folders say.
  @Test func theIndexHoldsWhatTheResultsHold() throws {
    let home = try Scratch()
    #expect(try home.inbetween(sweep).code == 0)
    #expect(
      try home.inbetween(
        "eval street:3 --backbone truth --frames 8 --scheduler every:8 --out alone"
      ).code == 0)
    let made = try home.inbetween("index s alone --out all.sqlite")
    #expect(made.code == 0 && made.out == "all.sqlite: 4 runs\n", "\(made)")
    #expect(try home.bytes("all.sqlite").starts(with: Array("SQLite format 3\0".utf8)))
    // The same runs give the same file.
    let first = try home.bytes("all.sqlite")
    #expect(try home.inbetween("index s alone --out all.sqlite").code == 0)
    #expect(try home.bytes("all.sqlite") == first)
    let rows = try lines(
      of: home,
      "SELECT runs.folder, figures.value, figures.low, runs.key_share FROM runs "
        + "JOIN figures ON run = id WHERE figures.name = 'mIoU' ORDER BY folder")
    #expect(rows.count == 5 && rows[0] == ["folder", "value", "low", "key_share"])
    for row in rows.dropFirst() {
      let result = try home.json("\(row[0])/result.json")
      let accuracy = try #require(result["accuracy"] as? [String: Any])
      let (value, wanted) = (try #require(Double(row[1])), accuracy["mIoU"] as? Double)
      #expect(abs(value - (try #require(wanted))) < 1e-12)
      let intervals = result["intervals"] as? [String: [String: Any]]
      #expect(Double(row[2]) == intervals?["mIoU"]?["low"] as? Double)
      let speed = try #require(result["speed"] as? [String: Any])
      #expect(Double(row[3]) == speed["keyframe_ratio"] as? Double)
    }
  }

  // Two rounds of three points; the baseline's ratio to itself is 1.
  @Test func roundsOfTimingAreInTheIndex() throws {
    let home = try Scratch()
    #expect(try home.inbetween(sweep).code == 0)
    let rows = try lines(
      of: home, folders: "s",
      "SELECT count(*), min(times.frames), max(CASE WHEN is_baseline THEN ratio END), "
        + "min(CASE WHEN is_baseline THEN ratio END) FROM times JOIN runs ON id = run")
    #expect(rows[1] == ["6", "3", "1.0", "1.0"])
    let set = try lines(
      of: home, folders: "s", "SELECT value FROM settings WHERE key = 'scheduler' ORDER BY value")
    #expect(set == [["value"], ["every:2"], ["every:4"]])
    // A sweep leaves its index beside its points.
    #expect(home.has("s/index.sqlite"))
  }

  private func lines(
    of home: Scratch, folders: String = "s alone", _ query: String
  ) throws -> [[String]] {
    let outcome = try home.inbetween(
      ["index"] + folders.split(separator: " ").map(String.init) + ["--csv", "--sql", query])
    #expect(outcome.code == 0, "\(outcome.err)")
    return outcome.out.components(separatedBy: "\r\n").dropLast().map {
      $0.components(separatedBy: ",")
    }
  }

  @Test func whatCannotBeIndexedIsSaid() throws {
    let home = try Scratch()
    #expect(
      try home.inbetween("eval street:3 --backbone truth --frames 4 --out runs/a").code == 0)
    try home.write("my notes", to: "notes.txt")
    for (line, code, words) in [
      ("index none", 66, "no such folder"), ("index .", 0, "1 run"),
      ("index runs --out notes.txt", 73, "no SQLite database"),
      ("index runs --csv", 64, "--sql"), ("index", 64, "folders"),
    ] {
      let outcome = try home.inbetween(line)
      #expect(outcome.code == Int32(code), "\(line): \(outcome)")
      #expect((outcome.out + outcome.err).contains(words), "\(line): \(outcome)")
    }
    #expect(try home.bytes("notes.txt") == Array("my notes".utf8))
    for query in ["DROP TABLE runs", "SELECT nothing FROM runs", "DELETE FROM runs"] {
      let outcome = try home.inbetween(["index", "runs", "--sql", query])
      #expect(outcome.code != 0 && outcome.errorLines.count == 1, "\(query): \(outcome)")
    }
    // A result that is broken is left out and told; the others are there.
    try FileManager.default.createDirectory(
      atPath: home("runs/b"), withIntermediateDirectories: true)
    try home.write("{", to: "runs/b/result.json")
    let outcome = try home.inbetween("index runs")
    #expect(outcome.code == 0 && outcome.out.contains("1 run\n"), "\(outcome)")
    #expect(outcome.err.contains("warning") && outcome.err.contains("runs/b"))
  }
}
