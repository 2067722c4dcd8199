// SPDX-License-Identifier: Apache-2.0

internal import Experiments
internal import Foundation
internal import Outputs

/// Lets a cluster's nodes work on a sweep: an array of jobs, each a worker that takes several
/// groups of points.
///
/// Which points are finished is told by their results alone, and which jobs still run by `squeue`:
/// accounting, which many clusters do not have, is not asked. What a node takes with it when it is
/// lost, or a job when it is preempted, is measured by the next one.
struct SlurmLauncher {
  let folder: SweepFolder
  let tasks: Int
  let threads: Int
  let options: SlurmOptions

  /// The job script: what `--dry-run` prints.
  func script(timing: Bool = false) -> String {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    let work = URL(fileURLWithPath: folder.path).standardizedFileURL.path
    var lines = [
      "#!/bin/bash", "#SBATCH --job-name=inbetween-\(timing ? "timing" : "sweep")",
      "#SBATCH --requeue", "#SBATCH --open-mode=append", "#SBATCH --signal=B:TERM@60",
      "#SBATCH --cpus-per-task=\(threads)", "#SBATCH --output=\(work)/slurm/%A_%a.log",
    ]
    // Timed points run alone on their node, one after the other.
    lines.append(timing ? "#SBATCH --exclusive" : "#SBATCH --array=0-\(tasks - 1)")
    if let partition = options.partition { lines.append("#SBATCH --partition=\(partition)") }
    if let minutes = options.minutes { lines.append("#SBATCH --time=\(minutes)") }
    if let memory = options.memory { lines.append("#SBATCH --mem=\(memory)") }
    lines += options.extra.map { "#SBATCH \($0)" }
    let share =
      timing ? "--timing" : "--number \"$SLURM_ARRAY_TASK_ID\" --of \(tasks)"
    lines += [
      "cd \(Self.quoted(FileManager.default.currentDirectoryPath))",
      "exec \(Self.quoted(program)) sweep-worker \(Self.quoted(work)) \(share) "
        + "--threads \(threads)",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  /// Submits the script and gives the job's number.
  func submit(timing: Bool = false) throws -> String {
    try OutputFile.make(folder: "\(folder.path)/slurm")
    let path = "\(folder.path)/slurm/\(timing ? "timing" : "sweep").sh"
    try PendingFile.write([UInt8](script(timing: timing).utf8), to: path)
    let outcome = try Self.run("sbatch", ["--parsable", path])
    guard outcome.code == 0 else {
      throw Failure(.missingSoftware, "sbatch refused the job: \(outcome.text)")
    }
    // JOB or JOB;CLUSTER.
    return outcome.text.split(separator: ";").first.map(String.init) ?? outcome.text
  }

  /// Whether any task of a job waits or runs; true too where the controller does not answer, which
  /// it may do again.
  func isAlive(_ job: String) throws -> Bool {
    let outcome = try Self.run("squeue", ["-h", "-r", "-j", job, "-o", "%T"])
    if outcome.code == 0 { return !outcome.text.isEmpty }
    // A job that is long gone is an invalid id.
    return !outcome.text.lowercased().contains("invalid job id")
  }

  func cancel(_ job: String) { _ = try? Self.run("scancel", [job]) }

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

/// What a cluster is asked for.
struct SlurmOptions {
  var partition: String?
  var minutes: Int?
  var memory: String?
  /// Further options of sbatch.
  var extra: [String] = []
}
