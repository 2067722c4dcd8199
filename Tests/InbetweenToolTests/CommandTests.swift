// SPDX-License-Identifier: Apache-2.0

import Flow
import Foundation
import Propagation
import Recipes
import Scheduler
import Specification
import TestSupport
import Testing
import Video

struct CommandTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test func theVersionIsANumberOnStandardOutput() throws {
    let outcome = try scratch.inbetween("--version")
    #expect(outcome.code == 0)
    #expect(outcome.out.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    #expect(outcome.err.isEmpty)
  }

  @Test(arguments: [
    "", "run ", "eval ", "train ", "flow ", "inspect ", "list ", "doctor ", "demo ", "config ",
  ])
  func everyCommandHasHelp(command: String) throws {
    let outcome = try scratch.inbetween(command + "--help")
    #expect(outcome.code == 0)
    #expect(
      outcome.out.contains("USAGE: inbetween \(command)".trimmingCharacters(in: .whitespaces)))
    #expect(outcome.err.isEmpty)
  }

  @Test func everyPartIsListed() throws {
    let out = try scratch.inbetween("list").out
    let registries = Registries.standard
    let usages = [
      registries.schedulers.descriptors, registries.propagators.descriptors,
      registries.flows.descriptors, registries.datasets.descriptors,
      registries.backbones.descriptors,
    ].joined().map(\.usage)
    for usage in usages { #expect(out.contains("\n  \(usage) ")) }
  }

  // The tests run the tool in folders that have no Models of their own.
  @Test func modelsAreFoundBesideTheProgram() throws {
    let shown = try scratch.inbetween("config show street:1 --recipe davss:street")
    #expect(shown.code == 0, "\(shown.err)")
    let line = shown.out.split(separator: "\n").first { $0.contains("street-heavy") }
    let path = try #require(line?.split(separator: " ").last).filter { $0 != "\"" }
    #expect(FileManager.default.fileExists(atPath: "\(path)/weights.safetensors"), "\(path)")
  }

  @Test func theDoctorFindsAllWell() throws {
    let outcome = try scratch.inbetween("doctor")
    #expect(outcome.code == 0, "\(outcome.out)\(outcome.err)")
    for name in ["machine", "tensors", "opencv", "video", "disk"] {
      #expect(outcome.out.contains("ok   \(name)"))
    }
    let json = try scratch.inbetween("doctor --json").out
    let fields = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: String]
    #expect(fields?["tensors"]?.contains("LibTorch") == true)
  }

  @Test func flowOfAShiftedPictureIsItsShift() throws {
    let (a, b) = (texture(shiftedBy: 3), texture(shiftedBy: 0))
    try a.writePNG(to: scratch("a.png"))
    try b.writePNG(to: scratch("b.png"))
    let outcome = try scratch.inbetween("flow a.png b.png -o motion.flo")
    #expect(outcome.code == 0, "\(outcome.err)")
    let motion = try MotionField(floFile: scratch("motion.flo"))
    #expect(motion.width == 160 && motion.height == 120)
    let shifts = (0..<(160 * 120)).map { motion.displacements[2 * $0] }.sorted()
    #expect(abs(shifts[shifts.count / 2] + 3) < 0.1)
    let again = try scratch.inbetween("flow a.png b.png --truth motion.flo -o wheel.png")
    #expect(again.out.contains("end-point error 0.000 px over 19200 pixels"))
    #expect(try Image(contentsOf: scratch("wheel.png")).size == a.size)
  }

  @Test func trueLabelsOfEveryFrameAreWithoutFault() throws {
    let outcome = try scratch.inbetween(
      "eval street:7 --backbone truth --frames 3 --scheduler every:1 --json r.json")
    #expect(outcome.code == 0, "\(outcome.err)")
    #expect(outcome.err.isEmpty)
    let accuracy = try #require(try scratch.json("r.json")["accuracy"] as? [String: Any])
    #expect(accuracy["mIoU"] as? Double == 1)
    #expect(accuracy["mIoU_by_distance"] as? [Double] == [1])
    #expect(accuracy["labelled_frames"] as? Int == 3)
    #expect(outcome.out.contains("mIoU 1.0000"))
  }

  @Test func carriedLabelsAreScoredByTheirDistance() throws {
    let outcome = try scratch.inbetween(
      "eval street:7 --backbone truth --frames 6 --scheduler every:3 --json r.json")
    #expect(outcome.code == 0, "\(outcome.err)")
    let accuracy = try #require(try scratch.json("r.json")["accuracy"] as? [String: Any])
    let scores = try #require(accuracy["mIoU_by_distance"] as? [Double])
    #expect(scores.count == 3)
    #expect(scores[0] == 1)
    #expect(scores[1] < 1 && scores[1] > 0.5)
    let consistency = try #require(accuracy["TC"] as? Double)
    #expect((0.5...1).contains(consistency))
    let published = try #require(accuracy["TC_ETC"] as? Double)
    #expect((0.3...1).contains(published) && published != consistency)
    let classes = try #require(accuracy["per_class"] as? [String: Any])
    #expect(classes.count == 11)
  }

  @Test func theOracleIsNoWorseThanAFixedInterval() throws {
    var scores: [Double] = []
    for scheduler in ["every:4", "oracle:0.25"] {
      let outcome = try scratch.inbetween(
        "eval street:7 --backbone truth --frames 8 --flow zero --propagator copy "
          + "--scheduler \(scheduler) --json r.json")
      #expect(outcome.code == 0, "\(outcome.err)")
      let result = try scratch.json("r.json")
      let speed = try #require(result["speed"] as? [String: Any])
      #expect(speed["keyframe_ratio"] as? Double == 0.25)
      let accuracy = try #require(result["accuracy"] as? [String: Any])
      scores.append(try #require(accuracy["mIoU"] as? Double))
    }
    #expect(scores[1] >= scores[0], "\(scores)")
  }

  // Four regions, each with its own keys: every third frame, and the parts as they were asked for.
  @Test func aRecipesPartsCanBeReplaced() throws {
    let outcome = try scratch.inbetween(
      "eval street:7 --frames 4 --recipe davss:street --models \(modelFolder) "
        + "--scheduler every:3 --propagator warp --regions 2x2:8 --json r.json")
    #expect(outcome.code == 0, "\(outcome.err)")
    let result = try scratch.json("r.json")
    let parts = try #require(result["pipeline"] as? [String: String])
    #expect(parts["recipe"] == "davss:street" && parts["regions"] == "2x2:8")
    #expect(parts["scheduler"] == "every:3" && parts["propagator"] == "warp")
    #expect(parts["backbone"] == "\(modelFolder)/street-heavy")
    let speed = try #require(result["speed"] as? [String: Any])
    #expect(speed["keyframe_ratio"] as? Double == 0.5)
  }

  // What is printed can be used as it is, and has the share that it speaks of.
  @Test func aRateIsCalibratedToALimit() throws {
    let options = "street:7 --backbone truth --frames 9 --flow dis:fast"
    let calibrated = try scratch.inbetween("calibrate \(options) --scheduler moved:rate=0.3")
    #expect(calibrated.code == 0, "\(calibrated.err)")
    let words = calibrated.out.split(separator: " ")
    let scheduler = try #require(words.first), share = try #require(words.dropFirst().first)
    #expect(scheduler.hasPrefix("moved:"))
    let outcome = try scratch.inbetween("eval \(options) --scheduler \(scheduler) --json r.json")
    #expect(outcome.code == 0, "\(outcome.err)")
    let speed = try #require(try scratch.json("r.json")["speed"] as? [String: Any])
    let ratio = try #require(speed["keyframe_ratio"] as? Double)
    #expect(String(format: "%.1f", 100 * ratio) == share)
    let refused = try scratch.inbetween("calibrate \(options) --scheduler every:3")
    #expect(refused.code == 64 && refused.err.contains("moved:rate=0.1"))
  }

  // What is kept is what is printed, and a scheduler that takes it makes the same keys.
  @Test func aLimitIsKeptBesideTheWeights() throws {
    let options = "street:7 --backbone truth --frames 9 --flow dis:fast"
    try FileManager.default.createDirectory(
      atPath: scratch("net"), withIntermediateDirectories: true)
    let calibrated = try scratch.inbetween(
      "calibrate \(options) --scheduler moved:rate=0.3 --keep net")
    #expect(calibrated.code == 0, "\(calibrated.err)")
    let printed = try #require(calibrated.out.split(separator: " ").first)
    func keys(_ scheduler: String) throws -> Double {
      let outcome = try scratch.inbetween("eval \(options) --scheduler \(scheduler) --json r.json")
      #expect(outcome.code == 0, "\(outcome.err)")
      let speed = try #require(try scratch.json("r.json")["speed"] as? [String: Any])
      return try #require(speed["keyframe_ratio"] as? Double)
    }
    #expect(try keys("calibrated:net,moved:rate=0.3") == keys(String(printed)))
    let missing = try scratch.inbetween(
      "eval \(options) --scheduler calibrated:net,spread:rate=0.3")
    #expect(missing.code != 0 && missing.err.contains("but of moved:rate=0.3"), "\(missing.err)")
    let along = try scratch.inbetween(
      "eval street:7 --backbone truth --frames 9 --flow zero "
        + "--scheduler shots:calibrated:net,moved:rate=0.3"
    )
    #expect(along.code == 64 && along.err.contains("along dis:fast"), "\(along.err)")
    let folder = try scratch.inbetween(
      "calibrate \(options) --scheduler moved:rate=0.3 --keep nowhere")
    #expect(folder.code == 73 && folder.errorLines.count == 1, "\(folder.err)")
    try scratch.write("{}", to: "net/thresholds.json")
    let damaged = try scratch.inbetween(
      "eval \(options) --scheduler calibrated:net,moved:rate=0.3")
    #expect(damaged.code != 0 && damaged.err.contains("holds no thresholds"), "\(damaged.err)")
  }

  // A second is more than a key takes, a nanosecond less than any frame does.
  @Test func aLatencyIsCalibratedToALimit() throws {
    let options = "street:7 --backbone truth --frames 9 --flow dis:fast"
    let slow = try scratch.inbetween("calibrate \(options) --scheduler moved:latency=1000")
    #expect(slow.code == 0 && slow.out.contains("100.0 %"), "\(slow.err)\(slow.out)")
    let fast = try scratch.inbetween("calibrate \(options) --scheduler moved:latency=0.000001")
    #expect(fast.code == 65 && fast.err.contains("take longer"), "\(fast.err)")
  }

  @Test func theDemoLeavesWhatItSpeaksOf() throws {
    try scratch.writePictures(to: "pictures", frames: 3)
    let outcome = try scratch.inbetween(
      "demo pictures --frames 3 --out out --models \(modelFolder)")
    #expect(outcome.code == 0, "\(outcome.err)")
    #expect(outcome.err.isEmpty)
    #expect(try scratch.names("out") == ["carried.mp4", "street.mp4", "street.png"])
    for name in try scratch.names("out") {
      #expect(outcome.out.contains("out/" + name))
      let source = try VideoSource.open(scratch("out/" + name))
      while try source.next() != nil {}
      #expect(source.report.isClean)
    }
  }

  /// A smooth random pattern, its content `shift` pixels further to the right.
  private func texture(shiftedBy shift: Int) -> Image {
    Image(width: 160, height: 120, channels: 3) { bytes in
      for y in 0..<120 {
        for x in 0..<160 {
          let (u, v) = (Double(x - shift), Double(y))
          let value = sin(u / 3.1) * cos(v / 4.3) + sin((u + 2 * v) / 7.7) + cos((u - v) / 2.9)
          for plane in 0..<3 { bytes[3 * (y * 160 + x) + plane] = UInt8(128 + 40 * value) }
        }
      }
    }
  }
}
