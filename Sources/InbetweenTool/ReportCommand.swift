// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Evaluation
internal import Experiments
internal import Foundation
internal import Outputs
internal import Recipes
internal import Reports
internal import Specification

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Write what was measured as a page with figures.",
    discussion: """
      Of a sweep, or of folders that eval --out wrote: report.html, which needs no network, \
      figures as SVG and Vega-Lite, and the table as CSV, JSON and LaTeX. Frames are shown where \
      clip and network can still be opened. A JSON file of names, mIoU and milliseconds gives the \
      trade-off alone.
      """)

  @Argument(help: "A sweep, folders of runs, or a JSON file of results.")
  var sources: [String]

  @Option(help: "The folder of the report. Usually 'report' in the sweep or in the first folder.")
  var out: String?

  @Flag(help: "Leave out frames, for which pipelines are run again.")
  var noImages = false

  @OptionGroup var threading: ThreadOptions

  func validate() throws {
    if sources.isEmpty { throw ValidationError("a sweep or a folder of a run must be named") }
  }

  private var folder: String {
    if let out { return out }
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: sources[0], isDirectory: &isFolder)
    return exists && isFolder.boolValue ? "\(sources[0])/report" : "report"
  }

  func run() throws {
    let signals = Signals()
    let data = try read()
    guard Report.mayWrite(into: folder) else {
      throw Failure(
        .cannotCreate,
        "\(folder) holds files of these names that are no report of inbetween; give another --out")
    }
    try OutputFile.make(folder: folder)
    let strips = try strips(of: data, until: signals)
    if let failure = signals.failure { throw failure }
    let command = ["inbetween"] + CommandLine.arguments.dropFirst()
    try Report(data, strips: strips, command: command).write(to: folder)
    print("\(folder)/report.html")
  }

  private func read() throws -> ReportData {
    let registries = Parts.registries
    if sources.count == 1 {
      let sweep = SweepFolder(sources[0])
      if sweep.exists { return try ReportData(sweep: sweep, in: registries) }
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: sources[0], isDirectory: &isFolder),
        !isFolder.boolValue
      {
        return try ReportData(summary: sources[0])
      }
    }
    let folders = try sources.map { (name: $0, runs: try CompareCommand.stored(in: $0)) }
    return try ReportData(runs: folders, in: registries)
  }

  private func strips(of data: ReportData, until signals: Signals) throws -> FilmStrips {
    guard !noImages, !data.clips.isEmpty else { return .none("") }
    do { try threading.apply() } catch {
      return .none("There are no frames: \(Failure(error).message)")
    }
    let progress = SharedProgress()
    defer { progress.end() }
    return FilmStrips(
      of: data, in: Parts.registries, threads: threading.threads,
      isStopped: { signals.wantsStop }, advance: { progress.advance() })
  }
}
