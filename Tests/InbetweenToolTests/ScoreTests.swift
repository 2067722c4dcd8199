// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

private func runTool(_ arguments: [String]) throws -> Outcome {
  try Running(program, arguments, in: packageRoot).wait()
}

struct ScoreTests {
  private let street = [
    "street:3", "--frames", "20", "--backbone", "truth", "--scheduler", "every:4", "--propagator",
    "warp", "--threads", "1", "--no-warm-up",
  ]

  // What was saved gives the same numbers, to every digit.
  @Test func savedLabelsGiveTheFiguresOfTheRun() throws {
    let scratch = try Scratch()
    let eval = try runTool(
      ["eval"] + street + [
        "--labels", scratch("maps"), "--out", scratch("run"), "--metric", "boundary:2",
      ])
    #expect(eval.code == 0, "\(eval.err)")
    #expect(try scratch.names("maps").count == 20 && scratch.has("maps/000019.png"))
    let score = try runTool([
      "score", scratch("maps"), "street:3", "--frames", "20", "--out", scratch("again"),
      "--metric", "boundary:2", "--threads", "1",
    ])
    #expect(score.code == 0, "\(score.err)")
    let (run, again) = (try scratch.json("run/result.json"), try scratch.json("again/result.json"))
    let (one, two) = (run["accuracy"] as? [String: Any], again["accuracy"] as? [String: Any])
    for figure in ["mIoU", "mAcc", "aAcc", "TC", "TC_ETC", "VC8", "VC16", "mIoU_frame_mean"] {
      let value = try #require(one?[figure] as? Double, "\(figure)")
      #expect(value == two?[figure] as? Double, "\(figure)")
      #expect(value < 1)
    }
    #expect(run["scores"] as? [String: Double] == again["scores"] as? [String: Double])
    #expect((run["scores"] as? [String: Double])?["boundary_mIoU_2"] != nil)
    let (before, after) = (
      run["intervals"] as? [String: [String: Double]],
      again["intervals"] as? [String: [String: Double]]
    )
    #expect(before?["mIoU"] != nil && before?["mIoU"] == after?["mIoU"])
    #expect(after?["TC"] == before?["TC"] && after?["TC_between"] == nil)
    let compared = try runTool(["compare", scratch("run"), scratch("again")])
    #expect(
      compared.code == 0 && compared.out.contains("+0.0000"), "\(compared.out)\(compared.err)")
  }

  @Test func whatIsMissingOrWrongIsOneSentence() throws {
    let scratch = try Scratch()
    let none = try runTool(["score", scratch("none"), "street:3", "--frames", "3"])
    #expect(none.code == 66 && none.errorLines.count == 1)
    try FileManager.default.createDirectory(
      atPath: scratch("maps"), withIntermediateDirectories: true)
    let empty = try runTool(["score", scratch("maps"), "street:3", "--frames", "3"])
    #expect(empty.code == 66 && empty.err.contains("no label maps"), "\(empty.err)")
    let map = Image(width: 8, height: 6, channels: 1, repeating: 0)
    for name in ["000000", "000001"] { try map.writePNG(to: scratch("maps/\(name).png")) }
    let few = try runTool(["score", scratch("maps"), "street:3", "--frames", "3"])
    #expect(few.code == 66 && few.err.contains("no label map for frame 2"), "\(few.err)")
    #expect(!few.err.contains("head"))
    try Image(width: 8, height: 6, channels: 1, repeating: 77)
      .writePNG(to: scratch("maps/000002.png"))
    let wrong = try runTool(["score", scratch("maps"), "street:3", "--frames", "3"])
    #expect(wrong.code == 65 && wrong.err.contains("label 77"), "\(wrong.err)")
    let unlabelled = try runTool(["score", scratch("maps"), "video:\(Fixtures.video("x.mp4"))"])
    #expect(unlabelled.code == 64 || unlabelled.code == 66)
  }

  // Names of anybody's, as many as there are frames: taken in natural order.
  @Test func mapsOfOtherNamesAreTakenInOrder() throws {
    let scratch = try Scratch()
    let eval = try runTool(
      ["eval"] + street + ["--labels", scratch("maps"), "--json", scratch("a")])
    #expect(eval.code == 0, "\(eval.err)")
    for index in 0..<20 {
      try FileManager.default.moveItem(
        atPath: scratch("maps/\(String(format: "%06d", index)).png"),
        toPath: scratch("maps/out\(index + 1).png"))
    }
    let score = try runTool([
      "score", scratch("maps"), "street:3", "--frames", "20", "--json", scratch("b"),
    ])
    #expect(score.code == 0, "\(score.err)")
    let values = try ["a", "b"].map {
      try (scratch.json($0)["accuracy"] as? [String: Any])?["mIoU"] as? Double
    }
    #expect(values[0] != nil && values[0] == values[1])
  }

  @Test func trueLabelsAreNotWrittenOver() throws {
    let scratch = try Scratch()
    _ = try runTool(["eval"] + street + ["--labels", scratch("maps")])
    try Image(width: 8, height: 6, channels: 1, repeating: 1)
      .writePNG(to: scratch("maps/000003.png"))
    let again = try runTool(["eval"] + street + ["--labels", scratch("maps")])
    #expect(again.code == 64 && again.err.contains("000003.png"), "\(again.err)")
  }
}

