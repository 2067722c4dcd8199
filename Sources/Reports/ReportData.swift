// SPDX-License-Identifier: Apache-2.0

public import Evaluation
public import Experiments
internal import Foundation
public import Recipes
internal import Specification

/// What a report tells of: pipelines with what was measured of each.
public struct ReportData: Sendable {
  /// A pipeline on one clip.
  public struct Part: Sendable {
    /// The clip as a short text.
    public let clip: String
    /// The run, and that of per-frame inference on the same frames.
    public let run: StoredRun?, baseline: StoredRun?
    /// Milliseconds of each round: a key frame, any other, and all with decoding.
    public let rounds: [(key: Double?, nonKey: Double?, perFrame: Double)]
    /// Milliseconds of a frame of per-frame inference, in each round.
    public let baselineKeyRounds: [Double]
  }

  /// A pipeline over all its clips.
  public struct Row: Sendable {
    /// The pipeline in a few words, and its group where points have some.
    public var name: String, group = ""
    /// Whether it is per-frame inference.
    public var isBaseline = false
    /// The main figure; bounds equal to the estimate where there is no telling.
    public var score: Interval
    /// The difference from per-frame inference.
    public var difference: Interval?
    /// Every figure, the mean over clips.
    public var values: [String: Double] = [:]
    /// Intervals of figures by name.
    public var intervals: [String: Interval] = [:]
    /// Shares of frames that were key, and of a key frame's MACs.
    public var keyShare: Double?, macsShare: Double?
    /// MACs of a frame.
    public var macs: Double?
    /// Milliseconds of a frame, and the ratio to per-frame inference.
    public var milliseconds: Interval?, ratio: Interval?
    /// Differences from per-frame inference by figure and clip.
    public var comparison: [Comparison.Row] = []
    /// By clip.
    public var parts: [Part] = []
  }

  /// What the report is about.
  public var title: String
  /// Where it was read from.
  public var source: String
  /// The name of the main figure.
  public var figure: String
  /// Pipelines, per-frame inference first.
  public var rows: [Row]
  /// What else the figures depend on.
  public var environment: [String: String]
  /// The command that measured, where it is known.
  public var command: [String]
  /// Points that have no result, and why.
  public var failures: [String] = []
  /// Whether times are told.
  public var isTimed: Bool { rows.contains { $0.milliseconds != nil } }
  /// The clips in order.
  public var clips: [String] { Set(rows.flatMap(\.parts).map(\.clip)).sorted() }
}

extension ReportData {
  /// Reads a sweep; `registries` spell clips.
  ///
  /// - Throws: `SpecificationError` where nothing of it is finished.
  public init(sweep folder: SweepFolder, in registries: Registries) throws {
    let (plan, summary) = (try folder.plan(), try SweepSummary(folder))
    let baselines = Dictionary(
      plan.points.filter { $0.isBaseline && folder.state(of: $0) == .finished }.map {
        ($0.group, $0)
      }
    ) { first, _ in first }
    let runs = try baselines.mapValues { try folder.run($0).read() }
    let rounds = Dictionary(
      uniqueKeysWithValues: Set(plan.points.map(\.group)).map { ($0, folder.rounds(of: $0)) })
    rows = try summary.rows.map { row in
      let parts = try row.points.map { point in
        let timed = rounds[point.group] ?? []
        return Part(
          clip: point.clip, run: try folder.run(point).read(), baseline: runs[point.group],
          rounds: timed.compactMap { $0.entries[point.id] }.map(\.parts),
          baselineKeyRounds: baselines[point.group].map { base in
            timed.compactMap { $0.entries[base.id]?.parts.key }
          } ?? [])
      }
      return try Row(row, parts, registries)
    }
    (title, source, figure) = ("Sweep", folder.path, summary.figure)
    (environment, command) = (summary.environment, plan.command)
    failures = plan.points.filter { folder.state(of: $0) != .finished }.map { point in
      let reason = folder.failure(of: point)?.reason ?? "it is not measured yet"
      return "\(point.name) on \(point.clip): \(reason)"
    }
  }

  /// Reads folders of runs, each of one pipeline on one clip or on several.
  ///
  /// Per-frame inference is the first in which every frame is key.
  public init(runs folders: [(name: String, runs: [StoredRun])], in registries: Registries) throws {
    let role = registries.datasets.role
    func clip(_ run: StoredRun) -> String { run.clip(in: registries.grammar, role: role) }
    let base = folders.first { $0.runs.allSatisfy { $0.frames.allSatisfy(\.isKey) } }
    let byClip = Dictionary((base?.runs ?? []).map { (clip($0), $0) }) { first, _ in first }
    let known = folders.flatMap(\.runs).reduce(into: Set<String>()) {
      $0.formUnion($1.frames.values.keys)
    }
    let main = Comparison.usual.first { known.contains($0) } ?? known.sorted().first ?? "mIoU"
    let names = Row.names(of: folders)
    rows = try zip(folders, names).compactMap { folder, name in
      let parts = folder.runs.map { run in
        Part(
          clip: clip(run), run: run, baseline: byClip[clip(run)], rounds: [],
          baselineKeyRounds: [])
      }
      return try Row(
        name, parts, isBaseline: folder.name == base?.name, figure: main, registries)
    }
    guard let first = folders.first?.runs.first, !rows.isEmpty else {
      throw SpecificationError(.badInput, "the runs have no figure \(main) in common")
    }
    rows.sort {
      ($0.isBaseline ? 0 : 1, -$0.score.estimate) < ($1.isBaseline ? 0 : 1, -$1.score.estimate)
    }
    (title, source, figure) = ("Runs", folders.map(\.name).joined(separator: " "), main)
    environment = first.result.environment.filter { !$0.key.hasPrefix("hash ") }
    command = folders.count == 1 ? first.result.commandLine : []
  }
}

