// SPDX-License-Identifier: Apache-2.0

import Evaluation
import Experiments
import Foundation
import FoundationXML
import Recipes
import Reports
import Specification
import TestSupport
import Testing

/// Runs on a small street, with the clip's own labels in the place of a network.
enum Streets {
  static func run(
    _ scheduler: String, path: String, seed: Int = 3, warnings: [String] = [],
    names: [String: String]? = nil, keeping: RunMeasurement.Kept = .records
  ) throws -> StoredRun {
    var settings = ExperimentSettings()
    settings.options = [
      ("data", .text("street:\(seed)")), ("backbone", "truth"), ("frames", 24),
      ("propagator", "copy"), ("scheduler", .text(scheduler)), ("warm_up", false),
    ]
    let loaded = try EvaluationRun(settings.specification(in: .standard)).load()
    let evaluator = Evaluator(
      loaded.whole, on: loaded.clip, consistency: loaded.consistency, warmsUp: false)
    var measured = evaluator.emptyMeasurement(keeping: keeping)
    try evaluator.run(into: &measured)
    let result = RunResult(
      status: .ok, specification: loaded.spec,
      pipeline: names
        ?? loaded.names(in: .standard, usesFlow: false, consistency: measured.consistencyFlow),
      accuracy: measured.accuracy, against: .labels, intervals: measured.records.intervals(),
      speed: measured.speed, cost: .init(peakRSSBytes: 1, macs: measured.macs),
      input: .init(path: "street:\(seed)", framesDecoded: 24), environment: ["processor": "a & b"],
      warnings: warnings)
    return StoredRun(path: path, result: result, frames: measured.records)
  }

  static let evil = "<script>alert(\"1\")</script>&'"

  static func data() throws -> ReportData {
    try ReportData(
      runs: [
        ("runs/each", [run("every:1", path: "runs/each")]),
        (
          "runs/five",
          [
            run(
              "every:5", path: "runs/five", warnings: ["odd: \(evil)"],
              names: ["scheduler": evil])
          ]
        ),
        ("runs/moved", [run("moved:3", path: "runs/moved")]),
      ], in: .standard)
  }
}

private final class Names: NSObject, XMLParserDelegate {
  var elements: [String: Int] = [:]
  var text = ""
  func parser(
    _: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes _: [String: String]
  ) { elements[name, default: 0] += 1 }
  func parser(_: XMLParser, foundCharacters string: String) { text += string }
}

struct ReportTests {
  private func parsed(_ svg: String) throws -> Names {
    let (parser, names) = (XMLParser(data: Data(svg.utf8)), Names())
    parser.delegate = names
    #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "")")
    return names
  }

  @Test func everyFigureIsXMLAndHoldsItsNamesAsText() throws {
    let report = Report(try Streets.data())
    #expect(
      report.figureNames == [
        "trade-off", "distance", "intervals", "latency", "schedule", "consistency", "break-even",
      ])
    for name in report.figureNames {
      for width in [360.0, 860] {
        let names = try parsed(try #require(report.svg(of: name, width: width)))
        #expect(names.elements["script"] == nil && names.elements["svg"] == 1)
      }
    }
    let schedule = try parsed(try #require(report.svg(of: "schedule", width: 2000)))
    #expect(schedule.text.contains("<script>"))
  }

  @Test func aNameIsNeverTakenForAnElement() throws {
    let html = Report(try Streets.data()).html
    // The page's own script is the only one.
    #expect(html.components(separatedBy: "<script").count == 2)
    #expect(!html.contains("alert(\"1\")"))
    #expect(html.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;"))
    #expect(html.contains("odd: &lt;script&gt;"))
  }

  // Nothing is fetched: the page opens without a network.
  @Test func thePageAsksForNothing() throws {
    let html = Report(try Streets.data()).html
    for word in ["src=\"http", "href=\"http", "@import", "url(", "fetch(", "<link"] {
      #expect(!html.contains(word), "\(word)")
    }
  }

  @Test func differencesAreFromPerFrameInference() throws {
    let data = try Streets.data()
    #expect(data.rows[0].isBaseline && data.rows[0].difference == nil)
    let row = try #require(data.rows.first { $0.name.hasPrefix("<script>") })
    let (base, run) = (data.rows[0].parts[0].run, row.parts[0].run)
    let expected = try #require(run?.result.accuracy?.mIoU) - #require(base?.result.accuracy?.mIoU)
    let found = try #require(row.difference)
    #expect(abs(found.estimate - expected) < 1e-12 && found.excludesZero && found.high < 0)
  }

  @Test func foreignFilesAreLeftAlone() throws {
    let scratch = try Scratch()
    #expect(Report.mayWrite(into: scratch.path) && Report.mayWrite(into: scratch("none")))
    _ = try scratch.file("results.csv", "mine".utf8)
    #expect(!Report.mayWrite(into: scratch.path))
    try FileManager.default.removeItem(atPath: scratch("results.csv"))
    try Report(try Streets.data()).write(to: scratch.path)
    #expect(Report.mayWrite(into: scratch.path))
    let json = try JSONSerialization.jsonObject(
      with: Data(bytes(of: scratch("figures/trade-off.vl.json"))))
    let root = try #require(json as? [String: Any])
    #expect(root["$schema"] as? String == "https://vega.github.io/schema/vega-lite/v5.json")
    let layers = try #require(root["layer"] as? [[String: Any]])
    let points = layers.compactMap { ($0["data"] as? [String: Any])?["values"] as? [[String: Any]] }
      .flatMap(\.self).compactMap { $0["tip"] as? String }
    #expect(points.contains { $0.hasPrefix(Streets.evil) })
  }
}

struct ReportTableTests {
  @Test(arguments: [
    ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"so\"", "\"say \"\"so\"\"\""),
    ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("=a,b", "\"'=a,b\""),
    ("two\r\nlines", "\"two\r\nlines\""), ("", ""),
  ])
  func cellsAreQuoted(text: String, cell: String) { #expect(ReportTable.quoted(text) == cell) }

  @Test func commaSeparatedValuesHaveOneLineForEachPipeline() throws {
    let lines = Report(try Streets.data()).csv.components(separatedBy: "\r\n")
    #expect(lines.count == 5 && lines[4].isEmpty)
    let header = lines[0].components(separatedBy: ",")
    #expect(header.prefix(4) == ["pipeline", "mIoU", "mIoU_low", "mIoU_high"])
    #expect(lines[1].components(separatedBy: ",").count == header.count + 1)
  }

  @Test func latexIsEscaped() {
    #expect(
      ReportTable.latex("a_b & 50 % {x} \\ ^~#$<") == "a\\_b \\& 50 \\% \\{x\\} "
        + "\\textbackslash{} \\textasciicircum{}\\textasciitilde{}\\#\\$$<$")
  }

