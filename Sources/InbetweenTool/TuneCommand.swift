// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Evaluation
internal import Experiments
internal import Foundation
internal import Outputs
internal import Recipes
internal import Specification

struct TuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune", abstract: "Find the pipeline that serves a clip best on this machine.",
    discussion: """
      Searches schedulers, propagation and optical flow on the first half of the clip, by \
      agreement with per-frame inference or, with --miou, by labels; what is chosen is measured on \
      the second half. run --config OUT/best.yaml uses it.
      """)

  @Argument(help: "A video, a folder of pictures, or a labelled clip: camvid:DIR, street:SEED.")
  var source: String

  @Option(help: "The best score at this mean time of a frame, such as 20ms.")
  var latency: String?

  @Option(help: "The best score with this share of key frames, 0 to 1.")
  var rate: Double?

  @Option(help: "The fastest whose agreement with per-frame inference (mIoU) is at least this.")
  var agreement: Double?

  @Option(help: "The fastest whose mIoU against the clip's labels is at least this.")
  var miou: Double?

  @Option(help: "The folder for best.yaml, front.json and tuning.json.")
  var out: String

  @Option(help: "Seconds that the search may take.")
  var budget = 300.0

  @Option(help: "Stop after so many frames of the clip.")
  var frames: Int?

  @Option(help: "With --set: leave out candidates, as in sweep; may be given several times.")
  var exclude: [String] = []

  @OptionGroup var parts: PartOptions

  func validate() throws {
    guard [latency != nil, rate != nil, agreement != nil, miou != nil].count(where: { $0 }) == 1
    else { throw ValidationError("one of --latency, --rate, --agreement and --miou is needed") }
    for (name, value) in [("rate", rate), ("agreement", agreement), ("miou", miou)] {
      if let value, !(0...1).contains(value) {
        throw ValidationError("--\(name) needs a number from 0 to 1, not \(value)")
      }
    }
    guard budget > 0, budget <= 1e6 else {
      throw ValidationError("--budget needs seconds above 0, not \(budget)")
    }
    _ = try goal()
  }

  private func goal() throws -> Tuning.Goal {
    if let latency {
      let text = latency.hasSuffix("ms") ? String(latency.dropLast(2)) : latency
      guard let milliseconds = Double(text), milliseconds > 0, milliseconds < 1e6 else {
        throw ValidationError(
          "--latency needs milliseconds above 0, such as 20ms, not '\(latency)'")
      }
      return .latency(milliseconds: milliseconds)
    }
    if let rate { return .rate(rate) }
    return .score(agreement ?? miou ?? 1)
  }

  /// What is tried where no --set says so.
  private static let usual = [
    "scheduler=every:2,every:3,every:4,every:6,every:8,every:12,moved:rate=0.3,moved:rate=0.15",
    "flow=dis:ultrafast,dis:fast,dis:medium,chained:dis:fast,chained:dis:medium",
    "propagator=copy,warp",
  ]

  func run() throws {
    let signals = Signals()
    let registries = Parts.registries
    let plan = try plan()
    try Overwriting.check(
      outputs: ["--out": "\(out)/best.yaml"], inputs: [parts.config].compactMap(\.self))
    try OutputFile.make(folder: out)
    try parts.threading.apply()
    let progress = TuneProgress()
    let tuning = Tuning(
      in: registries, threads: parts.threading.threads, budget: .seconds(budget),
      isStopped: { signals.wantsStop }, tell: { progress.tell($0) })
    let outcome: Tuning.Outcome
    do { outcome = try tuning.run(plan, for: goal()) } catch is CancellationError {
      progress.end()
      throw signals.failure ?? Failure(.failed, "the search was stopped")
    }
    progress.end()
    Warnings.say(outcome.warnings)
    try write(outcome)
    print(TuneTable(outcome))
    if outcome.choice == nil {
      throw Failure(.failed, "no candidate meets the goal; \(out)/front.json has those there are")
    }
  }

  private func plan() throws -> SweepPlan {
    let registries = Parts.registries
    var request = SweepPlan.Request()
    var own: [(key: String, value: OptionValue)] = []
    if let frames { own.append(("frames", .integer(frames))) }
    if miou == nil { own.append(("agreement", true)) }
    own.append(("consistency", .text("none")))
    request.settings = parts.settings(own)
    request.settings.overrides = []
    // A path is that of a video; anything else must name a data set.
    let isPath =
      FileManager.default.fileExists(atPath: source)
      || (try? registries.grammar.parse(source, as: registries.datasets.role)) == nil
    request.data = [isPath ? "video:\(source)" : source]
    request.grid = try (parts.overrides.isEmpty ? Self.usual : parts.overrides).map {
      try SweepAxis($0)
    }
    request.exclusions = try exclude.map { try SweepExclusion($0) }
    if parts.overrides.isEmpty {
      // A copy asks for no flow: one of them is enough.
      request.exclusions += try ["dis:fast", "dis:medium", "chained:*"].map {
        try SweepExclusion("propagator=copy,scheduler=every:*,flow=\($0)")
      }
    }
    (request.rounds, request.timedFrames) = (0, nil)
    do { return try SweepPlan(request, in: registries) } catch let error
      as SpecificationError
    { throw ValidationError(error.message) }
  }

  private func write(_ outcome: Tuning.Outcome) throws {
    if let choice = outcome.choice {
      // To be run on other clips: where it was tuned is told beside it.
      var spec = choice.specification
      (spec.data, spec.frames, spec.agreement, spec.consistency) = (nil, nil, false, nil)
      let text = try ConfigNode(encoding: spec).ordered(by: ExperimentSpec.keys).yaml
      try PendingFile.write([UInt8](text.utf8), to: "\(out)/best.yaml")
    }
    try OutputFile("\(out)/front.json").write(json: outcome.front)
    try OutputFile("\(out)/tuning.json").write(json: outcome)
  }
}

