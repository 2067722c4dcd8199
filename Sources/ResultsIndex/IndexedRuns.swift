// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Experiments
internal import Foundation
internal import GRDB
internal import Recipes
internal import Specification

/// The finished runs in some folders.
struct IndexedRuns {
  /// How deep runs are looked for.
  private static let depth = 6
  /// How many runs an index holds at most.
  private static let most = 200_000

  private(set) var runs: [IndexedRun] = []
  private(set) var warnings: [String] = []
  private let registries: Registries
  private var seen: Set<String> = []

  init(_ folders: [String], _ registries: Registries) throws {
    self.registries = registries
    for folder in folders {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder),
        isFolder.boolValue
      else { throw SpecificationError(.missingFile, "\(folder): there is no such folder") }
      try look(in: folder, depth: Self.depth)
    }
    guard !runs.isEmpty else {
      throw SpecificationError(
        .missingFile, "\(folders.joined(separator: ", ")): no finished run is in there")
    }
  }

  private mutating func look(in path: String, depth: Int) throws {
    let sweep = SweepFolder(path)
    if sweep.exists { return try add(sweep) }
    let run = RunFolder(path)
    if run.isFinished { return try add(run, point: nil, rounds: [], baseline: nil) }
    guard depth > 0 else { return }
    let inside = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for name in inside.sorted() where !name.hasPrefix(".") {
      var isFolder: ObjCBool = false
      let below = "\(path)/\(name)"
      guard FileManager.default.fileExists(atPath: below, isDirectory: &isFolder),
        isFolder.boolValue
      else { continue }
      try look(in: below, depth: depth - 1)
    }
  }

  private mutating func add(_ sweep: SweepFolder) throws {
    let plan: SweepPlan
    do { plan = try sweep.plan() } catch {
      warnings.append("\(error)")
      return
    }
    let baselines = Dictionary(
      plan.points.filter(\.isBaseline).map { ($0.group, $0.id) }
    ) { first, _ in first }
    var rounds: [String: [TimingRound]] = [:]
    for point in plan.points where sweep.state(of: point) == .finished {
      let own = rounds[point.group] ?? sweep.rounds(of: point.group)
      rounds[point.group] = own
      try add(sweep.run(point), point: point, rounds: own, baseline: baselines[point.group])
    }
  }

  private mutating func add(
    _ folder: RunFolder, point: SweepPoint?, rounds: [TimingRound], baseline: String?
  ) throws {
    guard seen.insert(URL(fileURLWithPath: folder.path).standardizedFileURL.path).inserted else {
      return
    }
    guard runs.count < Self.most else {
      throw SpecificationError(.badInput, "more than \(Self.most) runs; name fewer folders")
    }
    do {
      let run = try folder.read()
      runs.append(
        IndexedRun(
          run: run, point: point, rounds: rounds, baseline: baseline,
          clip: run.clip(in: registries.grammar, role: registries.datasets.role)))
    } catch { warnings.append("\(error)") }
  }
}

/// A run as the index keeps it.
struct IndexedRun {
  let run: StoredRun
  let point: SweepPoint?
  let rounds: [TimingRound]
  let baseline: String?
  let clip: String

  func insert(into database: Database, as id: Int64) throws {
    try insertRun(into: database, as: id)
    for (name, value) in run.frames.values.sorted(by: { $0.key < $1.key }) where value.isFinite {
      let interval = run.result.intervals?[name]
      try database.execute(
        sql: "INSERT INTO figures VALUES (?, ?, ?, ?, ?)",
        arguments: [id, name, value, interval?.low, interval?.high])
    }
    for (key, value) in (point?.settings ?? [:]).sorted(by: { $0.key < $1.key }) {
      try database.execute(
        sql: "INSERT INTO settings VALUES (?, ?, ?)", arguments: [id, key, value])
    }
    for (place, round) in rounds.enumerated() {
      guard let entry = point.flatMap({ round.entries[$0.id] }), entry.frames > 0 else { continue }
      let base = baseline.flatMap { round.entries[$0]?.perFrame }
      try database.execute(
        sql: "INSERT INTO times VALUES (?, ?, ?, ?, ?, ?)",
        arguments: [
          id, place + 1, entry.frames, entry.keyFrames, entry.perFrame,
          base.flatMap { $0 > 0 ? entry.perFrame / $0 : nil },
        ])
    }
  }

  private func insertRun(into database: Database, as id: Int64) throws {
    let result = run.result
    let (parts, facts, speed) = (result.pipeline, result.environment, result.speed)
    let columns: [(String, (any DatabaseValueConvertible)?)] = [
      ("id", id), ("folder", run.path), ("name", point?.name ?? parts["scheduler"] ?? "run"),
      ("clip", clip), ("configuration", point?.configuration),
      ("specification", result.specificationHash), ("is_baseline", point?.isBaseline ?? false),
      ("status", result.status.rawValue), ("accuracy_against", result.accuracyAgainst?.rawValue),
      ("backbone", parts["backbone"]), ("recipe", parts["recipe"]),
      ("scheduler", parts["scheduler"]), ("propagator", parts["propagator"]),
      ("fusion", parts["fusion"]), ("flow", parts["flow"]), ("frames", speed.frames),
      ("key_share", speed.keyframeRatio), ("latency_ms", speed.latency.all?.mean),
      ("key_ms", speed.latency.key?.mean), ("non_key_ms", speed.latency.propagated?.mean),
      ("macs_per_frame", result.cost.macsPerFrame), ("macs_per_key", result.cost.macsPerKey),
      ("peak_rss_bytes", result.cost.peakRSSBytes), ("processor", facts["processor"]),
      ("instructions", facts["instructions"]), ("threads", facts["threads"].flatMap { Int($0) }),
      ("version", facts["inbetween"]), ("\"commit\"", facts["commit"]),
      ("warnings", result.warnings.count),
    ]
    let names = columns.map(\.0).joined(separator: ", ")
    let marks = columns.map { _ in "?" }.joined(separator: ", ")
    try database.execute(
      sql: "INSERT INTO runs (\(names)) VALUES (\(marks))",
      arguments: StatementArguments(columns.map(\.1)))
  }
}
