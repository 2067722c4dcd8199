// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

/// The first, second, fourth, … decoding, call of a network, making of a tensor and step of writing
/// fails, until there are no more: with `EVERY_FAULT` in the environment each of them does.
@Suite(.serialized) struct FaultTests {
  let scratch: Scratch
  private let faulty = URL(fileURLWithPath: program).deletingLastPathComponent()
    .appendingPathComponent("faulty-inbetween").path

  init() throws {
    scratch = try Scratch()
    try scratch.writeClip(to: "clip.mp4", frames: 9)
  }

  /// What fails, and the exit code that says so.
  private static let faults: [(String, Int32)] = [
    ("decode", 1), ("engine", 1), ("allocation", 1), ("writing", 74),
  ]

  /// Calls `body` with the outcome of a command at each fault, until one comes to its end.
  private func sweep(
    _ kind: String, _ code: Int32, _ line: String, prepare: () throws -> Void,
    check: (Int) throws -> Void
  ) throws {
    let all = ProcessInfo.processInfo.environment["EVERY_FAULT"] != nil
    var (turn, count) = (1, 0)
    while true {
      try prepare()
      let words = line.split(separator: " ").map { $0 == "NET" ? Fixtures.network : String($0) }
      let outcome = try Running(
        faulty, words, in: scratch.path, environment: ["FAULT": "\(kind):\(turn)"]
      ).wait()
      if outcome.code == 0 { break }
      let told = outcome.errorLines.filter { $0.hasPrefix("inbetween: ") }
        .filter { !$0.contains("warning: ") }
      #expect(outcome.code == code && told.count == 1, "\(kind) \(turn): \(outcome)")
      try check(turn)
      #expect(try left().isEmpty, "\(kind) \(turn)")
      (turn, count) = (all ? turn + 1 : 2 * turn, count + 1)
    }
    #expect(count > 0)
    try FileHandle.standardError.write(
      contentsOf: Data("\(line.prefix { $0 != " " }), \(kind): \(count) faults\n".utf8))
  }

  /// Temporary files, here and below.
  private func left() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: scratch.path)
      .filter { $0.hasSuffix(".tmp") }
  }

  @Test(arguments: faults) func aRunLeavesTheOldFilesOrWholeNewOnes(
    kind: String, code: Int32
  ) throws {
    let outputs = "--output o.mp4 --labels maps --json r.json --per-frame f.csv --threads 1"
    let line = "run clip.mp4 --backbone NET \(outputs)"
    let first = try scratch.inbetween("\(line) --frames 4 --scheduler every:9")
    #expect(first.code == 0, "\(first.err)")
    let names = ["o.mp4", "r.json", "f.csv"] + (0..<4).map { "maps/00000\($0).png" }
    let old = try names.map { ($0, try scratch.bytes($0)) }
    try sweep(kind, code, "\(line) --scheduler every:3 --propagator copy") {
      for (name, bytes) in old { try scratch.write(bytes, to: name) }
    } check: { turn in
      for (name, bytes) in old where try scratch.bytes(name) != bytes {
        #expect(try isWhole(name), "\(kind) \(turn): \(name)")
      }
    }
  }

  /// Whether a new file can be read to its end.
  private func isWhole(_ name: String) throws -> Bool {
    switch (name as NSString).pathExtension {
    case "json": return try ["failed", "partial", "ok"].contains(scratch.json(name)["status"])
    case "csv":
      let rows = try scratch.table(name)
      return rows.count > 1 && rows.allSatisfy { $0.count == rows[0].count }
    case "png": return try Image.labels(contentsOf: scratch(name)).width == 64
    default:
      let source = try VideoSource.open(scratch(name))
      while try source.next() != nil {}
      return source.report.isClean && source.report.decoded > 0
    }
  }

  @Test(arguments: ["decode", "engine"]) func withoutAFrameThereIsNoTable(kind: String) throws {
    let words = ["run", "clip.mp4", "--backbone", Fixtures.network, "--threads", "1"]
    let outcome = try Running(
      faulty, words, in: scratch.path, environment: ["FAULT": "\(kind):1"]
    ).wait()
    #expect(outcome.code == 1 && outcome.out.isEmpty, "\(outcome)")
    #expect(outcome.errorLines.count == 1, "\(outcome.err)")
  }

  @Test(arguments: faults) func aMeasurementLeavesTheOldResultOrAWholeOne(
    kind: String, code: Int32
  ) throws {
    let line = "eval video:clip.mp4 --agreement --backbone NET --json r.json --threads 1"
    try sweep(kind, code, "\(line) --scheduler every:3") {
      try scratch.write("old", to: "r.json")
    } check: { turn in
      guard try scratch.bytes("r.json") != Array("old".utf8) else { return }
      #expect(try scratch.json("r.json")["status"] as? String == "failed", "\(kind) \(turn)")
    }
  }

  @Test(arguments: [("allocation", Int32(1)), ("writing", 74)])
  func aTrainingGoesOnFromWhatIsLeft(kind: String, code: Int32) throws {
    try writeTrainingData()
    let line = "train spec.yaml --data folder:data --validation folder:data --threads 1"
    let options = "--checkpoint-every 2 --evaluate-every 3 --out"
    let whole = try scratch.inbetween("\(line) \(options) whole")
    #expect(whole.code == 0, "\(whole.err)")
    try sweep(kind, code, "\(line) \(options) o") {
      try? FileManager.default.removeItem(atPath: scratch("o"))
    } check: { turn in
      let resumed = try scratch.inbetween("\(line) --resume \(options) o")
      #expect(resumed.code == 0, "\(kind) \(turn): \(resumed.err)")
      for name in ["weights.safetensors", "metrics.jsonl"] {
        #expect(try scratch.bytes("o/\(name)") == scratch.bytes("whole/\(name)"), "\(kind) \(turn)")
      }
    }
  }

  private func writeTrainingData() throws {
    try scratch.write(smallNetwork(steps: 5), to: "spec.yaml")
    try scratch.writePictures(to: "data/images")
    try FileManager.default.createDirectory(
      atPath: scratch("data/labels"), withIntermediateDirectories: true)
    for name in try scratch.names("data/images") {
      let labels = Image(
        width: 64, height: 48, channels: 1, bytes: (0..<48 * 64).map { UInt8($0 % 64 / 16) })
      try labels.writePNG(to: scratch("data/labels/\(name)"), palette: ClassList.camVid.palette)
    }
  }
}

extension [String] {
  fileprivate func contains(_ status: Any?) -> Bool { (status as? String).map(contains) ?? false }
}