/// What a search is at: redrawn on a terminal, a line every ten seconds elsewhere.
private final class TuneProgress {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var last = ContinuousClock.now

  func tell(_ text: String) {
    let now = ContinuousClock.now
    guard now - last >= (isTerminal ? .milliseconds(200) : .seconds(10)) else { return }
    last = now
    StandardError.say(isTerminal ? "\r\u{1B}[K\(text)" : "\(text)\n")
  }

  func end() { if isTerminal { StandardError.say("\r\u{1B}[K") } }
}

/// What a search came to, as a person reads it.
struct TuneTable: CustomStringConvertible {
  private let outcome: Tuning.Outcome

  init(_ outcome: Tuning.Outcome) { self.outcome = outcome }

  var description: String {
    let some = "\(outcome.tried) of which may meet the goal"
    var lines = [
      "\(outcome.candidates) candidates, \(some); those that no other beats, on the first half:"
    ]
    for candidate in outcome.front {
      let mark = candidate.name == outcome.choice?.name ? "*" : " "
      lines.append(
        String(
          format: "  %@ %.4f  %3.0f %% key  %7.2f ms  ", mark, candidate.score,
          100 * candidate.rate, candidate.milliseconds) + candidate.name)
    }
    guard let expected = outcome.expected, let choice = outcome.choice else {
      return lines.joined(separator: "\n")
    }
    lines.append("\(choice.name), on the \(expected.frames) frames that were held out:")
    if let score = expected.score {
      lines.append(
        String(format: "  mIoU %.4f [%.4f, %.4f]", score.estimate, score.low, score.high))
    }
    if let difference = expected.difference {
      lines.append(
        String(
          format: "  %+.4f [%+.4f, %+.4f] beside per-frame inference", difference.estimate,
          difference.low, difference.high))
    }
    if let time = expected.time {
      var line = String(format: "  %.2f ms a frame", time.milliseconds)
      if let ratio = time.ratio {
        line += String(
          format: ", %.3f [%.3f, %.3f] of per-frame inference", ratio.estimate, ratio.low,
          ratio.high)
      }
      lines.append(line + String(format: ", %.0f %% key frames", 100 * expected.rate))
    }
    return lines.joined(separator: "\n")
  }
}
