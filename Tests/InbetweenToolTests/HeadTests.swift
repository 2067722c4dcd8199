// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synthesis
import TestSupport
import Testing
import Video

/// Heads trained and inspected through the tool, behind a network that comes with the package.
struct HeadTests {
  let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try FileManager.default.createDirectory(
      atPath: scratch("head"), withIntermediateDirectories: true)
  }

  private func write(_ head: String) throws {
    try scratch.write(
      """
      name: small
      backbone: \(modelFolder)/street-light
      head: {\(head), inputs: [context, decoder], channels: 4, blocks: 1}
      training:
        batch: 1
        crop: [64, 96]
        pictures: 1
        stages: [{name: all, steps: 2, optimizer: adam, rate: 0.001}]
      """, to: "head/spec.yaml")
  }

  @Test(arguments: [
    ("kind: depth", "depth", [1, 64, 96]),
    ("kind: fcos, classes: street3", "detection", [3, 16, 24]),
  ])
  func aHeadIsTrainedAndInspected(head: String, kind: String, output: [Int]) throws {
    try write(head)
    let line = "train head/spec.yaml --data streets:5 --threads 1 --out o"
    let outcome = try scratch.inbetween(line)
    #expect(outcome.code == 0, "\(outcome.err)")
    for isTrained in [false, true] {
      let inspected = try scratch.inbetween("inspect head --size 64x96 --json")
      #expect(inspected.code == 0, "\(inspected.err)")
      let object = try JSONSerialization.jsonObject(with: Data(inspected.out.utf8))
      let found = try #require(object as? [String: Any])
      #expect(found["kind"] as? String == kind && found["trained"] as? Bool == isTrained)
      let stages = try #require(found["stages"] as? [[String: Any]])
      #expect(stages.map { $0["output"] as? [Int] } == [output])
      if !isTrained {
        try FileManager.default.copyItem(
          atPath: scratch("o/weights.safetensors"), toPath: scratch("head/weights.safetensors"))
      }
    }
  }

  // Boxes and depth are drawn over the picture between key frames too; label maps there are none.
  @Test(arguments: ["detector", "depth"])
  func aHeadPredictsInVideos(head: String) throws {
    let clip = StreetClip(seed: 5, count: 3, size: PixelSize(width: 96, height: 64))
    let pictures = scratch("pictures")
    try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true)
    for index in 0..<3 { try clip.frame(at: index).pixels.writePNG(to: "\(pictures)/\(index).png") }
    let command =
      "run pictures --backbone \(modelFolder)/street-heavy --head \(modelFolder)/street-\(head) "
      + "--scheduler every:3"
    let outcome = try scratch.inbetween(command + " --output o.mp4 --json r.json")
    #expect(outcome.code == 0, "\(outcome.err)")
    let result = try #require(try scratch.json("r.json")["pipeline"] as? [String: Any])
    #expect(result["head"] as? String == (head == "depth" ? "depth" : "detection"))
    let drawn = try VideoFile(scratch("o.mp4"))
    for index in 0..<3 {
      let frame = try #require(try drawn.next())
      let plain = clip.frame(at: index).pixels
      // Depth covers the picture; of boxes the mark of the frame's role alone is certain.
      let changed = zip(frame.pixels.bytes, plain.bytes).count { abs(Int($0) - Int($1)) > 24 }
      #expect(changed > (head == "depth" ? plain.bytes.count / 4 : 20), "\(index): \(changed)")
    }
    let refused = try scratch.inbetween(command + " --labels l")
    #expect(refused.code == 64 && refused.err.contains("--labels keeps label maps"))
    #expect(!FileManager.default.fileExists(atPath: scratch("l")))
  }

  // Millimetres are what readers of 16-bit PNG take them for.
  @Test(arguments: [("", true), (", scale: 2", false)])
  func relativeDepthsAreNotWrittenAsMillimetresSilently(scale: String, isRelative: Bool) throws {
    try FileManager.default.copyItem(
      atPath: Fixtures.network("depth.pt"), toPath: scratch("net.pt"))
    try scratch.write(
      """
      name: net
      task: depth
      input: {color: bgr, mean: [0, 0, 0], std: [255, 255, 255]}
      output: {kind: inverse, key: depth\(scale), range: [0.5, 100]}
      """, to: "net.yaml")
    try FileManager.default.createDirectory(
      atPath: scratch("pictures"), withIntermediateDirectories: true)
    try Image(width: 32, height: 32, channels: 3, repeating: 90)
      .writePNG(to: scratch("pictures/0.png"))
    let outcome = try scratch.inbetween("run pictures --backbone net.pt --predictions d")
    #expect(outcome.code == 0, "\(outcome.err)")
    let warnings = outcome.err.split(separator: "\n").filter { $0.contains("not millimetres") }
    #expect(warnings.count == (isRelative ? 1 : 0), "\(outcome.err)")
    #expect(FileManager.default.fileExists(atPath: scratch("d/0.png")))
  }

  // Boxes that are carried have identities, and are written as each format has them.
  @Test func predictionsAreWritten() throws {
    let clip = StreetClip(seed: 12, count: 4, size: PixelSize(width: 240, height: 160))
    let pictures = scratch("pictures")
    try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true)
    for index in 0..<4 { try clip.frame(at: index).pixels.writePNG(to: "\(pictures)/\(index).png") }
    let command =
      "run pictures --backbone \(modelFolder)/street-heavy --head \(modelFolder)/street-"
    for name in ["b.csv", "b.txt", "b.json", "b.jsonl"] {
      let outcome = try scratch.inbetween(
        command + "detector --propagator boxes --scheduler every:4 --predictions \(name)")
      #expect(outcome.code == 0, "\(outcome.err)")
    }
    let rows = try text("b.csv").split(separator: "\n").dropFirst()
      .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    // Frame, time, key, identity, class, label, score, age, …
    #expect(Set(rows.map { $0[0] }) == ["0", "1", "2", "3"])
    #expect(rows.allSatisfy { ($0[2] == "1") == ($0[0] == "0") && $0[7] == $0[0] })
    let identities = Dictionary(grouping: rows) { $0[0] }.mapValues { Set($0.map { $0[3] }) }
    #expect(identities["3"]?.isSubset(of: identities["0"] ?? []) == true)
    let lines = try text("b.txt").split(separator: "\n")
    #expect(lines.count == rows.count && lines.allSatisfy { $0.hasSuffix("-1,-1,-1") })
    let results = try JSONSerialization.jsonObject(with: Data(text("b.json").utf8))
    #expect((results as? [[String: Any]])?.count == rows.count)
    #expect(try text("b.jsonl").split(separator: "\n").count == rows.count)
    let depth = try scratch.inbetween(command + "depth --predictions d")
    #expect(depth.code == 0, "\(depth.err)")
    let map = try Image16(contentsOf: scratch("d/3.png"))
    #expect(map.width == 240 && map.samples.contains { $0 > 1000 && $0 < 60000 })
    // Depth maps would lie over the pictures that are read.
    let before = try Data(contentsOf: URL(filePath: scratch("pictures/0.png")))
    let over = try scratch.inbetween(command + "depth --predictions pictures")
    #expect(over.code == 64 && over.err.contains("pictures is where the pictures lie"))
    #expect(try Data(contentsOf: URL(filePath: scratch("pictures/0.png"))) == before)
    // A full disk behind standard output ends in a sentence.
    let full = try Running(
      "/bin/sh", ["-c", "'\(program)' \(command)detector --predictions - --threads 1 >/dev/full"],
      in: scratch.path
    ).wait()
    #expect(full.code == 74 && full.errorLines.last?.contains("No space left") == true)
    // A reader that has seen enough is no mistake.
    let left = try scratch.bash(
      "\"$@\" | :; exit ${PIPESTATUS[0]}",
      command + "detector --predictions - --scheduler every:4")
    #expect(left.code == 141 && !left.err.contains("cannot be written"), "\(left.err)")
    let refused = try scratch.inbetween(command + "detector --predictions b.xml")
    #expect(refused.code != 0 && refused.err.contains(".jsonl"), "\(refused.err)")
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: scratch(name), encoding: .utf8)
  }

  @Test func whatNoHeadCanBeTrainedOnIsRefused() throws {
    try write("kind: fcos, classes: [bird]")
    let foreign = try scratch.inbetween("train head/spec.yaml --data streets:5 --out o")
    #expect(foreign.code != 0 && foreign.err.contains("car, pedestrian, bicyclist"))
    try write("kind: depth")
    let unlabelled = try scratch.inbetween("train head/spec.yaml --data street:5 --out o")
    #expect(unlabelled.code == 64 && unlabelled.err.contains("streets:SEED"), "\(unlabelled.err)")
    let unmeasured = try scratch.inbetween(
      "train head/spec.yaml --data streets:5 --validation streets:6 --out o")
    #expect(unmeasured.code == 64 && unmeasured.err.contains("street:SEED"))
  }
}
