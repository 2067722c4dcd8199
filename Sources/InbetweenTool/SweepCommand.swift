// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Experiments
internal import Foundation
internal import Outputs
internal import Recipes
internal import Specification

struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep", abstract: "Measure many pipelines on many clips.",
    discussion: """
      --set scheduler=every:1,every:5 --set flow=dis:fast,dis:medium tries every combination, on \
      every clip, beside per-frame inference. A value that holds a comma stands in quotes. \
      Accuracy is measured several points at a time, then each is timed alone, in turn with the \
      others. What is finished is kept: --resume goes on after any interruption.
      """)

  @Argument(help: "The clips: camvid:DIR, video:FILE with --agreement, street:SEED, …")
  var clips: [String] = []

  @Option(name: [.long], help: "A clip, as in eval; may be given several times.")
  var data: [String] = []

  @Option(help: "The folder of the sweep.")
  var out: String

  @OptionGroup var parts: PartOptions

  @Option(help: "Settings that advance together, each --zip as long: scheduler=every:5,every:10.")
  var zip: [String] = []

  @Option(help: "Leave out points: scheduler=every:1,flow=dis:*; may be given several times.")
  var exclude: [String] = []

  @Option(help: "Seeds: each takes the place of {seed} in the values of --set.")
  var seeds: String?

  @Option(help: "Which part of the data sets: train, val or test. Usually val.")
  var split: String?

  @Option(help: "Stop after so many frames of each clip.")
  var frames: Int?

  @Flag(help: "Measure agreement with per-frame inference, in the place of labels.")
  var agreement = false

  @Option(help: "The optical flow used for temporal consistency; none leaves it out.")
  var consistency: String?

  @Option(name: [.customLong("metric")], help: "Measure this too; see list.")
  var metrics: [String] = []

  @Option(help: "Points measured at a time; usually as many as there are --threads.")
  var jobs: Int?

  @Option(help: "Rounds of timing, usually 7; 0 leaves times out.")
  var rounds: Int?

  @Option(help: "Frames of each clip that are timed. Usually all.")
  var timedFrames: Int?

  @OptionGroup var cluster: LauncherOptions

  @Option(help: "slurm: how many jobs the array has. Usually one a group of points, 64 at most.")
  var tasks: Int?

  @Flag(help: "Keep the label maps of each point, as points/ID/labels in --out, for score.")
  var labels = false

  @Flag(help: "Go on with the sweep in --out.")
  var resume = false

  @Flag(help: "Try points again that failed; with --resume.")
  var retryFailed = false

  @Flag(help: "Stop at the first point that fails.")
  var failFast = false

  @Flag(help: "Print the points and do nothing.")
  var dryRun = false

  func validate() throws {
    guard jobs ?? 1 >= 1, jobs ?? 1 <= 1024 else {
      throw ValidationError("--jobs needs a number from 1 to 1024, not \(jobs ?? 0)")
    }
    guard (0...10_000).contains(rounds ?? 7) else {
      throw ValidationError("--rounds needs a number from 0 to 10000, not \(rounds ?? 0)")
    }
    guard timedFrames ?? 1 >= 1 else {
      throw ValidationError("--timed-frames needs at least 1, not \(timedFrames ?? 0)")
    }
    if retryFailed && !resume { throw ValidationError("--retry-failed goes with --resume") }
  }

  func run() throws {
    let signals = Signals()
    let folder = SweepFolder(out)
    let plan = try chosenPlan(in: folder)
    let slurm = cluster.launcher == .slurm ? launcher(plan, folder) : nil
    if dryRun {
      if let slurm { return print(slurm.job().script, terminator: "") }
      return list(plan, folder)
    }
    try OutputFile.make(folder: out)
    guard let lock = try FolderLock(out) else {
      throw Failure(.cannotCreate, "\(out): another sweep works there")
    }
    try withExtendedLifetime(lock) {
      // From where the folder says that there is a sweep, an interruption says how far it is.
      signals.keepsWork()
      if folder.exists { if retryFailed { try folder.retryFailed(plan) } }
      try folder.begin(plan)
      let job = SweepJob(
        folder: folder, plan: plan, threads: parts.threading.threads,
        jobs: jobs ?? parts.threading.threads, failsFast: failFast, slurm: slurm, signals: signals)
      try job.run()
    }
  }

  /// The plan that these options say; that of the folder where it is gone on with.
  private func chosenPlan(in folder: SweepFolder) throws -> SweepPlan {
    // Of a path alone nothing but agreement can be measured.
    let clips = (clips + data).map { clip in
      agreement && FileManager.default.fileExists(atPath: clip) ? "video:\(clip)" : clip
    }
    if resume, clips.isEmpty {
      guard !changesPlan else {
        throw ValidationError(
          "--resume goes on with the sweep as it was planned: name all of it again, or nothing")
      }
      return try folder.plan()
    }
    guard !clips.isEmpty else {
      throw ValidationError("clips must be named: camvid:DIR, video:FILE, … or --resume")
    }
    try clips.forEach(DataArgument.check)
    let plan: SweepPlan
    do { plan = try SweepPlan(request(clips), in: Parts.registries) } catch let error
      as SpecificationError
    { throw ValidationError(error.message) }
    guard !dryRun, folder.exists else { return plan }
    let before = try folder.plan()
    guard before.isLike(plan) else {
      throw Failure(
        .cannotCreate, "\(out) holds another sweep; --resume alone goes on with that one")
    }
    guard resume else {
      throw Failure(.cannotCreate, "\(out) holds this sweep already; --resume goes on with it")
    }
    return before
  }

  /// Whether anything is said of what is to be measured.
  private var changesPlan: Bool {
    let texts = [seeds, split, consistency].compactMap(\.self) + zip + exclude + metrics
    let settings = parts.settings([])
    return !texts.isEmpty || rounds != nil || timedFrames != nil || frames != nil || agreement
      || labels || !settings.options.isEmpty || !settings.overrides.isEmpty
      || settings.file != nil
  }

  private func request(_ clips: [String]) throws -> SweepPlan.Request {
    var request = SweepPlan.Request()
    var own: [(key: String, value: OptionValue)] = []
    if let split { own.append(("split", .text(split))) }
    if let frames { own.append(("frames", .integer(frames))) }
    if let consistency { own.append(("consistency", .text(consistency))) }
    if !metrics.isEmpty { own.append(("metrics", .list(metrics.map { .text($0) }))) }
    if agreement { own.append(("agreement", true)) }
    request.settings = parts.settings(own)
    request.settings.overrides = []
    request.data = clips
    request.grid = try parts.overrides.map { try SweepAxis($0) }.map(seeded)
    request.zip = try zip.map { try SweepAxis($0) }
    request.exclusions = try exclude.map { try SweepExclusion($0) }
    (request.rounds, request.timedFrames, request.keepsLabels) = (rounds ?? 7, timedFrames, labels)
    return request
  }

  /// The axis with each seed in the place of `{seed}`.
  private func seeded(_ axis: SweepAxis) throws -> SweepAxis {
    guard axis.values.contains(where: { $0.contains("{seed}") }) else { return axis }
    guard let seeds else {
      throw ValidationError("--set \(axis.key) holds {seed}: --seeds 1,2,3 must say which")
    }
    let numbers = seeds.split(separator: ",")
    return SweepAxis(
      key: axis.key,
      values: axis.values.flatMap { value in
        value.contains("{seed}")
          ? numbers.map { value.replacingOccurrences(of: "{seed}", with: $0) } : [value]
      })
  }

  private func launcher(_ plan: SweepPlan, _ folder: SweepFolder) -> SweepLauncher {
    SweepLauncher(
      folder: folder, tasks: tasks ?? max(1, min(64, plan.groups.count)),
      threads: parts.threading.threads, options: cluster)
  }

  private func list(_ plan: SweepPlan, _ folder: SweepFolder) {
    for point in plan.points {
      let mark = point.isBaseline ? "baseline" : "        "
      print("\(point.id)  \(mark)  \(point.clip)  \(point.name)")
    }
    let rounds = plan.rounds == 0 ? "not timed" : "timed in \(plan.rounds) rounds"
    print("\(plan.points.count) points, \(rounds)")
  }
}
