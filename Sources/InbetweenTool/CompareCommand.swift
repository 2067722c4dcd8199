// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Evaluation
internal import Experiments
internal import Foundation
internal import Recipes
internal import Specification

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Say which differences between runs exclude zero.",
    discussion: """
      Each argument is a folder that eval --out wrote, or one that holds several: clips, or runs \
      on a clip whose key frames fall elsewhere (every:5,offset=2), of which the mean counts. The \
      others are compared with the first, frame by frame, by a paired moving-block bootstrap; over \
      several clips the clip is the unit, or with --pooled the frame, as in the mIoU of a dataset. \
      Of a sweep every point is compared with per-frame inference.
      """)

  @Argument(help: "Folders of runs, the one that others are compared with first; or a sweep.")
  var runs: [String]

  @Option(name: [.customLong("figure")], help: "A figure by name: mIoU, TC, …; may be repeated.")
  var figures: [String] = []

  @Flag(
    help: """
      Of a sweep: choose the best point on one half of each clip, report it on the other, and swap.
      """)
  var twoFold = false

  @Flag(
    help: """
      Take the frames of all clips together, as one dataset; of several runs on each clip, the \
      first of all clips, the second of all, and so on.
      """)
  var pooled = false

  @Option(help: "Successive frames that are drawn together.")
  var block = 10

  @Option(help: "How often frames are drawn.")
  var resamples = 2000

  @Option(help: "Write the comparison there as JSON; - for standard output, without the table.")
  var json: String?

  func validate() throws {
    guard (1...100_000).contains(block) else {
      throw ValidationError("--block needs a number from 1 to 100000, not \(block)")
    }
    guard (40...1_000_000).contains(resamples) else {
      throw ValidationError("--resamples needs a number from 40 to 1000000, not \(resamples)")
    }
    if runs.isEmpty { throw ValidationError("two folders of runs are needed, or a sweep") }
    if twoFold && pooled {
      throw ValidationError("--two-fold chooses clip by clip: leave out --pooled")
    }
  }

  func run() throws {
    let output = try json.map { (path) throws(Failure) in try OutputFile(path) }
    if twoFold {
      let folds = try folds()
      if output?.isStandardOutput != true { folds.forEach { print(Self.text(of: $0)) } }
      try output?.write(json: folds)
      return
    }
    let comparisons = try comparisons()
    if output?.isStandardOutput != true {
      for comparison in comparisons { print(ComparisonTable(comparison)) }
    }
    try output?.write(json: comparisons)
  }

  private func comparisons() throws -> [Comparison] {
    let bootstrap = MovingBlockBootstrap(blockLength: block, resamples: resamples)
    if runs.count == 1, SweepFolder(runs[0]).exists { return try ofSweep(bootstrap) }
    guard runs.count >= 2 else {
      throw ValidationError("\(runs[0]) is no sweep; two folders of runs are compared")
    }
    let base = try Self.stored(in: runs[0])
    return try runs.dropFirst().map { path in
      try Comparison(
        base, with: Self.stored(in: path), names: (runs[0], path), figures: figures,
        isPooled: pooled, by: bootstrap, clip: Self.clip)
    }
  }

  private func ofSweep(_ bootstrap: MovingBlockBootstrap) throws -> [Comparison] {
    let folder = SweepFolder(runs[0])
    let plan = try folder.plan()
    let finished = plan.points.filter { folder.state(of: $0) == .finished }
    let base = try finished.filter(\.isBaseline).map { try folder.run($0).read() }
    guard !base.isEmpty else {
      throw Failure(.badInput, "\(folder.path): per-frame inference is not measured yet")
    }
    let others = Dictionary(grouping: finished.filter { !$0.isBaseline }, by: \.configuration)
    return try others.values.sorted { $0[0].name < $1[0].name }.map { points in
      try Comparison(
        base, with: points.map { try folder.run($0).read() },
        names: ("per frame", points[0].name), figures: figures,
        isPooled: pooled, by: bootstrap, clip: Self.clip)
    }
  }

  private func folds() throws -> [TwoFold] {
    guard runs.count == 1, SweepFolder(runs[0]).exists else {
      throw ValidationError("--two-fold chooses among the points of one sweep")
    }
    let folder = SweepFolder(runs[0])
    let finished = try folder.plan().points.filter { folder.state(of: $0) == .finished }
    let bootstrap = MovingBlockBootstrap(blockLength: block, resamples: resamples)
    return try Dictionary(grouping: finished, by: \.group).values.sorted { $0[0].clip < $1[0].clip }
      .compactMap { points in
        guard let base = points.first(where: \.isBaseline), points.count > 1 else { return nil }
        let others = try points.filter { !$0.isBaseline }.map {
          (name: $0.name, run: try folder.run($0).read())
        }
        return try TwoFold(
          others, baseline: folder.run(base).read(), clip: base.clip,
          figure: figures.first ?? "mIoU", by: bootstrap)
      }
  }

  private static func text(of folds: TwoFold) -> String {
    let halves = ["first", "second"]
    var lines = ["\(folds.figure) on \(folds.clip):"]
    for (place, fold) in folds.folds.enumerated() {
      var line = "  chosen on the \(halves[place]) half: \(fold.choice), "
      line += String(format: "%.4f there, %.4f on the other", fold.chosen, fold.reported)
      if let difference = fold.difference {
        line += String(
          format: ", %+.4f [%+.4f, %+.4f] beside per-frame inference", difference.estimate,
          difference.low, difference.high)
      }
      lines.append(line)
    }
    lines.append(String(format: "  choosing flatters by %+.4f", folds.gap))
    return lines.joined(separator: "\n")
  }

  /// The run in a folder, or those in the folders inside.
  static func stored(in path: String) throws -> [StoredRun] {
    let folder = RunFolder(path)
    if folder.isFinished { return [try folder.read()] }
    let inside = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let runs = inside.sorted().map { RunFolder("\(path)/\($0)") }.filter(\.isFinished)
    guard !runs.isEmpty else {
      throw Failure(.missingInput, "\(path) holds no run: eval --out DIR keeps one")
    }
    return try runs.map { try $0.read() }
  }

  private static func clip(_ run: StoredRun) -> String {
    run.clip(in: Parts.registries.grammar, role: Parts.registries.datasets.role)
  }
}

