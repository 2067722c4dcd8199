// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

/// What cannot be honoured is said, once, before or after the work.
struct RequestTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func refusal(_ command: String, code: Int32) throws -> String {
    let outcome = try scratch.inbetween(command)
    #expect(outcome.code == code && outcome.errorLines.count == 1, "\(command): \(outcome.err)")
    #expect(outcome.out.isEmpty)
    return outcome.err
  }

  @Test func slipsOfTheFingersAreAnsweredWithWhatWasMeant() throws {
    try scratch.writeClip(to: "clip.mp4", frames: 3)
    let meant = [
      ("evl street:3", "did you mean 'eval'?"), ("rnu clip.mp4", "did you mean 'run'?"),
      ("run clip.mp4 --backbon NET", "Did you mean '--backbone'?"),
      ("run clip.mp4 --backbone NET --scheduler evrey:5", "did you mean 'every'?"),
      ("run clip.mp4 --backbone NET --scheduler every:5 --scheduler every:6", "given twice"),
      ("run clip.mp4 --backbone NET --flow=zero --flow dis:fast", "--flow is given twice"),
      ("eval clip.mp4 --backbone NET", "video:clip.mp4"),
      ("eval . --backbone NET", "folder:."),
      ("eval street:3 --backbone truth --split tset", "street:3 has no splits"),
      ("eval streets:3 --backbone truth --split tarin", "did you mean 'train'?"),
    ]
    for (command, hint) in meant {
      let message = try refusal(command, code: 64)
      #expect(message.contains(hint), "\(command): \(message)")
    }
    // Nothing is near: no far-fetched guess, and a short list.
    let message = try refusal("run clip.mp4 --backbone NET --flow xyz", code: 64)
    #expect(!message.contains("did you mean") && message.contains("there are dis"))
  }

  @Test func partsThatCannotGoTogetherAreRefusedBeforeAnyFrame() throws {
    try scratch.writeClip(to: "clip.mp4", frames: 3)
    for scheduler in ["background:1,every:2", "shots:background:2,every:5"] {
      let message = try refusal(
        "run clip.mp4 --backbone NET --scheduler \(scheduler) --propagator warp:previous", code: 64)
      #expect(message.contains("propagates from frame to frame"), "\(message)")
    }
  }

  @Test func aFolderOfAnotherLayoutIsAnsweredWithTheLayoutsThereAre() throws {
    for folder in ["other/things", "camvid/train", "cityscapes/leftImg8bit"] {
      try FileManager.default.createDirectory(
        atPath: scratch(folder), withIntermediateDirectories: true)
    }
    let message = try refusal("eval folder:other --backbone NET", code: 66)
    #expect(message.contains("images with labels beside it") && message.contains("trainannot"))
    #expect(try refusal("eval folder:camvid --backbone NET", code: 66).contains("camvid:camvid"))
    #expect(
      try refusal("eval folder:cityscapes --backbone NET", code: 66)
        .contains("cityscapes:cityscapes"))
    try scratch.writePictures(to: "listed/images", frames: 2)
    try scratch.write("images/img7.png\n", to: "listed/train.txt")
    let split = try refusal("eval folder:listed --backbone NET", code: 66)
    #expect(split.contains("no list val.txt; there are train.txt"), "\(split)")
  }

  @Test func aClipWithoutLabelsIsSaidToHaveNone() throws {
    try scratch.writeClip(to: "clip.mp4", frames: 24)
    let outcome = try scratch.inbetween("eval video:clip.mp4 --backbone NET --json r.json")
    #expect(outcome.code == 0 && outcome.errorLines.count == 1, "\(outcome.err)")
    #expect(outcome.err.contains("has no labels") && outcome.err.contains("--agreement"))
    let warnings = try #require(try scratch.json("r.json")["warnings"] as? [String])
    #expect(warnings.count == 1 && warnings[0].contains("has no labels"))
    // A threshold is found without labels, whatever the network's classes are.
    let found = try scratch.inbetween(
      "calibrate video:clip.mp4 --backbone NET --scheduler moved:rate=0.3")
    #expect(found.code == 0 && found.out.hasPrefix("moved:"), "\(found.err)")
  }

  // Copies have the scores of their key frame: none is ever less sure than another.
  @Test func aRateThatIsNotMetIsSaid() throws {
    try scratch.writeClip(to: "clip.mp4", frames: 24)
    let outcome = try scratch.inbetween(
      "run clip.mp4 --backbone NET --scheduler moved:rate=0.5 --propagator copy --flow zero "
        + "--json r.json")
    #expect(outcome.code == 0, "\(outcome.err)")
    #expect(outcome.err.contains("asks for 50.0 % key frames"), "\(outcome.err)")
    let warnings = try #require(try scratch.json("r.json")["warnings"] as? [String])
    #expect(warnings.contains { $0.contains("asks for 50.0 %") })
  }

  @Test func picturesThatCannotBeReadAreSaid() throws {
    try scratch.writePictures(to: "pictures", frames: 4)
    try scratch.write([UInt8](), to: "pictures/img8.png")
    let outcome = try scratch.inbetween("run pictures --backbone NET --json r.json")
    #expect(outcome.err.contains("img8.png: the file is empty"), "\(outcome.err)")
    let result = try scratch.json("r.json")
    #expect(result["status"] as? String == "partial")
    #expect((result["warnings"] as? [String])?.count == 1)
  }

  // Both see the hole, and say which kind of break it is.
  @Test func runAndEvalTellTheSameBreaks() throws {
    try scratch.writePictures(to: "pictures", frames: 9)
    try FileManager.default.removeItem(atPath: scratch("pictures/img11.png"))
    try FileManager.default.removeItem(atPath: scratch("pictures/img12.png"))
    for source in ["run pictures", "eval video:pictures --agreement"] {
      let outcome = try scratch.inbetween(
        "\(source) --backbone NET --scheduler every:100 --json r.json")
      #expect(outcome.code == 0, "\(outcome.err)")
      let input = try #require(try scratch.json("r.json")["input"] as? [String: Any])
      #expect(input["breaks"] as? [String: Int] == ["gap": 1], "\(source): \(input)")
    }
  }

  // Foundation cannot make such a name, the system can.
  @Test func aNameThatIsNotUTF8IsSaid() throws {
    try scratch.writePictures(to: "pictures", frames: 3)
    let name = Array(scratch("pictures/img8").utf8CString.dropLast()) + [CChar(bitPattern: 0xE9)]
    #expect(rename(scratch("pictures/img8.png"), name + Array(".png".utf8CString)) == 0)
    let outcome = try scratch.inbetween("run pictures --backbone NET")
    #expect(outcome.err.contains("the name is not UTF-8"), "\(outcome.err)")
    let measured = try scratch.inbetween("eval video:pictures --backbone NET --json r.json")
    #expect(measured.err.contains("the name is not UTF-8"), "\(measured.err)")
    let warnings = try #require(try scratch.json("r.json")["warnings"] as? [String])
    #expect(warnings.contains { $0.contains("the name is not UTF-8") })
  }

  // The tiny network tells red from blue; a description that swaps them is found out.
  @Test func aWrongColorOrderIsSaid() throws {
    try scratch.writePictures(to: "data/images", frames: 3)
    let run = try scratch.inbetween(
      "run data/images --backbone NET --scheduler every:1 --labels data/labels")
    #expect(run.code == 0, "\(run.err)")
    let description = try String(contentsOfFile: Fixtures.network("tiny.yaml"), encoding: .utf8)
    try FileManager.default.copyItem(atPath: Fixtures.network, toPath: scratch("net.pt"))
    try scratch.write(description, to: "net.yaml")
    try scratch.write("dark\nblue\ngreen\nred\n", to: "data/classes.txt")
    let right = try scratch.inbetween("eval folder:data --backbone net.pt")
    #expect(!right.err.contains("swapped"), "\(right.err)")
    let swapped = description.replacingOccurrences(of: "color: bgr", with: "color: rgb")
    try scratch.write(swapped, to: "net.yaml")
    let wrong = try scratch.inbetween("eval folder:data --backbone net.pt")
    #expect(wrong.err.contains("with red and blue swapped"), "\(wrong.err)")
  }

  // Where 255 is void, such masks leave a class without a pixel.
  @Test func aClassThatNeverOccursIsSaid() throws {
    try scratch.writePictures(to: "data/images", frames: 2)
    try FileManager.default.createDirectory(
      atPath: scratch("data/labels"), withIntermediateDirectories: true)
    try scratch.write("\u{FEFF}background\nobject\n", to: "data/classes.txt")
    for name in try scratch.names("data/images") {
      try Image(width: 64, height: 48, channels: 1, bytes: (0..<48 * 64).map { $0 < 900 ? 255 : 0 })
        .writePNG(to: scratch("data/labels/\(name)"), palette: ClassList.camVid.palette)
    }
    let spec = smallNetwork(classes: "[background, object]", steps: 1)
    try scratch.write(spec, to: "spec.yaml")
    let trained = try scratch.inbetween("train spec.yaml --data folder:data --out o --threads 1")
    #expect(trained.code == 0 && trained.err.contains("no pixel of object"), "\(trained.err)")
    #expect(trained.err.contains("255 is void"))
    try FileManager.default.copyItem(atPath: scratch("spec.yaml"), toPath: scratch("o/spec.yaml"))
    let measured = try scratch.inbetween("eval folder:data --backbone o --json r.json")
    #expect(measured.code == 0 && measured.err.contains("no pixel of object"), "\(measured.err)")
    let warnings = try #require(try scratch.json("r.json")["warnings"] as? [String])
    #expect(warnings.contains { $0.contains("no pixel of object") })
  }
}
