// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing
import Video

/// A small network trained on a few pictures through the tool.
struct TrainTests {
  let scratch: Scratch
  private let line = "train spec.yaml --data folder:data --validation folder:data --threads 1"

  init() throws {
    scratch = try Scratch()
    try write(steps: 6)
    try scratch.writePictures(to: "data/images")
    try FileManager.default.createDirectory(
      atPath: scratch("data/labels"), withIntermediateDirectories: true)
    for name in try scratch.names("data/images") {
      let labels = Image(
        width: 64, height: 48, channels: 1, bytes: (0..<48 * 64).map { UInt8($0 % 64 / 16) })
      try labels.writePNG(
        to: scratch("data/labels/\(name)"), palette: ClassList.camVid.palette)
    }
  }

  private func write(steps: Int) throws {
    try FileManager.default.createDirectory(
      atPath: scratch("net"), withIntermediateDirectories: true)
    let spec = smallNetwork(steps: steps)
    try scratch.write(spec, to: "spec.yaml")
    try scratch.write(spec, to: "net/spec.yaml")
  }

  @Test func aTrainedNetworkRuns() throws {
    let outcome = try scratch.inbetween("\(line) --out o --evaluate-every 3")
    #expect(outcome.code == 0, "\(outcome.err)")
    let files = try scratch.names("o")
    for name in ["checkpoint.safetensors", "metrics.jsonl", "weights.safetensors"] {
      #expect(files.contains(name))
    }
    let entries = try scratch.lines("o/metrics.jsonl")
    #expect(
      entries.filter { $0["split"] as? String == "val" }.map { $0["step"] as? Int } == [3, 6])
    #expect(entries.allSatisfy { $0["split"] as? String != "val" || $0["val/miou"] != nil })
    try FileManager.default.copyItem(
      atPath: scratch("o/weights.safetensors"), toPath: scratch("net/weights.safetensors"))
    // What it was trained on goes with it, and is said where that is measured.
    try FileManager.default.copyItem(
      atPath: scratch("o/provenance.yaml"), toPath: scratch("net/provenance.yaml"))
    let measured = try scratch.inbetween("eval folder:data --backbone net --json r.json")
    #expect(measured.code == 0, "\(measured.err)")
    #expect(measured.err.contains("net: trained on data/images, which is measured"))
    try scratch.write("chosen_on: [elsewhere, data/images]", to: "net/provenance.yaml")
    let again = try scratch.inbetween("eval folder:data --backbone net")
    #expect(again.err.contains("settings were chosen on data/images"), "\(again.err)")
    #expect(!again.err.contains("trained on"))
    try scratch.write("trained_on: data", to: "net/provenance.yaml")
    let broken = try scratch.inbetween("eval folder:data --backbone net")
    #expect(broken.code == 78 && broken.err.contains("net/provenance.yaml"), "\(broken)")
    try FileManager.default.removeItem(atPath: scratch("net/provenance.yaml"))
    let run = try scratch.inbetween("run data/images --backbone net --labels maps")
    #expect(run.code == 0, "\(run.err)")
    #expect(try scratch.names("maps").count == 6)
  }

  @Test func anotherSeedIsAnotherTraining() throws {
    try write(steps: 2)
    for (folder, option) in [("a", ""), ("b", " --seed 1"), ("c", " --seed 2")] {
      let outcome = try scratch.inbetween("\(line) --out \(folder) --evaluate-every 0\(option)")
      #expect(outcome.code == 0, "\(outcome.err)")
    }
    let weights = try ["a", "b", "c"].map { try scratch.bytes("\($0)/weights.safetensors") }
    // The specification's own seed is 1.
    #expect(weights[0] == weights[1] && weights[0] != weights[2])
    let mixed = try scratch.inbetween("\(line) --out a --resume --seed 2")
    #expect(mixed.code != 0 && mixed.err.contains("another specification"))
  }

  @Test func anInterruptedTrainingIsKeptAndTakenUp() throws {
    try write(steps: 40)
    #expect(try scratch.inbetween("\(line) --out whole").code == 0)
    let running = try scratch.start("\(line) --out o --checkpoint-every 4")
    #expect(eventually { scratch.has("o/checkpoint.safetensors") })
    running.send(SIGTERM)
    let outcome = try running.wait()
    #expect(outcome.code == 143 && outcome.errorLines.last?.contains("terminated") == true)
    #expect(!scratch.has("o/weights.safetensors"))
    let again = try scratch.inbetween("\(line) --out o")
    #expect(again.code == 73 && again.err.contains("--resume"))
    #expect(try scratch.inbetween("\(line) --out o --resume").code == 0)
    #expect(
      try scratch.bytes("o/weights.safetensors") == scratch.bytes("whole/weights.safetensors"))
  }

  @Test func aCheckpointThatIsCutOffGivesWayToTheOneBefore() throws {
    try write(steps: 40)
    #expect(try scratch.inbetween("\(line) --out whole").code == 0)
    let running = try scratch.start("\(line) --out o --checkpoint-every 4")
    #expect(eventually { scratch.has("o/checkpoint.former.safetensors") })
    running.send(SIGKILL)
    _ = try running.wait()
    let newest = try scratch.bytes("o/checkpoint.safetensors")
    // Between two renames both names are one file, of which only one is to be cut.
    try FileManager.default.removeItem(atPath: scratch("o/checkpoint.safetensors"))
    try scratch.write(newest.prefix(newest.count / 2), to: "o/checkpoint.safetensors")
    let outcome = try scratch.inbetween("\(line) --out o --resume")
    #expect(outcome.code == 0, "\(outcome.err)")
    #expect(outcome.err.contains("warning: o/checkpoint.safetensors cannot be read"))
    #expect(
      try scratch.bytes("o/weights.safetensors") == scratch.bytes("whole/weights.safetensors"))
    for name in ["o/checkpoint.safetensors", "o/checkpoint.former.safetensors"] {
      try scratch.write(newest.prefix(100), to: name)
    }
    let none = try scratch.inbetween("\(line) --out o --resume")
    #expect(none.code == 65 && none.err.contains("no whole one before it"), "\(none.err)")
  }

  @Test func twoTrainingsDoNotShareAFolder() throws {
    try write(steps: 4000)
    let running = try scratch.start(
      "\(line) --out o --evaluate-every 0 --checkpoint-every 100000")
    #expect(eventually { scratch.has("o/metrics.jsonl") })
    for option in ["", " --resume", " --overwrite"] {
      let other = try scratch.inbetween("\(line) --out o\(option)")
      #expect(other.code == 73 && other.err.contains("another training"), "\(other.err)")
    }
    running.send(SIGINT)
    #expect(try running.wait().code == 130)
  }

  @Test func finishedWeightsAreNotWrittenOver() throws {
    try write(steps: 2)
    try FileManager.default.createDirectory(
      atPath: scratch("o"), withIntermediateDirectories: true)
    try scratch.write("weights", to: "o/weights.safetensors")
    for option in ["", " --resume"] {
      let refused = try scratch.inbetween("\(line) --out o\(option)")
      #expect(refused.code == 73 && refused.err.contains("--overwrite"), "\(refused.err)")
    }
    #expect(try scratch.bytes("o/weights.safetensors") == Array("weights".utf8))
    #expect(try scratch.inbetween("\(line) --out o --overwrite").code == 0)
    // Those of a teacher are read, and never written, whatever a flag says.
    try FileManager.default.copyItem(
      atPath: scratch("o/weights.safetensors"), toPath: scratch("net/weights.safetensors"))
    let taught = "train spec.yaml --data folder:data --teacher net --threads 1 --out"
    #expect(try scratch.inbetween("\(taught) net --overwrite").code == 64)
  }

  @Test(arguments: ["2>/dev/full", "2>&1 | head -1", "2>&-"])
  func progressThatNobodyReadsDoesNoHarm(redirection: String) throws {
    try write(steps: 60)
    let train = "\(line) --out o --evaluate-every 5"
    _ = try scratch.bash("\"$@\" \(redirection)", train)
    #expect(scratch.has("o/weights.safetensors"))
  }

  @Test(arguments: ["file", "file/x", "/proc/none"])
  func aFolderThatCannotBeMadeIsNamed(folder: String) throws {
    try scratch.write("x", to: "file")
    let outcome = try scratch.inbetween("\(line) --out \(folder)")
    #expect(outcome.code == 73 && outcome.errorLines.count == 1, "\(outcome.err)")
    #expect(outcome.err.contains(folder) && !outcome.err.contains("Domain"), "\(outcome.err)")
  }

  @Test func aTeacherLabelsWhatHasNoLabels() throws {
    #expect(try scratch.inbetween("\(line) --out o").code == 0)
    try FileManager.default.copyItem(
      atPath: scratch("o/weights.safetensors"), toPath: scratch("net/weights.safetensors"))
    let taught = "train spec.yaml --data video:data/images --threads 1"
    let alone = try scratch.inbetween("\(taught) --out t")
    #expect(alone.code == 66 && alone.err.contains("no labels"), "\(alone.err)")
    let outcome = try scratch.inbetween("\(taught) --out t --teacher net")
    #expect(outcome.code == 0, "\(outcome.err)")
    #expect(try scratch.names("t/labels").count == 6)
    let missing = try scratch.inbetween("\(taught) --out u --teacher none")
    #expect(missing.code == 66 && missing.errorLines.count == 1, "\(missing.err)")
  }

  // Filmed frames beside the labelled ones, along optical flow; the encoder stays the teacher's.
  @Test func aNetworkIsTaughtOnPairsOfFilmedFrames() throws {
    #expect(try scratch.inbetween("\(line) --out o").code == 0)
    try FileManager.default.copyItem(
      atPath: scratch("o/weights.safetensors"), toPath: scratch("net/weights.safetensors"))
    let lessons = "neighbours: 0.5, pairwise: 2, multi_frame: 3"
    func spec(_ lessons: String) -> String {
      smallNetwork(steps: 4)
        .replacing("name: small", with: "name: small\nbase: net")
        .replacing("optimizer:", with: "frozen: [encoder], optimizer:")
        .replacing(
          "  batch: 2",
          with: """
              batch: 2
              pair_batch: 1
              pairs: 3
              gaps: [1, 2]
              flow: dis:ultrafast
              degradation: {noise: 2}
              teacher: {network: net\(lessons)}
            """)
    }
    try scratch.write(spec(", " + lessons), to: "taught.yaml")
    let command = "train taught.yaml --data folder:data --data video:data/images --threads 1"
    let outcome = try scratch.inbetween("\(command) --out t")
    #expect(outcome.code == 0, "\(outcome.err)")
    let first = try #require(try scratch.lines("t/metrics.jsonl").first)
    for part in ["teaching", "neighbours", "pairwise", "multi_frame"] {
      #expect(first["loss/\(part)"] != nil, "\(part)")
    }
    let size = { try Data(contentsOf: URL(fileURLWithPath: scratch($0))).count }
    #expect(try 2 * size("t/weights.safetensors") < size("net/weights.safetensors"))
    try scratch.write(spec(""), to: "taught.yaml")
    let alone = try scratch.inbetween("\(command) --out u")
    #expect(alone.code == 64 || alone.code == 78, "\(alone.code)")
    #expect(alone.err.contains("one --data") && alone.errorLines.count == 1, "\(alone.err)")
    #expect(!FileManager.default.fileExists(atPath: scratch("u")))
  }

  @Test func theMapOfAFusionIsTaught() throws {
    try writePart("kind: error-guided, branch: {network: ../net, trained: true}, channels: 4")
    let text = try String(contentsOfFile: scratch("part/spec.yaml"), encoding: .utf8)
    try scratch.write(
      text.replacing("  batch: 2", with: "  batch: 2\n  errors: 0.5"), to: "part/spec.yaml")
    let outcome = try scratch.inbetween(
      "train part/spec.yaml --data folder:data --data video:data/images --threads 1 --out p")
    #expect(outcome.code == 0, "\(outcome.err)")
    let entries = try scratch.lines("p/metrics.jsonl").compactMap { $0["loss/errors"] as? Double }
    #expect(!entries.isEmpty && entries.allSatisfy { $0 > 0 })
  }

  /// A network in `net`, and in `part` what is to be trained behind it.
  private func writePart(_ propagation: String, tap: String = "") throws {
    try write(steps: 2)
    #expect(try scratch.inbetween("\(line) --out o --evaluate-every 0").code == 0)
    try FileManager.default.copyItem(
      atPath: scratch("o/weights.safetensors"), toPath: scratch("net/weights.safetensors"))
    try FileManager.default.createDirectory(
      atPath: scratch("part"), withIntermediateDirectories: true)
    try scratch.write(
      """
      name: part
      backbone: ../net
      \(tap)
      flow: dis:ultrafast
      propagation: {\(propagation)}
      training:
        batch: 2
        crop: [32, 48]
        pairs: 4
        gaps: [1, 2]
        stages: [{name: all, steps: 4, optimizer: adam, rate: 0.001}]
      """, to: "part/spec.yaml")
  }

  @Test(arguments: [
    ("kind: displaced-convolution, size: 3, channels: 4", ""),
    ("kind: error-guided, branch: {network: ../net, scale: 0.5}, channels: 4", ""),
    ("kind: variant-convolution, after: stem, size: 3, channels: 4", "tap: decoder"),
    ("kind: adaptive-warp, after: stem", "tap: decoder"),
  ])
  func whatCarriesIsTrainedAndUsed(propagation: String, tap: String) throws {
    try writePart(propagation, tap: tap)
    let untrained = try scratch.inbetween(
      "run data/images --backbone net --propagator trained:part")
    #expect(untrained.code == 66 && untrained.err.contains("part is not trained"))
    let outcome = try scratch.inbetween(
      "train part/spec.yaml --data folder:data --data video:data/images --validation folder:data "
        + "--threads 1 --out p --evaluate-every 2")
    #expect(outcome.code == 0, "\(outcome.err)")
    let entries = try scratch.lines("p/metrics.jsonl")
    #expect(entries.filter { $0["val/miou/5"] != nil }.map { $0["step"] as? Int } == [2, 4])
    try FileManager.default.copyItem(
      atPath: scratch("p/weights.safetensors"), toPath: scratch("part/weights.safetensors"))
    let run = try scratch.inbetween(
      "run data/images --backbone net --scheduler every:3 --propagator trained:part --json -")
    #expect(run.code == 0, "\(run.err)")
    let other = try scratch.inbetween(
      "run data/images --backbone net --propagator trained:part --tap classifier")
    #expect((other.code == 64) == !tap.isEmpty, "\(other.err)")
    let scaled = try scratch.inbetween(
      "run data/images --backbone net --propagator trained:part,scale=0.7")
    #expect((scaled.code == 0) == propagation.contains("branch"), "\(scaled.err)")
    #expect(scaled.code == 0 || scaled.err.contains("part/spec.yaml: "), "\(scaled.err)")
  }

  /// What is measured of the clips is kept, so that a training that is taken up does not begin with
  /// it again.
  @Test func aPolicyIsTrainedAndUsed() throws {
    try writePart("kind: copy")
    try scratch.write(
      """
      name: part
      backbone: ../net
      flow: zero
      propagator: copy
      policy: {size: 4}
      training:
        frames: 5
        horizon: 4
        length: 4
        budgets: [0.3, 0.6]
        stages: [{name: all, steps: 4, optimizer: adam, rate: 0.001}]
      """, to: "part/spec.yaml")
    let train = "train part/spec.yaml --data video:data/images --threads 1 --out p"
    let outcome = try scratch.inbetween("\(train) --validation folder:data")
    #expect(outcome.code == 0, "\(outcome.err)")
    #expect(try scratch.lines("p/metrics.jsonl").last?["val/gap/5"] != nil)
    let kept = try scratch.names("p/episodes")
    #expect(kept.count == 2)
    let stamps = try kept.map { try scratch.bytes("p/episodes/\($0)") }
    let again = try scratch.inbetween("\(train) --validation folder:data --resume")
    #expect(again.code == 0 && !again.err.contains("frames"), "\(again.err)")
    #expect(try kept.map { try scratch.bytes("p/episodes/\($0)") } == stamps)
    try FileManager.default.copyItem(
      atPath: scratch("p/weights.safetensors"), toPath: scratch("part/weights.safetensors"))
    let run = try scratch.inbetween(
      "run data/images --backbone net --propagator copy --scheduler policy:part,2/6 --json -")
    #expect(run.code == 0, "\(run.err)")
    let inspected = try scratch.inbetween("inspect part")
    #expect(inspected.code == 0 && inspected.out.contains("policy"), "\(inspected.err)")
    let wrong = try scratch.inbetween("run data/images --backbone net --scheduler policy:part,7/6")
    #expect(wrong.code == 64 && wrong.errorLines.count >= 1)
  }

  /// What is found only once the part is built is told with the file as well.
  @Test(arguments: [
    ("kind: independent, after: nowhere", "no stage 'nowhere'"),
    ("kind: independent, after: context", "must be the finer"),
  ])
  func aDescriptionThatCannotBeBuiltIsNamed(propagation: String, words: String) throws {
    try writePart(propagation, tap: "tap: stem")
    let outcome = try scratch.inbetween(
      "train part/spec.yaml --data folder:data --threads 1 --out p")
    #expect(outcome.code == 78 && outcome.errorLines.count == 1, "\(outcome.err)")
    #expect(outcome.err.contains("part/spec.yaml: ") && outcome.err.contains(words))
  }

  @Test func aPartThatFitsNoSuchBackboneIsRefused() throws {
    try writePart("kind: difference, size: 3")
    let outcome = try scratch.inbetween(
      "train part/spec.yaml --data folder:data --threads 1 --out p --evaluate-every 0")
    #expect(outcome.code == 0, "\(outcome.err)")
    try FileManager.default.copyItem(
      atPath: scratch("p/weights.safetensors"), toPath: scratch("part/weights.safetensors"))
    try scratch.write(
      try String(contentsOfFile: scratch("part/spec.yaml"), encoding: .utf8)
        .replacing("size: 3", with: "size: 5"), to: "part/spec.yaml")
    let run = try scratch.inbetween(
      "run data/images --backbone net --propagator trained:part")
    #expect(run.code == 65 && run.errorLines.count == 1, "\(run.err)")
    #expect(run.err.contains("does not fit"))
  }
}

extension Scratch {
  /// The objects of a file of JSON lines.
  fileprivate func lines(_ name: String) throws -> [[String: Any]] {
    try String(decoding: bytes(name), as: UTF8.self).split(separator: "\n").map {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
    }
  }
}