  @Test func commandsAreQuotedForTheShell() {
    #expect(
      ReportPage.shellText(["/a/b/inbetween", "sweep", "it's", "a b", "x=dis:fast,y", ""])
        == "inbetween sweep 'it'\\''s' 'a b' x=dis:fast,y ''")
  }
}

struct BreakEvenTests {
  // A key frame of 30 ms, others of 10 ms, per-frame inference of 20 ms: 30, 20, 16.7, …
  @Test func theSmallestIntervalThatCostsLess() {
    #expect(BreakEven(key: 30, nonKey: 10, perFrame: 20).interval == 3)
    #expect(BreakEven(key: 20, nonKey: 19, perFrame: 20).interval == 2)
    #expect(BreakEven(key: 19, nonKey: 30, perFrame: 20).interval == nil)
    #expect(BreakEven(key: 25, nonKey: 20, perFrame: 20).interval == nil)
    #expect(abs(BreakEven(key: 30, nonKey: 10, perFrame: 20).relative(4) - 60.0 / 80) < 1e-12)
  }
}

struct PlotTests {
  @Test(arguments: [(0.0, 1.0), (0.612, 0.7306), (3, 3), (-0.02, 0.01), (1e-9, 4e-9), (5, 1e6)])
  func ticksAreRoundAndInside(low: Double, high: Double) {
    let scale = PlotScale([low, high], wanted: 6)
    #expect(scale.low <= low && scale.high >= high && scale.ticks.count >= 2)
    for tick in scale.ticks { #expect(scale.low - 1e-9 <= tick && tick <= scale.high + 1e-9) }
    #expect(abs(scale.share(scale.low)) < 1e-9 && abs(scale.share(scale.high) - 1) < 1e-9)
  }

  @Test func logarithmicTicksAreOneTwoFive() {
    let scale = PlotScale([2, 90], isLogarithmic: true, wanted: 6)
    #expect(scale.ticks == [2, 5, 10, 20, 50, 100])
  }

  // Twelve points in a heap: no name lies over another one, or over the border.
  @Test func namesDoNotOverlap() {
    let points = (0..<12).map { (index: Int) -> (x: Double, y: Double) in
      let (across, down) = (index * 37 % 90, index * 53 % 80)
      return (x: 200 + Double(across), y: 150 + Double(down))
    }
    let placement = LabelPlacement(
      points: points, names: points.indices.map { "every:\($0)" }, obstacles: points,
      inside: (0, 0, 600, 400))
    for (one, box) in placement.boxes.enumerated() {
      #expect(box.left >= -1 && box.right <= 601 && box.top >= -1 && box.bottom <= 401)
      for other in placement.boxes[(one + 1)...] { #expect(box.overlap(other) < 1) }
    }
  }

  @Test func controlCharactersAreLeftOut() {
    #expect(escaped("a\u{0}\u{1B}<b>\u{FFFF}\"é中") == "a&lt;b&gt;&quot;é中")
  }
}