extension TimingRound.Entry {
  /// Milliseconds of a key frame, any other, and all with decoding.
  fileprivate var parts: (key: Double?, nonKey: Double?, perFrame: Double) {
    let others = frames - keyFrames
    return (
      keyFrames > 0 ? key / Double(keyFrames) : nil, others > 0 ? nonKey / Double(others) : nil,
      perFrame
    )
  }
}

extension ReportData.Row {
  /// A sweep's row with what its points tell besides.
  fileprivate init(
    _ row: SweepSummary.Row, _ parts: [ReportData.Part], _ registries: Registries
  ) throws {
    self.init(
      name: row.name, isBaseline: row.isBaseline, score: row.score, difference: row.difference,
      values: row.values, keyShare: row.keyframeRatio, macsShare: row.macsShare, parts: parts)
    if let time = row.time {
      let spread = parts.count == 1 ? Interval(meanOf: parts[0].rounds.map(\.perFrame)) : nil
      let median = Interval.exactly(time.milliseconds)
      milliseconds =
        spread.map {
          // The median of the rounds may lie beside their mean.
          Interval(
            estimate: median.estimate, low: min($0.low, median.low), high: max($0.high, median.high)
          )
        } ?? median
      ratio = time.ratio
    }
    try fill(registries)
  }

  /// Of runs that were kept by `eval`; nil where they have no such figure.
  fileprivate init?(
    _ name: String, _ parts: [ReportData.Part], isBaseline: Bool, figure: String,
    _ registries: Registries
  ) throws {
    let runs = parts.compactMap(\.run)
    let values = runs.map(\.frames.values)
    let scores = values.compactMap { $0[figure] }
    guard !scores.isEmpty else { return nil }
    let count = Double(runs.count)
    let mean = scores.reduce(0, +) / Double(scores.count)
    let own = runs.count == 1 ? runs[0].result.intervals?[figure] : nil
    self.init(
      name: name, isBaseline: isBaseline,
      score: own ?? Interval(meanOf: scores) ?? Interval(estimate: mean, low: mean, high: mean),
      keyShare: runs.reduce(0) { $0 + $1.result.speed.keyframeRatio } / count, parts: parts)
    for name in Set(values.flatMap(\.keys)) {
      let known = values.compactMap { $0[name] }
      self.values[name] = known.reduce(0, +) / Double(known.count)
    }
    macsShare = Self.macs(of: runs).map { $0.frame / $0.key }
    milliseconds = Self.milliseconds(of: runs)
    try fill(registries)
    difference = comparison.last { $0.figure == figure }?.difference
  }

  /// What both have in common.
  private mutating func fill(_ registries: Registries) throws {
    let runs = parts.compactMap(\.run)
    macs = Self.macs(of: runs)?.frame
    for figure in values.keys {
      let all = runs.compactMap { $0.frames.values[figure] }
      intervals[figure] =
        runs.count == 1 ? runs[0].result.intervals?[figure] : Interval(meanOf: all)
    }
    let pairs = parts.compactMap { part in
      part.baseline.flatMap { base in part.run.map { (base, $0) } }
    }
    guard !isBaseline, !pairs.isEmpty else { return }
    let role = registries.datasets.role
    let bootstrap = MovingBlockBootstrap(resamples: 1000)
    let compared = try? Comparison(
      pairs.map(\.0), with: pairs.map(\.1), names: ("per frame", name), by: bootstrap
    ) { $0.clip(in: registries.grammar, role: role) }
    comparison = compared?.rows ?? []
  }

  private static func macs(of runs: [StoredRun]) -> (frame: Double, key: Double)? {
    let known = runs.compactMap { run in
      run.result.cost.macsPerFrame.flatMap { frame in
        run.result.cost.macsPerKey.map { (frame, $0) }
      }
    }
    guard known.count == runs.count, !known.isEmpty else { return nil }
    let count = Double(known.count)
    return (known.reduce(0) { $0 + $1.0 } / count, known.reduce(0) { $0 + $1.1 } / count)
  }

  /// The mean of the frames' own times, decoding included; its interval of one clip alone.
  private static func milliseconds(of runs: [StoredRun]) -> Interval? {
    let times = runs.map { run in
      run.frames.compactMap { frame in
        frame.milliseconds.map { $0 + (frame.decodeMilliseconds ?? 0) }
      }
    }
    guard times.allSatisfy({ !$0.isEmpty }), !times.isEmpty else { return nil }
    if times.count == 1 {
      let counts = times[0].map { FigureCounts.mean(sum: $0, weight: 1) }
      let found = MovingBlockBootstrap(resamples: 1000).intervals(of: counts, named: "ms")["ms"]
      if let found { return found }
    }
    let means = times.map { $0.reduce(0, +) / Double($0.count) }
    let mean = means.reduce(0, +) / Double(means.count)
    return Interval(meanOf: means) ?? Interval(estimate: mean, low: mean, high: mean)
  }

  static func median(_ values: [Double]) -> Double? {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return nil }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  /// Short names that tell folders apart: the parts that were used, or the last part of the path.
  fileprivate static func names(of folders: [(name: String, runs: [StoredRun])]) -> [String] {
    let parts = folders.map { folder in
      let used = folder.runs.first?.result.pipeline ?? [:]
      return ["scheduler", "propagator", "fusion", "flow", "labels"].compactMap { used[$0] }
        .joined(separator: ", ")
    }
    let last = folders.map { $0.name.split(separator: "/").last.map(String.init) ?? $0.name }
    return folders.indices.map { place in
      let isTold = !parts[place].isEmpty && parts.count { $0 == parts[place] } == 1
      return isTold ? parts[place] : "\(last[place]): \(parts[place])"
    }
  }
}