struct ReportCommandTests {
  private func eval(_ scheduler: String, _ out: String) throws {
    let outcome = try runTool([
      "eval", "street:3", "--frames", "24", "--backbone", "truth", "--scheduler", scheduler,
      "--propagator", "copy", "--threads", "1", "--no-warm-up", "--out", out,
    ])
    #expect(outcome.code == 0, "\(outcome.err)")
  }

  @Test func runsBecomeAPageWithFrames() throws {
    let scratch = try Scratch()
    for (scheduler, name) in [("every:1", "each"), ("every:6", "six")] {
      try eval(scheduler, scratch(name))
    }
    let outcome = try runTool([
      "report", scratch("each"), scratch("six"), "--out", scratch("report"), "--threads", "1",
    ])
    #expect(outcome.code == 0, "\(outcome.err)")
    #expect(
      try scratch.names("report")
        == ["figures", "report.html", "results.csv", "results.json", "table.tex"])
    let page = String(decoding: try scratch.bytes("report/report.html"), as: UTF8.self)
    // Two worst and two best frames, five pictures each.
    #expect(page.components(separatedBy: "data:image/jpeg;base64,").count == 1 + 20)
    let plain = try runTool([
      "report", scratch("each"), scratch("six"), "--out", scratch("report"), "--no-images",
    ])
    #expect(plain.code == 0, "\(plain.err)")
    let second = String(decoding: try scratch.bytes("report/report.html"), as: UTF8.self)
    #expect(!second.contains("data:image"))
  }

  @Test func whatCannotBeRunAgainIsSaid() throws {
    let scratch = try Scratch()
    for (scheduler, name) in [("every:1", "each"), ("every:6", "six")] {
      try eval(scheduler, scratch(name))
      var text = String(decoding: try scratch.bytes("\(name)/result.json"), as: UTF8.self)
      text = text.replacingOccurrences(
        of: "\"kind\" : \"truth\"", with: "\"kind\" : \"network\", \"path\": \"gone\"")
      try scratch.write(text, to: "\(name)/result.json")
    }
    let outcome = try runTool([
      "report", scratch("each"), scratch("six"), "--out", scratch("report"),
    ])
    #expect(outcome.code == 0, "\(outcome.err)")
    let page = String(decoding: try scratch.bytes("report/report.html"), as: UTF8.self)
    #expect(page.contains("has no film strip: ") && page.contains("gone"))
  }

  @Test func aSummaryGivesTheTradeOff() throws {
    let scratch = try Scratch()
    try scratch.write(
      #"{"machine": {"processor": "x"}, "results": [{"name": "a", "miou": 0.5, "ms": 3, "#
        + #""macs_share": 0.25}, {"name": "b", "miou": 0.7, "ms": 9}]}"#,
      to: "list.json")
    let outcome = try runTool(["report", scratch("list.json"), "--out", scratch("report")])
    #expect(outcome.code == 0, "\(outcome.err)")
    #expect(try scratch.names("report/figures") == ["trade-off.svg", "trade-off.vl.json"])
    try scratch.write("[]", to: "none.json")
    let none = try runTool(["report", scratch("none.json"), "--out", scratch("other")])
    #expect(none.code == 65 && none.errorLines.count == 1 && !scratch.has("other"), "\(none.err)")
  }
}
