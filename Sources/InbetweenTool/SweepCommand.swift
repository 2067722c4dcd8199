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
      every clip, beside per-frame inference. A value that holds a comma stands in quotes. Accuracy \
      is measured several points at a time, then each is timed alone, in turn with the others. What \
      is finished is kept: --resume goes on after any interruption.
      """,
    subcommands: [])

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

  @Option(help: "Rounds of timing; 0 leaves times out.")
  var rounds = 7

  @Option(help: "Frames of each clip that are timed. Usually all.")
  var timedFrames: Int?

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
    guard (0...10_000).contains(rounds) else {
      throw ValidationError("--rounds needs a number from 0 to 10000, not \(rounds)")
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
    if dryRun { return list(plan, folder) }
    try OutputFile.make(folder: out)
    guard let lock = try FolderLock(out) else {
      throw Failure(.cannotCreate, "\(out): another sweep works there")
    }
    try withExtendedLifetime(lock) {
      if folder.exists { if retryFailed { try folder.retryFailed(plan) } }
      try folder.begin(plan)
      signals.keepsWork()
      let job = SweepJob(
        folder: folder, plan: plan, threads: parts.threading.threads,
        jobs: jobs ?? parts.threading.threads, failsFast: failFast, signals: signals)
      try job.run()
    }
  }

  /// The plan that these options say; that of the folder where it is gone on with.
  private func chosenPlan(in folder: SweepFolder) throws -> SweepPlan {
    let clips = clips + data
    if resume, clips.isEmpty { return try folder.plan() }
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
    (request.rounds, request.timedFrames, request.keepsLabels) = (rounds, timedFrames, labels)
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

  private func list(_ plan: SweepPlan, _ folder: SweepFolder) {
    for point in plan.points {
      let mark = point.isBaseline ? "baseline" : "        "
      print("\(point.id)  \(mark)  \(point.clip)  \(point.name)")
    }
    let rounds = plan.rounds == 0 ? "not timed" : "timed in \(plan.rounds) rounds"
    print("\(plan.points.count) points, \(rounds)")
  }
}

/// What starts workers, looks after them, and times what they have measured.
struct SweepJob {
  let folder: SweepFolder
  let plan: SweepPlan
  let threads: Int
  let jobs: Int
  let failsFast: Bool
  let signals: Signals

  func run() throws {
    let progress = SweepProgress(plan, folder)
    try measure(progress)
    try stopIfWanted(progress)
    try time(progress)
    try stopIfWanted(progress)
    progress.end()
    try conclude()
  }

  private func stopIfWanted(_ progress: SweepProgress) throws {
    guard let failure = signals.failure else { return }
    progress.end()
    StandardError.say("inbetween: \(progress.text); --resume goes on\n")
    throw failure
  }

  /// Runs workers until every point has a result or has failed.
  private func measure(_ progress: SweepProgress) throws {
    var deaths = 0
    while plan.points.contains(where: { folder.state(of: $0) == .pending }), !signals.wantsStop {
      let left = plan.groups.count
      let count = max(1, min(jobs, left))
      let workers = try (0..<count).map { number in
        try Worker(
          folder, number: number, of: count, threads: max(1, threads / count), isTiming: false)
      }
      let died = try follow(workers, progress)
      deaths += died
      if signals.wantsStop { return }
      if died > 0, deaths >= 3 * count {
        throw Failure(
          .failed,
          "workers end by signals again and again, the last of them in \(folder.path); the points "
            + "left are kept for --resume")
      }
    }
  }

  /// - Returns: How many workers ended by a signal that nobody sent them from here.
  private func follow(_ workers: [Worker], _ progress: SweepProgress) throws -> Int {
    var isAsked = false
    while workers.contains(where: \.isRunning) {
      progress.tell()
      Thread.sleep(forTimeInterval: 0.2)
      let isFailing = failsFast && plan.points.contains { folder.state(of: $0) == .failed }
      if signals.wantsStop || isFailing, !isAsked {
        isAsked = true
        workers.forEach { $0.interrupt() }
      }
    }
    if failsFast, let failed = plan.points.first(where: { folder.state(of: $0) == .failed }) {
      throw Failure(.failed, "\(failed.name) on \(failed.clip): \(reason(failed))")
    }
    if isAsked { return 0 }
    for worker in workers where worker.crashed {
      try folder.noteCrash(of: worker.number, signal: worker.code, in: plan)
    }
    if let refused = workers.first(where: { $0.endedByError }) {
      throw Failure(.failed, "a worker ended with exit code \(refused.code); its sentence is above")
    }
    return workers.count { $0.endedBySignal }
  }

  private func time(_ progress: SweepProgress) throws {
    guard SweepTiming.missing(plan, in: folder) > 0 else { return }
    let worker = try Worker(folder, number: 0, of: 1, threads: threads, isTiming: true)
    _ = try follow([worker], progress)
    guard SweepTiming.missing(plan, in: folder) == 0 || signals.wantsStop else {
      throw Failure(.failed, "timing broke off; --resume goes on with it")
    }
  }

  private func reason(_ point: SweepPoint) -> String {
    folder.failure(of: point)?.reason ?? "no reason is known"
  }

  private func conclude() throws {
    print(try SweepTable(folder))
    let failed = plan.points.filter { folder.state(of: $0) == .failed }
    for point in failed {
      StandardError.say(
        "inbetween: warning: \(point.name) on \(point.clip) failed: \(reason(point))\n")
    }
    guard failed.isEmpty else {
      throw Failure(
        .failed, "\(failed.count) of \(plan.points.count) points failed; --resume --retry-failed")
    }
  }
}

/// A process of this program that works on a sweep.
private struct Worker {
  private let process = Process()

  init(_ folder: SweepFolder, number: Int, of count: Int, threads: Int, isTiming: Bool) throws {
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments =
      ["sweep-worker", folder.path, "--threads", "\(threads)"]
      + (isTiming ? ["--timing"] : ["--number", "\(number)", "--of", "\(count)"])
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    do { try process.run() } catch {
      throw Failure(.failed, "a worker cannot be started: \(error.localizedDescription)")
    }
  }

  var isRunning: Bool { process.isRunning }
  var code: Int32 { process.terminationStatus }
  var endedBySignal: Bool { process.terminationReason == .uncaughtSignal }
  /// Whether it ended by a fault of its own: nobody sends these signals.
  var crashed: Bool {
    endedBySignal && [SIGSEGV, SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGTRAP].contains(code)
  }
  var number: Int32 { process.processIdentifier }
  var endedByError: Bool { !endedBySignal && ![0, 130, 143].contains(code) }
  func interrupt() { process.interrupt() }
}

/// How far a sweep is: redrawn on a terminal, a line every ten seconds elsewhere.
private final class SweepProgress {
  private let plan: SweepPlan
  private let folder: SweepFolder
  private let begin = ContinuousClock.now
  private var last = ContinuousClock.now
  private let already: Int
  private let isTerminal = isatty(STDERR_FILENO) == 1

  init(_ plan: SweepPlan, _ folder: SweepFolder) {
    (self.plan, self.folder) = (plan, folder)
    already = plan.points.count { folder.state(of: $0) != .pending }
  }

  var text: String {
    let states = plan.points.map { folder.state(of: $0) }
    let (done, failed) = (states.count { $0 == .finished }, states.count { $0 == .failed })
    var text = "\(done)/\(plan.points.count) points"
    if failed > 0 { text += ", \(failed) failed" }
    let seconds = (ContinuousClock.now - begin) / .seconds(1)
    if done + failed == plan.points.count {
      let missing = SweepTiming.missing(plan, in: folder)
      return missing == 0 ? text : text + ", \(missing) rounds of timing left"
    }
    let new = done + failed - already
    if new > 0 {
      text += String(
        format: ", %.0f s left",
        seconds / Double(new) * Double(plan.points.count - done - failed))
    }
    return text
  }

  func tell() {
    let now = ContinuousClock.now
    guard now - last >= (isTerminal ? .milliseconds(500) : .seconds(10)) else { return }
    last = now
    StandardError.say(isTerminal ? "\r\u{1B}[K\(text)" : "\(text)\n")
  }

  func end() { if isTerminal { StandardError.say("\r\u{1B}[K") } }
}

/// A worker of a sweep: started by `sweep`, or by a cluster's scheduler.
struct SweepWorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep-worker", abstract: "Work on a sweep that was planned.",
    shouldDisplay: false)

  @Argument(help: "The folder of the sweep.") var folder: String
  @Option(help: "This worker's number, from 0.") var number = 0
  @Option(help: "How many workers there are.") var of = 1
  @Flag(help: "Time the points that are finished.") var timing = false
  @OptionGroup var threading: ThreadOptions

  func run() throws {
    let signals = Signals()
    signals.keepsWork()
    let (folder, registries, threads) = (SweepFolder(folder), Parts.registries, threading.threads)
    try threading.apply()
    OrphanGuard.endWithParent()
    if timing {
      let job = SweepTiming(
        folder, in: registries, threads: threads, environment: Surroundings.facts(threads: threads))
      _ = try job.run(isStopped: { signals.wantsStop }, advance: {})
    } else {
      let facts = KeptFacts(threads: threads)
      let worker = SweepWorker(folder, in: registries, threads: threads) { facts.facts(of: $0) }
      _ = try worker.run(number: number, of: of) { signals.wantsStop }
    }
    if let failure = signals.failure { throw failure }
  }
}

/// Ends a process when the one that started it ends, however that does.
private enum OrphanGuard {
  static func endWithParent() {
    guard ProcessInfo.processInfo.environment["SLURM_JOB_ID"] == nil else { return }
    let parent = getppid()
    Thread.detachNewThread {
      while getppid() == parent { Thread.sleep(forTimeInterval: 0.5) }
      kill(getpid(), SIGTERM)
    }
  }
}
