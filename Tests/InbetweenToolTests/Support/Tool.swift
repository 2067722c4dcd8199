// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The built program, which lies where the tests lie.
let program: String = {
  let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
  let beside = URL(fileURLWithPath: tests).deletingLastPathComponent()
    .appendingPathComponent("inbetween").path
  return FileManager.default.isExecutableFile(atPath: beside)
    ? beside : packageRoot + "/.build/release/inbetween"
}()

let packageRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("../../..").standardized.path

/// How a run of the program ended, and what it said.
struct Outcome {
  /// The exit code; nil where a signal ended the process.
  let code: Int32?
  /// The signal that ended the process: a crash, unless a test sent it.
  let signal: Int32?
  let out: String
  let err: String

  var errorLines: [Substring] { err.split(separator: "\n") }
}

/// A program that was started, in a folder of its own, and what it prints.
final class Running {
  let process = Process()
  private let ended = DispatchSemaphore(value: 0)
  private let files: [String]

  /// Starts it; standard output goes to `output`, or to a file that is read later.
  init(
    _ executable: String, _ arguments: [String], in folder: String,
    environment: [String: String] = [:], output: FileHandle? = nil
  ) throws {
    let stem = NSTemporaryDirectory() + "/inbetween-\(UUID().uuidString)"
    files = [stem + ".out", stem + ".err"]
    for file in files { try Data().write(to: URL(fileURLWithPath: file)) }
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    let opened = try files.map { try FileHandle(forWritingTo: URL(fileURLWithPath: $0)) }
    // The program has descriptors of its own; Foundation would keep these for as long as it likes.
    defer { for handle in opened { try? handle.close() } }
    process.standardOutput = output ?? opened[0]
    process.standardError = opened[1]
    let ended = ended
    process.terminationHandler = { _ in ended.signal() }
    try process.run()
  }

  func send(_ number: Int32) { kill(process.processIdentifier, number) }

  /// Waits for the end; a process that takes longer than `seconds` is killed, and the test fails.
  func wait(seconds: Double = 300) throws -> Outcome {
    if ended.wait(timeout: .now() + seconds) == .timedOut {
      Issue.record("\(process.arguments ?? []) took more than \(seconds) s")
      send(SIGKILL)
      process.waitUntilExit()
    }
    let texts = try files.map { try String(contentsOfFile: $0, encoding: .utf8) }
    let wasKilled = process.terminationReason == .uncaughtSignal
    return Outcome(
      code: wasKilled ? nil : process.terminationStatus,
      signal: wasKilled ? process.terminationStatus : nil, out: texts[0], err: texts[1])
  }

  deinit { for file in files { try? FileManager.default.removeItem(atPath: file) } }
}

extension Scratch {
  /// Runs the program here, its arguments split at spaces; `NET` stands for the tiny network.
  func inbetween(_ line: String, environment: [String: String] = [:]) throws -> Outcome {
    try start(line, environment: environment).wait()
  }

  /// The same of words that hold spaces.
  func inbetween(_ words: [String]) throws -> Outcome {
    try Running(program, words, in: path).wait()
  }

  func start(
    _ line: String, environment: [String: String] = [:], output: FileHandle? = nil
  ) throws -> Running {
    try Running(
      program, arguments(line), in: path, environment: environment, output: output)
  }

  /// Runs a line of bash, in which `"$@"` is the program with its arguments.
  func bash(_ script: String, _ line: String) throws -> Outcome {
    try Running("/bin/bash", ["-c", script, "bash", program] + arguments(line), in: path).wait()
  }

  /// One thread is enough for what is small, and tests that run side by side do not wait for each
  /// other's threads.
  private func arguments(_ line: String) -> [String] {
    let words = line.split(separator: " ").map { $0 == "NET" ? Fixtures.network : String($0) }
    let isWork = ["run", "live", "eval", "demo", "inspect"].contains(words.first)
    return isWork && !words.contains("--threads") ? words + ["--threads", "1"] : words
  }
}
