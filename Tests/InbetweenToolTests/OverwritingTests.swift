// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

struct OverwritingTests {
  let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.writeClip(to: "clip.mp4", frames: 3)
    try scratch.writePictures(to: "pictures", frames: 3)
    for suffix in ["pt", "yaml"] {
      try FileManager.default.copyItem(
        atPath: Fixtures.network("tiny." + suffix), toPath: scratch("net." + suffix))
    }
    let files = FileManager.default
    try files.createSymbolicLink(atPath: scratch("link.mp4"), withDestinationPath: "clip.mp4")
    try files.createSymbolicLink(atPath: scratch("here"), withDestinationPath: ".")
    try files.linkItem(atPath: scratch("clip.mp4"), toPath: scratch("hard.mp4"))
  }

  @Test(arguments: [
    "run clip.mp4 --output clip.mp4", "run clip.mp4 --output ./here/clip.mp4",
    "run clip.mp4 --output link.mp4", "run link.mp4 --output clip.mp4",
    "run clip.mp4 --json hard.mp4", "run clip.mp4 --per-frame pictures/../clip.mp4",
    "run clip.mp4 --json net.pt", "run clip.mp4 --json net.yaml",
    "run pictures --output pictures/img8.png", "run pictures --labels pictures",
    "run pictures/*.png --labels here/pictures", "run pictures/img8.png --labels pictures",
  ])
  func whatIsReadIsNeverWrittenOver(line: String) throws {
    let before = try ["clip.mp4", "net.pt", "net.yaml", "pictures/img8.png"].map(scratch.bytes)
    let outcome = try scratch.inbetween(line + " --backbone net.pt")
    #expect(outcome.code == 64)
    #expect(outcome.errorLines.count == 1)
    let after = try ["clip.mp4", "net.pt", "net.yaml", "pictures/img8.png"].map(scratch.bytes)
    #expect(before == after)
  }

  @Test(arguments: ["--output a --json a", "--json a --per-frame here/a"])
  func twoOutputsDoNotShareAFile(options: String) throws {
    let outcome = try scratch.inbetween("run clip.mp4 --backbone net.pt " + options)
    #expect(outcome.code == 64)
    #expect(outcome.err.contains("both"))
    #expect(!scratch.has("a"))
  }

  @Test func mapsOfTwoPicturesDoNotShareAName() throws {
    try scratch.writePictures(to: "more", frames: 1)
    let outcome = try scratch.inbetween("run [mp]*/img7.png --backbone NET --labels maps")
    #expect(outcome.code == 0, "\(outcome.err)")
    #expect(try scratch.names("maps") == ["more_img7.png", "pictures_img7.png"])
  }

  /// Whoever drew them, maps that lie there already are not replaced; those of an earlier run are.
  @Test func labelsAreNotWrittenOverOtherPeoplesMaps() throws {
    try scratch.writePictures(to: "truth", frames: 1)
    let before = try scratch.bytes("truth/img7.png")
    let line = "run pictures --backbone net.pt --labels"
    let refused = try scratch.inbetween("\(line) truth")
    #expect(refused.code == 64 && refused.err.contains("img7.png"), "\(refused.err)")
    #expect(try scratch.bytes("truth/img7.png") == before)
    #expect(try scratch.inbetween("\(line) maps").code == 0)
    #expect(try scratch.inbetween("\(line) maps").code == 0)
  }

  @Test(arguments: [
    "eval folder:data --json data/labels/img7.png", "eval folder:data --json data/images/img8.png",
    "eval folder:data --json data/classes.txt", "eval video:clip.mp4 --agreement --json hard.mp4",
    "eval folder:data --json net.yaml", "eval folder:data --config c.yaml --json c.yaml",
    "run clip.mp4 --config c.yaml --json ./here/c.yaml",
  ])
  func inputsOfTheSpecificationAreNotWrittenOver(line: String) throws {
    try scratch.writePictures(to: "data/images", frames: 2)
    try scratch.writePictures(to: "data/labels", frames: 2)
    try scratch.write("background\nobject\n", to: "data/classes.txt")
    try scratch.write("scheduler: every:3\n", to: "c.yaml")
    let names = ["data/labels/img7.png", "data/images/img8.png", "data/classes.txt", "c.yaml"]
    let before = try (names + ["clip.mp4", "net.yaml"]).map(scratch.bytes)
    let outcome = try scratch.inbetween(line + " --backbone net.pt")
    #expect(outcome.code == 64, "\(outcome.err)")
    #expect(outcome.err.contains("would overwrite"), "\(outcome.err)")
    #expect(try (names + ["clip.mp4", "net.yaml"]).map(scratch.bytes) == before)
  }

  @Test func aLinkIsWrittenThrough() throws {
    let files = FileManager.default
    try files.createDirectory(atPath: scratch("there"), withIntermediateDirectories: true)
    try scratch.write("older", to: "there/r.json")
    try files.createSymbolicLink(atPath: scratch("r.json"), withDestinationPath: "there/r.json")
    #expect(try scratch.inbetween("run clip.mp4 --backbone net.pt --json r.json").code == 0)
    #expect(try scratch.json("there/r.json")["status"] as? String == "ok")
    #expect(try files.destinationOfSymbolicLink(atPath: scratch("r.json")) == "there/r.json")
  }

  @Test(arguments: ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
  func standardOutputIsWrittenInto(path: String) throws {
    let outcome = try scratch.bash(
      "\"$@\" > out", "run clip.mp4 --backbone net.pt --output \(path)")
    #expect(outcome.code == 0, "\(outcome.err)")
    let source = try VideoSource.open(scratch("out"))
    while try source.next() != nil {}
    #expect(source.report.isClean && source.report.decoded == 3)
  }

  @Test func flowDoesNotWriteOverItsPictures() throws {
    let before = try scratch.bytes("pictures/img7.png")
    let outcome = try scratch.inbetween(
      "flow pictures/img7.png pictures/img8.png --output pictures/img7.png")
    #expect(outcome.code == 64)
    #expect(try scratch.bytes("pictures/img7.png") == before)
  }

  @Test func anOlderOutputIsReplacedOnlyByAWholeOne() throws {
    try scratch.write("older", to: "o.mp4")
    try scratch.write("older", to: "r.json")
    let options = " --backbone net.pt --output o.mp4 --json r.json"
    #expect(try scratch.inbetween("run none.mp4" + options).code == 66)
    #expect(try scratch.bytes("o.mp4") == Array("older".utf8))
    #expect(try scratch.inbetween("run clip.mp4" + options).code == 0)
    #expect(try scratch.bytes("o.mp4").count > 500)
    #expect(try scratch.json("r.json")["status"] as? String == "ok")
  }
}
