// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Experiments
internal import Foundation
internal import Recipes

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
