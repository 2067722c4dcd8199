// SPDX-License-Identifier: Apache-2.0

import Backbone
import Flow
import Foundation
import Frames
import Pipeline
import Propagation
import Scheduler
import TestSupport
import Testing
import Video

struct RunTests {
  let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.writeClip(to: "clip.mp4", frames: 24)
  }

  @Test func everyOutputHoldsEveryFrame() throws {
    let outcome = try scratch.inbetween(
      "run clip.mp4 --backbone NET --output o.mp4 --labels maps --json r.json --per-frame f.csv")
    #expect(outcome.code == 0)
    #expect(outcome.err.isEmpty)
    #expect(outcome.out.contains("24 frames"))
    #expect(try frames(of: "o.mp4") == 24)
    #expect(try scratch.names("maps") == (0..<24).map { String(format: "%06d.png", $0) })
    #expect(try scratch.table("f.csv").count == 25)
    #expect(try scratch.names() == ["clip.mp4", "f.csv", "maps", "o.mp4", "r.json"])
  }

  // What the network says of every frame is the truth: of all of them it is right, of every sixth
  // and copies of it, wrong where something moved.
  @Test func agreementIsMeasuredWhereNobodyLabelled() throws {
    for (interval, isRight) in [(1, true), (6, false)] {
      let outcome = try scratch.inbetween(
        "eval video:clip.mp4 --agreement --backbone NET --scheduler every:\(interval) "
          + "--propagator copy --errors maps --json r.json")
      #expect(outcome.code == 0, "\(outcome.err)")
      let accuracy = try #require(try scratch.json("r.json")["accuracy"] as? [String: Any])
      #expect((accuracy["mIoU"] as? Double == 1) == isRight)
      #expect(accuracy["labelled_frames"] as? Int == 24)
      let names = try scratch.names("maps")
      #expect(names.count == 24)
      let wrong = try names.map { name in
        try Image.labels(contentsOf: scratch("maps/\(name)")).bytes.count { $0 < 4 }
      }
      #expect((wrong.reduce(0, +) == 0) == isRight)
      #expect(wrong[0] == 0 && wrong[6] == 0 && wrong[12] == 0)
    }
  }

  @Test func theResultHasTheFieldsThatScriptsRead() throws {
    #expect(try scratch.inbetween("run clip.mp4 --backbone NET --json r.json").code == 0)
    let result = try scratch.json("r.json")
    #expect(result["schema_version"] as? Int == 2)
    #expect(result["status"] as? String == "ok")
    let input = try #require(result["input"] as? [String: Any])
    #expect(input["path"] as? String == "clip.mp4")
    #expect(input["codec"] as? String == "h264")
    #expect(input["frames_container"] as? Int == 24)
    #expect(input["frames_decoded"] as? Int == 24)
    #expect(input["decode_errors"] as? Int == 0)
    #expect(input["truncated"] as? Bool == false)
    let cost = try #require(result["cost"] as? [String: Any])
    #expect(try #require(cost["peak_rss_bytes"] as? Int) > 10_000_000)
    let speed = try #require(result["speed"] as? [String: Any])
    #expect(speed["keyframe_ratio"] as? Double == 5 / 24.0)
    #expect(speed["frames"] as? Int == 24)
    let latency = try #require(speed["latency_ms"] as? [String: Any])
    #expect(Set(latency.keys) == ["all", "key", "propagated", "by_stage"])
    for role in ["all", "key", "propagated"] {
      let summary = try #require(latency[role] as? [String: Double])
      #expect(Set(summary.keys).isSuperset(of: ["mean", "p50", "p90", "p95", "max", "n"]))
    }
    let stages = try #require(latency["by_stage"] as? [String: Any])
    #expect(Set(stages.keys).isSuperset(of: ["decode", "backbone", "flow", "propagate"]))
    let parts = try #require(result["pipeline"] as? [String: String])
    #expect(parts["scheduler"] == "every:5" && parts["propagator"] == "warp")
  }

  @Test func theTableTellsRolesReasonsAndTimes() throws {
    #expect(
      try scratch.inbetween("run clip.mp4 --backbone NET --frames 7 --per-frame f.csv").code == 0)
    let rows = try scratch.table("f.csv")
    #expect(
      rows[0] == [
        "frame", "time", "role", "reason", "score", "threshold", "frames_since_key", "decode_ms",
        "resize_ms", "wait_ms", "schedule_ms", "flow_ms", "backbone_ms", "prepare_ms",
        "propagate_ms",
        "fuse_ms", "head_ms", "total_ms",
      ])
    #expect(
      rows.dropFirst().map { $0[2] } == ["key"] + [String](repeating: "propagated", count: 4)
        + ["key", "propagated"])
    #expect(rows.dropFirst().map { $0[6] } == ["0", "1", "2", "3", "4", "0", "1"])
    #expect(rows.dropFirst().map { Double($0[1]) } == (0..<7).map { Double($0) / 25 })
    for row in rows.dropFirst() {
      let times = try row[7...].map { try #require(Double($0)) }
      let total = try #require(times.last)
      #expect(times.dropFirst().dropLast().reduce(0, +) <= total + 0.001)
    }
  }

  // The way of other devices: another program's interpolation, so equal but for ties.
  @Test func theLibrarysWarpGivesTheSameLabels() throws {
    let line = "run clip.mp4 --backbone NET --propagator warp:previous --labels"
    let other = ["INBETWEEN_WARP": "library"]
    #expect(try scratch.inbetween("\(line) ours").code == 0)
    #expect(try scratch.inbetween("\(line) theirs", environment: other).code == 0)
    var (pixels, differing) = (0, 0)
    for name in try scratch.names("ours") {
      let ours = try Image(contentsOf: scratch("ours/\(name)"))
      let theirs = try Image(contentsOf: scratch("theirs/\(name)"))
      pixels += ours.bytes.count
      differing += zip(ours.bytes, theirs.bytes).count { $0 != $1 }
    }
    #expect(pixels > 10_000 && differing * 500 < pixels, "\(differing) of \(pixels)")
  }

  @Test(arguments: ["copy", "warp", "warp:previous"])
  func labelMapsAreTheLibrarysOwn(propagation: String) throws {
    #expect(
      try scratch.inbetween(
        "run clip.mp4 --backbone NET --propagator \(propagation) --labels maps"
      ).code == 0)
    let network = try ImportedNetwork(contentsOf: Fixtures.network)
    let propagator: any Propagator =
      propagation == "copy" ? Copy() : Warp(from: propagation == "warp" ? .keyframe : .previous)
    let pipeline = try KeyframePipeline(
      backbone: network, head: network.head, scheduler: .every(5), propagator: propagator,
      flow: DISFlow(preset: .medium))
    let (source, palette) = (
      try VideoSource.open(scratch("clip.mp4")), network.head.classes.palette
    )
    var state = pipeline.start()
    var seen: Set<UInt8> = []
    while let frame = try source.next() {
      let labels = try pipeline.label(frame, in: &state).labels
      let path = scratch(String(format: "maps/%06d.png", frame.index))
      #expect(try Image.labels(contentsOf: path) == labels)
      let colour = palette.colour(of: labels[x: 20, y: 5])
      let shown = try Image(contentsOf: path)
      #expect(
        shown[x: 20, y: 5, channel: 0] == colour.blue
          && shown[x: 20, y: 5, channel: 2] == colour.red)
      labels.withUnsafeBytes { seen.formUnion($0) }
    }
    #expect(seen == [0, 1, 2, 3])
  }

  @Test(arguments: ["--threads 2", "--read-ahead", "--threads 2 --read-ahead"])
  func labelsDependNeitherOnThreadsNorOnReadingAhead(options: String) throws {
    #expect(
      try scratch.inbetween("run clip.mp4 --backbone NET --threads 1 --labels a").code == 0)
    #expect(try scratch.inbetween("run clip.mp4 --backbone NET \(options) --labels b").code == 0)
    for name in try scratch.names("a") {
      #expect(try scratch.bytes("a/" + name) == scratch.bytes("b/" + name))
    }
  }

  // All but times: maps, the bytes of the overlay, the table's roles and reasons.
  @Test(arguments: ["every:5", "moved:2", "every:1"])
  func overlappedStagesGiveWhatTheyGiveInSeries(scheduler: String) throws {
    let line = "run clip.mp4 --backbone NET --scheduler \(scheduler) --threads 2"
    for (name, options) in [("a", ""), ("b", " --overlap")] {
      let outcome = try scratch.inbetween(
        "\(line)\(options) --labels \(name) --output \(name).mp4 --per-frame \(name).csv "
          + "--json \(name).json")
      #expect(outcome.code == 0 && outcome.err.isEmpty)
    }
    #expect(try scratch.names("a").count == 24)
    #expect(try scratch.names("a") == scratch.names("b"))
    for name in try scratch.names("a") {
      #expect(try scratch.bytes("a/" + name) == scratch.bytes("b/" + name))
    }
    #expect(try scratch.bytes("a.mp4") == scratch.bytes("b.mp4"))
    let tables = try ["a.csv", "b.csv"].map { try scratch.table($0).map { Array($0.prefix(7)) } }
    #expect(tables[0] == tables[1] && tables[0].count == 25)
    let wall = try #require(scratch.json("b.json")["wall"] as? [String: Any])
    #expect(wall["overlap"] as? Bool == true && wall["frames"] as? Int == 14)
    #expect(try #require(wall["frames_per_second"] as? Double) > 0)
  }

  // The frames before a stage fails are kept, and nobody waits for anybody: decoding, the pipeline
  // and writing, each while the others are under way.
  // Predictions come a key interval late: frames, their numbers and what is told of them do not.
  @Test(arguments: ["", " --threads 2 --overlap", " --frames 9"])
  func framesThatWaitedAreWrittenInTheirOrder(options: String) throws {
    let bidirectional = "run clip.mp4 --backbone NET --scheduler every:4 --bidirectional"
    let outcome = try scratch.inbetween(
      bidirectional + " --labels maps --per-frame f.csv --json r.json" + options)
    #expect(outcome.code == 0, "\(outcome.err)")
    let count = options.contains("9") ? 9 : 24
    #expect(try scratch.names("maps") == (0..<count).map { String(format: "%06d.png", $0) })
    let rows = try scratch.table("f.csv").dropFirst()
    #expect(rows.count == count)
    let limit = options.contains("9") ? " --frames 9" : ""
    let eval = "eval video:clip.mp4 --agreement --backbone NET --scheduler every:4" + limit
    let plain = try scratch.inbetween(eval + " --labels plain")
    let both = try scratch.inbetween(eval + " --bidirectional --labels both")
    #expect(plain.code == 0 && both.code == 0, "\(both.err)")
    func maps(_ folder: String) throws -> [[UInt8]] {
      try scratch.names(folder).map {
        try [UInt8](Image.labels(contentsOf: scratch("\(folder)/\($0)")).bytes)
      }
    }
    let (found, judged, forward) = (try maps("maps"), try maps("both"), try maps("plain"))
    #expect(found == judged)
    for index in 0..<count where index.isMultiple(of: 4) || index > (count - 1) / 4 * 4 {
      #expect(found[index] == forward[index], "frame \(index)")
    }
    #expect(found != forward)
    let cut = try scratch.inbetween("live clip.mp4 --newest --backbone NET --bidirectional")
    #expect(cut.code == 64 && cut.err.contains("is for recordings"), "\(cut.err)")
  }

  @Test func overlappedStagesEndTogetherWhereOneFails() throws {
    let whole = try scratch.bytes("clip.mp4")
    try scratch.write(whole.prefix(whole.count * 6 / 10), to: "cut.mp4")
    for line in ["cut.mp4 --output o.mp4", "clip.mp4 --output o.mp4 --frames 3"] {
      let texts = try ["", " --overlap"].map { options in
        let outcome = try scratch.inbetween("run \(line) --backbone NET --labels m\(options)")
        let done = (count: try frames(of: "o.mp4"), maps: try scratch.names("m"))
        return "\(outcome.code ?? -1) \(outcome.err)\(done)"
      }
      #expect(texts[0] == texts[1])
    }
  }

  @Test func picturesAreLabelledInNaturalOrderUnderTheirNames() throws {
    try scratch.writePictures(to: "pictures", frames: 5)
    #expect(
      try scratch.inbetween(
        "run pictures --backbone NET --output o.mp4 --labels a/b --json r.json"
      ).code == 0)
    #expect(
      try scratch.names("a/b") == ["img10.png", "img11.png", "img7.png", "img8.png", "img9.png"])
    #expect(try frames(of: "o.mp4") == 5)
    let first = try Image.labels(contentsOf: scratch("a/b/img7.png"))
    #expect(try scratch.inbetween("run pictures/img7.png --backbone NET --labels one").code == 0)
    #expect(try Image.labels(contentsOf: scratch("one/img7.png")) == first)
  }

  @Test func aRefusedRunLeavesNoFolderBehind() throws {
    let refused = try scratch.inbetween(
      "run clip.mp4 --backbone NET --labels new/maps --output nowhere/o.mp4")
    #expect(refused.code == 73 && refused.err.contains("nowhere"), "\(refused.err)")
    #expect(!FileManager.default.fileExists(atPath: scratch("new")))
    // What was there before stays, empty or not.
    try FileManager.default.createDirectory(
      atPath: scratch("old"), withIntermediateDirectories: true)
    let again = try scratch.inbetween(
      "run clip.mp4 --backbone NET --labels old/maps --output nowhere/o.mp4")
    #expect(again.code == 73)
    #expect(try scratch.names("old") == [])
  }

  // Regions and the codec's motion do not go together, which shows once the parts are put together.
  @Test func anEvaluationThatIsRefusedLeavesNoFolder() throws {
    let outcome = try scratch.inbetween(
      "eval video:clip.mp4 --agreement --backbone NET --flow codec --regions 2x2 "
        + "--labels new/maps --errors new/errors --out new/run")
    #expect(outcome.code != 0 && outcome.errorLines.count == 1, "\(outcome.err)")
    #expect(!FileManager.default.fileExists(atPath: scratch("new")), "\(outcome.err)")
  }

  @Test(arguments: ["copy", "warp"])
  func codecMotionRunsOnAVideoThatHasIt(propagation: String) throws {
    let outcome = try scratch.inbetween(
      "run clip.mp4 --backbone NET --flow codec --propagator \(propagation) --json r.json")
    #expect(outcome.code == 0, "\(outcome.err)")
  }

  @Test(arguments: ["", " --scheduler every:20 --bidirectional"])
  func aVideoCutShortIsLabelledAsFarAsItGoes(options: String) throws {
    let whole = try scratch.bytes("clip.mp4")
    try scratch.write(whole.prefix(whole.count * 6 / 10), to: "cut.mp4")
    let line =
      "run cut.mp4 --backbone NET --output o.mp4 --json r.json --per-frame f.csv" + options
    let outcome = try scratch.inbetween(line)
    #expect(outcome.code == 65)
    #expect(outcome.errorLines.count == 1)
    let (result, count) = (try scratch.json("r.json"), try frames(of: "o.mp4"))
    let input = try #require(result["input"] as? [String: Any])
    #expect(result["status"] as? String == "partial")
    #expect(input["truncated"] as? Bool == true)
    #expect(input["frames_decoded"] as? Int == count)
    #expect((1..<24).contains(count))
    #expect(try scratch.table("f.csv").count == count + 1)
    #expect(outcome.err.contains("\(count) of 24"))
    let allowed = try scratch.inbetween(line + " --allow-truncated")
    #expect(allowed.code == 0)
    #expect(allowed.err.isEmpty)
    #expect(try scratch.json("r.json")["status"] as? String == "partial")
  }

  private func frames(of name: String) throws -> Int {
    let source = try VideoSource.open(scratch(name))
    while try source.next() != nil {}
    return source.report.decoded
  }
}
