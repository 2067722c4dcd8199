// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Experiments
internal import Foundation
internal import Outputs
internal import ResultsIndex

/// Lets a cluster's nodes work on a sweep: an array of jobs, each a worker that takes several
/// groups of points.
struct SweepLauncher {
  let folder: SweepFolder
  let tasks: Int
  let threads: Int
  let options: LauncherOptions

  /// The workers, or whoever times what they have measured.
  func job(timing: Bool = false) -> SlurmJob {
    let work = URL(fileURLWithPath: folder.path).standardizedFileURL.path
    let share = timing ? ["--timing"] : ["--number", SlurmJob.task, "--of", "\(tasks)"]
    return SlurmJob(
      name: timing ? "timing" : "sweep", folder: folder.path,
      arguments: ["sweep-worker", work] + share + ["--threads", "\(threads)"], threads: threads,
      options: options,
      // Timed points run alone on their node, one after the other.
      extra: timing ? ["--exclusive"] : ["--array=0-\(tasks - 1)"])
  }
}

/// What starts workers, looks after them, and times what they have measured.
struct SweepJob {
  let folder: SweepFolder
  let plan: SweepPlan
  let threads: Int
  let jobs: Int
  let failsFast: Bool
  let slurm: SweepLauncher?
  let signals: Signals

  func run() throws {
    let progress = SweepProgress(plan, folder)
    if let slurm {
      try work(on: slurm, progress)
    } else {
      try measure(progress)
    }
    try stopIfWanted(progress)
    if let slurm {
      try time(on: slurm, progress)
    } else {
      try time(progress)
    }
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
      let before = plan.points.count { folder.state(of: $0) == .pending }
      let died = try follow(workers, progress)
      deaths += died
      // Workers of a sweep that was killed may hold what is left for as long as a frame takes.
      if before == plan.points.count(where: { folder.state(of: $0) == .pending }) {
        Thread.sleep(forTimeInterval: 1)
      }
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
    if let load = Surroundings.load, load > Double(jobs) + 0.5 * Double(Surroundings.cores) {
      Warnings.say([
        String(format: "the machine is busy (load %.1f): times will spread", load)
      ])
    }
    let worker = try Worker(folder, number: 0, of: 1, threads: threads, isTiming: true)
    _ = try follow([worker], progress)
    guard SweepTiming.missing(plan, in: folder) == 0 || signals.wantsStop else {
      throw Failure(.failed, "timing broke off; --resume goes on with it")
    }
  }

  /// Submits jobs until every point has a result or has failed.
  private func work(on slurm: SweepLauncher, _ progress: SweepProgress) throws {
    var idle = 0
    while plan.points.contains(where: { folder.state(of: $0) == .pending }), !signals.wantsStop {
      let before = plan.points.count { folder.state(of: $0) == .pending }
      try wait(for: slurm.job(), progress)
      let after = plan.points.count { folder.state(of: $0) == .pending }
      idle = after < before ? 0 : idle + 1
      guard idle < 3 else {
        throw Failure(
          .failed, "three jobs in a row finished no point; their logs are in \(folder.path)/slurm")
      }
    }
  }

  private func time(on slurm: SweepLauncher, _ progress: SweepProgress) throws {
    for _ in 0..<3 where SweepTiming.missing(plan, in: folder) > 0 && !signals.wantsStop {
      try wait(for: slurm.job(timing: true), progress)
    }
    guard SweepTiming.missing(plan, in: folder) == 0 || signals.wantsStop else {
      throw Failure(.failed, "timing broke off; the log is in \(folder.path)/slurm")
    }
  }

  /// Follows a job to its end; where the user stops, or a point fails and that is to stop it, the
  /// job is cancelled.
  private func wait(for job: SlurmJob, _ progress: SweepProgress) throws {
    func isFailing() -> Bool {
      failsFast && plan.points.contains { folder.state(of: $0) == .failed }
    }
    try job.run(until: { signals.wantsStop || isFailing() }, tell: { progress.tell() })
    if isFailing() { throw Failure(.failed, "a point failed; --fail-fast stops there") }
  }

  private func reason(_ point: SweepPoint) -> String {
    folder.failure(of: point)?.reason ?? "no reason is known"
  }

  private func conclude() throws {
    let failed = plan.points.filter { folder.state(of: $0) == .failed }
    for point in failed {
      StandardError.say(
        "inbetween: warning: \(point.name) on \(point.clip) failed: \(reason(point))\n")
    }
    if failed.count < plan.points.count {
      print(try SweepTable(folder))
      try ResultsIndex(of: [folder.path], in: Parts.registries)
        .write(to: "\(folder.path)/index.sqlite")
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
