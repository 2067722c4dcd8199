// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

struct SweepCommandTests {
  private let small = "street:3 --backbone truth --frames 8 --flow dis:ultrafast --rounds 0"
  private let axes = "--set scheduler=every:2,every:3,moved:rate=0.4 --set propagator=copy,warp"

  private func points(_ home: Scratch, _ folder: String) throws -> [String: [UInt8]] {
    try home.names("\(folder)/points").reduce(into: [:]) {
      $0[$1] = try home.bytes("\(folder)/points/\($1)/frames.json")
    }
  }

  // Killed anywhere, however often, a sweep ends with every point once and as if nothing had been.
  @Test func aSweepThatIsKilledIsGoneOnWith() throws {
    let home = try Scratch()
    let whole = try home.inbetween("sweep \(small) \(axes) --out whole --jobs 2")
    #expect(whole.code == 0, "\(whole.err)")
    var draws = Draws(seed: 11)
    for kill in 0..<5 {
      let more = kill == 0 ? "\(small) \(axes)" : "--resume"
      let running = try home.start("sweep \(more) --out broken --jobs 2")
      Thread.sleep(forTimeInterval: draws.doubles(1, in: 0.3...1.6)[0])
      running.send(SIGKILL)
      _ = try running.wait()
    }
    let more = home.has("broken/sweep.json") ? "--resume" : "\(small) \(axes)"
    // Workers of one that was killed end by themselves, and their locks with them.
    let end = try home.inbetween("sweep \(more) --out broken --jobs 2")
    #expect(end.code == 0, "\(end.err)")
    #expect(try points(home, "broken") == points(home, "whole"))
    #expect(try points(home, "whole").count == 7)
    #expect(try home.names("broken").allSatisfy { !$0.hasPrefix(".") })
  }

  @Test func anInterruptedSweepSaysHowFarItIs() throws {
    let home = try Scratch()
    let running = try home.start(
      "sweep \(small) \(axes) --frames 60 --out s".replacing("--frames 8 ", with: ""))
    #expect(eventually { home.has("s/sweep.json") })
    running.send(SIGINT)
    let outcome = try running.wait()
    #expect(outcome.code == 130 && outcome.err.contains("--resume goes on"), "\(outcome)")
  }

  @Test(arguments: [
    ("sweep street:3 --backbone truth --set scheduler=no --out s", 64, "no"),
    ("sweep street:3 --backbone truth --set scheduler=every:1,every --out s", 64, "every"),
    ("sweep street:3 --backbone truth --retry-failed --out s", 64, "--resume"),
    ("sweep --resume --rounds 3 --out s", 64, "as it was planned"),
    ("sweep street:3 --backbone truth --partition p --out s", 64, "--launcher slurm"),
    ("train s.yaml --data streets:1 --out t --dry-run", 64, "--launcher slurm"),
    ("sweep --out s", 64, "clips"), ("sweep --resume --out s", 66, "no sweep"),
    (
      "sweep street:3 --backbone truth --zip scheduler=every:1 --zip flow=dis,zero --out s", 64,
      "zip"
    ),
    ("compare s", 64, "no sweep"), ("compare s --two-fold --pooled", 64, "clip by clip"),
    ("compare a b", 66, "a holds no run"),
    ("tune street:3 --out t --backbone truth", 64, "--latency"),
    ("tune street:3 --out t --backbone truth --latency x", 64, "20ms"),
    ("tune street:3 --out t --backbone truth --miou 2", 64, "0 to 1"),
  ])
  func whatCannotBeDoneIsRefused(_ line: String, _ code: Int, _ words: String) throws {
    let outcome = try Scratch().inbetween(line)
    #expect(outcome.code == Int32(code) && outcome.errorLines.count == 1, "\(outcome)")
    #expect(outcome.err.contains(words), "\(outcome.err)")
  }

