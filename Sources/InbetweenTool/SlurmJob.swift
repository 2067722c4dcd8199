// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Foundation
internal import Outputs

/// Where work runs: here, or as jobs of a cluster.
enum LauncherKind: String, ExpressibleByArgument, CaseIterable {
  case local, slurm
}

/// Where work runs, and what a cluster is asked for.
struct LauncherOptions: ParsableArguments {
  @Option(help: "Where the work is done: local, or slurm for jobs on a cluster.")
  var launcher = LauncherKind.local

  @Option(help: "slurm: the partition.") var partition: String?
  @Option(help: "slurm: minutes that a job may take.") var minutes: Int?
  @Option(name: [.customLong("mem")], help: "slurm: memory of a job, such as 4G.")
  var memory: String?
  @Option(name: [.customLong("sbatch")], help: "slurm: another option of sbatch; may be repeated.")
  var sbatch: [String] = []

  func validate() throws {
    let isAsked = partition != nil || minutes != nil || memory != nil || !sbatch.isEmpty
    if launcher == .local, isAsked {
      throw ValidationError("--partition, --minutes, --mem and --sbatch go with --launcher slurm")
    }
  }

  /// The lines of a job script that say so.
  var lines: [String] {
    let known = [
      partition.map { "--partition=\($0)" }, minutes.map { "--time=\($0)" },
      memory.map { "--mem=\($0)" },
    ]
    return (known.compactMap(\.self) + sbatch).map { "#SBATCH \($0)" }
  }
}

/// This program as a job of a cluster.
///
/// What is done is told by the files that it leaves, and which jobs still run by `squeue`:
/// accounting, which many clusters do not have, is not asked. What a node takes with it when it is
/// lost, or a job when it is preempted, is done by the next one.
struct SlurmJob {
  /// The end of the job's name: `sweep`.
  let name: String
  /// The folder of its work, in which its script and its logs lie in `slurm`.
  let folder: String
  /// What the program is called with; `$SLURM_ARRAY_TASK_ID` may stand among them.
  let arguments: [String]
  let threads: Int
  let options: LauncherOptions
  /// What else is asked for: `--array=0-3`.
  var extra: [String] = []

  /// Stands for the number of a task of an array.
  static let task = "$SLURM_ARRAY_TASK_ID"

  /// What `--dry-run` prints.
  var script: String {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    let work = URL(fileURLWithPath: folder).standardizedFileURL.path
    let words = arguments.map { $0 == Self.task ? "\"\(Self.task)\"" : Self.quoted($0) }
    let lines =
      [
        "#!/bin/bash", "#SBATCH --job-name=inbetween-\(name)", "#SBATCH --requeue",
        "#SBATCH --open-mode=append", "#SBATCH --signal=B:TERM@60",
        "#SBATCH --cpus-per-task=\(threads)", "#SBATCH --output=\(work)/slurm/%A_%a.log",
      ] + extra.map { "#SBATCH \($0)" } + options.lines + [
        "cd \(Self.quoted(FileManager.default.currentDirectoryPath))",
        "exec \(Self.quoted(program)) \(words.joined(separator: " "))",
      ]
    return lines.joined(separator: "\n") + "\n"
  }

  /// Submits the script, and waits until the job is gone; where `isStopped`, it is cancelled.
  func run(until isStopped: () throws -> Bool, tell: () -> Void) throws {
    let job = try submit()
    var looked = ContinuousClock.now
    while true {
      tell()
      Thread.sleep(forTimeInterval: 0.2)
      if try isStopped() { return Self.cancel(job) }
      guard ContinuousClock.now - looked > .seconds(2) else { continue }
      looked = .now
      if try !Self.isAlive(job) { return }
    }
  }

  /// Submits the script and gives the job's number.
  private func submit() throws -> String {
    try OutputFile.make(folder: "\(folder)/slurm")
    let path = "\(folder)/slurm/\(name).sh"
    try PendingFile.write([UInt8](script.utf8), to: path)
    let outcome = try Self.run("sbatch", ["--parsable", path])
    guard outcome.code == 0 else {
      throw Failure(.missingSoftware, "sbatch refused the job: \(outcome.text)")
    }
    // JOB or JOB;CLUSTER.
    return outcome.text.split(separator: ";").first.map(String.init) ?? outcome.text
  }

  /// Whether any task of a job waits or runs; true too where the controller does not answer, which
  /// it may do again.
  private static func isAlive(_ job: String) throws -> Bool {
    let outcome = try run("squeue", ["-h", "-r", "-j", job, "-o", "%T"])
    if outcome.code == 0 { return !outcome.text.isEmpty }
    // A job that is long gone is an invalid id.
    return !outcome.text.lowercased().contains("invalid job id")
  }

  private static func cancel(_ job: String) { _ = try? run("scancel", [job]) }

  private static func run(
    _ program: String, _ arguments: [String]
  ) throws -> (code: Int32, text: String) {
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    (process.standardOutput, process.standardError) = (pipe, pipe)
    process.standardInput = FileHandle.nullDevice
    do { try process.run() } catch {
      throw Failure(.missingSoftware, "\(program) cannot be started: \(error.localizedDescription)")
    }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus != 127 else {
      throw Failure(
        .missingSoftware, "\(program) is not here: --launcher slurm needs a cluster's commands")
    }
    let text = String(decoding: data, as: UTF8.self)
    return (process.terminationStatus, text.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  private static func quoted(_ text: String) -> String {
    "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'"
  }
}