/// A comparison as a person reads it.
struct ComparisonTable: CustomStringConvertible {
  private let comparison: Comparison

  init(_ comparison: Comparison) { self.comparison = comparison }

  var description: String {
    let clips = Set(comparison.rows.compactMap(\.clip)).count
    let all = "all \(clips) clips" + (comparison.isPooled ? ", pooled" : "")
    let width = comparison.rows.map { ($0.clip ?? all).count }.max() ?? 10
    var lines = ["\(comparison.other) beside \(comparison.base)\(means):"]
    for row in comparison.rows {
      let clip = row.clip ?? all
      let figure = row.figure.padding(toLength: 14, withPad: " ", startingAt: 0)
      let place = clip.padding(toLength: max(width, clip.count), withPad: " ", startingAt: 0)
      lines.append(
        "  \(figure)  \(place)  " + String(format: "%.4f  %.4f  ", row.base, row.other)
          + Self.text(row))
    }
    return lines.joined(separator: "\n")
  }

  /// Of how many runs figures are means, where there are several on a clip.
  private var means: String {
    let most = comparison.rows.reduce((1, 1)) { (max($0.0, $1.otherRuns), max($0.1, $1.baseRuns)) }
    return most == (1, 1) ? "" : ", means of \(most.0) and \(most.1) runs on a clip"
  }

  private static func text(_ row: Comparison.Row) -> String {
    guard let difference = row.difference else {
      return String(format: "%+.4f", row.other - row.base)
        + "  no interval: too few frames or clips, or not the same ones"
    }
    let text = String(
      format: "%+.4f [%+.4f, %+.4f]", difference.estimate, difference.low, difference.high)
    let verdict = difference.excludesZero ? "  excludes zero" : "  does not exclude zero"
    guard row.clip == nil else { return text + verdict }
    return text + verdict + "; \(row.gains) up, \(row.losses) down"
  }
}