  // What a node runs, with names that a shell would take apart.
  @Test func jobsOfAClusterAreScripts() throws {
    let home = try Scratch()
    let sweep = try home.inbetween(
      "sweep street:3 --backbone truth --set scheduler=every:2 --out it's --threads 3 "
        + "--launcher slurm --tasks 2 --partition long --minutes 9 --dry-run")
    #expect(sweep.code == 0 && !home.has("it's"), "\(sweep)")
    for line in [
      "#SBATCH --array=0-1", "#SBATCH --partition=long", "#SBATCH --time=9", "#SBATCH --requeue",
      "#SBATCH --cpus-per-task=3", "cd '\(home.path)'",
    ] { #expect(sweep.out.split(separator: "\n").contains(Substring(line)), "\(line)") }
    let last = try #require(sweep.out.split(separator: "\n").last)
    #expect(last.hasPrefix("exec '") && last.contains("'sweep-worker' '\(home.path)/it'\\''s'"))
    #expect(last.hasSuffix("'--number' \"$SLURM_ARRAY_TASK_ID\" '--of' '2' '--threads' '3'"))
    try home.write(smallNetwork(steps: 4), to: "spec.yaml")
    let train = try home.inbetween(
      "train spec.yaml --data streets:1 --seed 7 --out t --launcher slurm --dry-run --mem 4G")
    #expect(train.code == 0 && train.out.contains("#SBATCH --mem=4G"), "\(train)")
    #expect(train.out.contains("'--resume'") && train.out.contains("'--seed' '7'"))
  }

  @Test func anotherSweepInTheFolderIsRefused() throws {
    let home = try Scratch()
    let line = "sweep \(small) --set scheduler=every:2 --out s"
    #expect(try home.inbetween(line).code == 0)
    let again = try home.inbetween(line)
    #expect(again.code == 73 && again.err.contains("--resume"))
    let other = try home.inbetween("\(line) --set propagator=copy --resume")
    #expect(other.code == 73 && other.err.contains("another sweep"))
    #expect(try home.inbetween("\(line) --resume").code == 0)
  }

  @Test func failedPointsAreToldAndTriedAgain() throws {
    let home = try Scratch()
    let line = "sweep \(small) --set propagator=copy,trained:none --out s"
    let outcome = try home.inbetween(line)
    #expect(outcome.code == 1 && outcome.err.contains("1 of 3 points failed"), "\(outcome.err)")
    #expect(outcome.out.contains("per frame"))
    let again = try home.inbetween("sweep --resume --retry-failed --out s")
    #expect(again.code == 1 && again.err.contains("1 of 3 points failed"))
  }

  @Test func aSweepOfWhichNothingCanBeMeasuredEnds() throws {
    let home = try Scratch()
    let outcome = try home.inbetween(
      "sweep street:3 --backbone none --set scheduler=every:2 --frames 4 --out s")
    #expect(outcome.code == 1 && outcome.err.contains("2 of 2 points failed"), "\(outcome)")
    #expect(outcome.out.isEmpty)
  }

  @Test func pointsAreTimedInTurnAndComparedByFrames() throws {
    let home = try Scratch()
    let outcome = try home.inbetween(
      "sweep street:3 --backbone truth --frames 20 --flow dis:ultrafast --set scheduler=every:5 "
        + "--propagator copy --out s --rounds 3 --timed-frames 5")
    #expect(outcome.code == 0 && outcome.out.contains(" ms "), "\(outcome)")
    let group = try #require(try home.names("s/timing").first)
    #expect(try home.names("s/timing/\(group)") == (1...3).map { "round-00\($0).json" })
    let table = try home.inbetween("compare s --figure mIoU")
    #expect(table.out.contains("excludes zero") && table.out.contains("every:5"), "\(table)")
    for (name, scheduler) in [("a", "every:1"), ("b", "every:5")] {
      for street in [3, 4] {
        let kept = try home.inbetween(
          "eval street:\(street) --backbone truth --frames 20 --propagator copy "
            + "--scheduler \(scheduler) --out \(name)/\(street)")
        #expect(kept.code == 0, "\(kept)")
      }
    }
    let both = try home.inbetween("compare a b --figure mIoU --json -")
    #expect(both.out.contains("\"difference\""), "\(both)")
    let pooled = try home.inbetween("compare a b --figure mIoU --pooled")
    let last = try #require(pooled.out.split(separator: "\n").last)
    #expect(last.contains("all 2 clips, pooled") && last.contains("  excludes zero"), "\(pooled)")
  }

  @Test func tuningKeepsHalfOfTheClipForTheEnd() throws {
    let home = try Scratch()
    let outcome = try home.inbetween(
      "tune street:3 --miou 0.4 --backbone truth --frames 20 --budget 30 --out t "
        + "--set scheduler=every:2,every:4 --set propagator=copy,warp --set flow=dis:ultrafast")
    #expect(outcome.code == 0, "\(outcome)")
    #expect(outcome.out.contains("on the 10 frames that were held out"))
    let tuning = try home.json("t/tuning.json")
    #expect((tuning["expected"] as? [String: Any])?["frames"] as? Int == 10)
    let choice = try #require(tuning["choice"] as? [String: Any])
    #expect(choice["frames"] as? Int == 10)
    let used = try home.inbetween("eval street:3 --frames 4 --config t/best.yaml")
    #expect(used.code == 0, "\(used)")
    let none = try home.inbetween(
      "tune street:3 --latency 0.001ms --backbone \(modelFolder)/street-light --frames 16 "
        + "--budget 4 --out u --set scheduler=every:4,every:8 --propagator copy --flow zero")
    #expect(none.code == 1 && none.err.contains("no candidate meets the goal"), "\(none)")
    #expect(home.has("u/front.json"))
    // The truth agrees with itself.
    for line in ["sweep street:3 --set scheduler=every:2", "tune street:3 --rate 0.5"] {
      let agreement = line.hasPrefix("sweep") ? "--agreement" : ""
      let refused = try home.inbetween("\(line) \(agreement) --backbone truth --out v")
      #expect(refused.code == 64 && refused.err.contains("needs a network"), "\(refused)")
    }
  }
}
