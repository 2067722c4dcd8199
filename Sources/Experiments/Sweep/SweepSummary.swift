// SPDX-License-Identifier: Apache-2.0

public import Evaluation
internal import Foundation
internal import Specification

/// What a sweep came to: each pipeline over all clips, beside per-frame inference.
public struct SweepSummary: Sendable, Codable {
  /// A pipeline over the clips that it was measured on.
  public struct Row: Sendable, Codable {
    /// Tells the pipeline from any other.
    public let configuration: String
    /// The pipeline in a few words, and what was set, by key.
    public let name: String, settings: [String: String]
    /// Whether it is per-frame inference.
    public let isBaseline: Bool
    /// The main figure: of one clip with its bootstrap interval, of several their mean with
    /// Student's; bounds equal to the estimate where there is no telling.
    public let score: Interval
    /// The difference from per-frame inference; nil for that itself, or where there is no telling.
    public let difference: Interval?
    /// Every other figure, the mean over clips.
    public let values: [String: Double]
    /// The mean share of frames that the backbone ran on.
    public let keyframeRatio: Double
    /// Milliseconds of a frame and the ratio to per-frame inference, over all clips' rounds.
    public let time: TimeRatio?
    /// Multiply-adds of a frame over those of a key frame; nil where they are not counted.
    public let macsShare: Double?
    /// The points that are finished, a clip each; where these are not all clips, the row cannot be
    /// held against others.
    public let points: [SweepPoint]
  }

  /// The main figure: `mIoU`, or the first that there is.
  public let figure: String
  /// The clips.
  public let clips: [String]
  /// Pipelines, per-frame inference first, then by score.
  public let rows: [Row]
  /// What the figures depend on besides: processor, instructions, threads.
  public let environment: [String: String]

  /// Reads what is finished of a sweep.
  ///
  /// - Throws: `SpecificationError` where nothing is.
  public init(_ folder: SweepFolder, figure: String? = nil) throws {
    let plan = try folder.plan()
    let reader = SweepReader(folder, plan)
    let runs = try reader.runs()
    guard let any = runs.values.first else {
      throw SpecificationError(.badInput, "\(folder.path): no point of the sweep is finished")
    }
    let known = runs.values.reduce(into: Set<String>()) { $0.formUnion($1.frames.values.keys) }
    self.figure =
      figure ?? Comparison.usual.first { known.contains($0) } ?? known.sorted().first ?? "mIoU"
    clips = Set(plan.points.map(\.clip)).sorted()
    // Accuracy is the same on any machine and any number of threads; times are not.
    environment = any.result.environment.filter { !$0.key.hasPrefix("hash ") }
      .merging(reader.timingEnvironment) { $1 }
    let main = self.figure
    let rows = Dictionary(grouping: plan.points, by: \.configuration).values
      .compactMap { reader.row($0, runs, figure: main) }
    self.rows = rows.sorted {
      ($0.isBaseline ? 0 : 1, -$0.score.estimate, $0.name)
        < ($1.isBaseline ? 0 : 1, -$1.score.estimate, $1.name)
    }
  }
}

/// Puts a sweep's points together.
private struct SweepReader {
  let folder: SweepFolder
  let plan: SweepPlan
  private let baselines: [String: SweepPoint]
  private let rounds: [String: [TimingRound]]
  private let bootstrap = MovingBlockBootstrap(resamples: 1000)

  init(_ folder: SweepFolder, _ plan: SweepPlan) {
    (self.folder, self.plan) = (folder, plan)
    baselines = Dictionary(plan.points.filter(\.isBaseline).map { ($0.group, $0) }) { one, _ in one
    }
    rounds = Dictionary(
      uniqueKeysWithValues: Set(plan.points.map(\.group)).map {
        ($0, folder.rounds(of: $0))
      })
  }

  /// The machine that the rounds of timing ran on; empty without one.
  var timingEnvironment: [String: String] {
    rounds.values.compactMap(\.first).first?.environment ?? [:]
  }

  /// What is finished, by the id of its point.
  func runs() throws -> [String: StoredRun] {
    try plan.points.reduce(into: [:]) { runs, point in
      guard folder.state(of: point) == .finished else { return }
      runs[point.id] = try folder.run(point).read()
    }
  }

  func row(
    _ points: [SweepPoint], _ runs: [String: StoredRun], figure: String
  ) -> SweepSummary.Row? {
    let measured = points.compactMap { point in runs[point.id].map { (point, $0) } }
    guard let first = measured.first?.0 else { return nil }
    let values = measured.map { $0.1.frames.values }
    let scores = values.compactMap { $0[figure] }
    guard !scores.isEmpty else { return nil }
    let mean = scores.reduce(0, +) / Double(scores.count)
    let own = measured.count == 1 ? measured[0].1.result.intervals?[figure] : nil
    let count = Double(measured.count)
    let macs = measured.compactMap { run in
      run.1.result.cost.macsPerFrame.flatMap { frame in
        run.1.result.cost.macsPerKey.map { frame / $0 }
      }
    }
    return SweepSummary.Row(
      configuration: first.configuration, name: first.name, settings: first.settings,
      isBaseline: first.isBaseline,
      score: own ?? Interval(meanOf: scores) ?? Interval(estimate: mean, low: mean, high: mean),
      difference: first.isBaseline ? nil : difference(measured, runs, figure),
      values: Self.means(values),
      keyframeRatio: measured.reduce(0) { $0 + $1.1.result.speed.keyframeRatio } / count,
      time: time(of: points),
      macsShare: macs.count == measured.count ? macs.reduce(0, +) / count : nil,
      points: measured.map(\.0))
  }

  private static func means(_ values: [[String: Double]]) -> [String: Double] {
    let names = Set(values.flatMap(\.keys))
    return names.reduce(into: [:]) { means, name in
      let known = values.compactMap { $0[name] }
      means[name] = known.reduce(0, +) / Double(known.count)
    }
  }

  /// On one clip by frames, on several with the clip as the unit: see `Comparison`.
  private func difference(
    _ measured: [(SweepPoint, StoredRun)], _ runs: [String: StoredRun], _ figure: String
  ) -> Interval? {
    let rows = measured.compactMap { point, run -> Comparison.Row? in
      guard let base = baselines[point.group].flatMap({ runs[$0.id] }) else { return nil }
      return try? Comparison.Row(figure, point.clip, base, run, bootstrap)
    }
    return rows.count == 1
      ? rows[0].difference : Interval(meanOf: rows.map { $0.other - $0.base })
  }

  /// Over the rounds of every clip.
  private func time(of points: [SweepPoint]) -> TimeRatio? {
    let ratios = points.compactMap { point -> (String, String, [TimingRound])? in
      guard let base = baselines[point.group], let rounds = rounds[point.group], !rounds.isEmpty
      else { return nil }
      return (point.id, base.id, rounds)
    }
    return TimeRatio(overClips: ratios)
  }
}
