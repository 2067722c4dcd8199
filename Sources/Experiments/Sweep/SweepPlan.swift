// SPDX-License-Identifier: Apache-2.0

internal import Foundation
public import Recipes
internal import Specification

/// One pipeline on one clip.
public struct SweepPoint: Sendable, Codable, Hashable {
  /// Tells the specification from any other; the name of the point's folder.
  public let id: String
  /// What was set, by key, the clip left out.
  public let settings: [String: String]
  /// The pipeline in a few words.
  public let name: String
  /// Tells the pipeline from any other, whatever clip it runs on.
  public let configuration: String
  /// The clip as a short text.
  public let clip: String
  /// Points that share frames, a backbone and what accuracy is measured against.
  public let group: String
  /// Whether this is per-frame inference, with which the others of its group are compared.
  public let isBaseline: Bool
  /// All that the point is measured from.
  public let specification: ExperimentSpec
}

/// What a sweep is to measure: every point, once.
public struct SweepPlan: Sendable, Codable, Hashable {
  /// The version of the file.
  public var version = 1
  /// The points, baselines first in each group.
  public var points: [SweepPoint]
  /// Rounds in which points are timed in turn; 0 where they are not.
  public var rounds: Int
  /// Frames of each clip that are timed; nil for all.
  public var timedFrames: Int?
  /// The command that made the plan.
  public var command: [String]
  /// Whether the label maps of each point are kept in its folder.
  public var keepsLabels: Bool?

  /// What there is to try.
  public struct Request: Sendable {
    /// What is the same for all points.
    public var settings = ExperimentSettings()
    /// The clips, as short texts.
    public var data: [String] = []
    /// Settings of which every combination is tried.
    public var grid: [SweepAxis] = []
    /// Settings that advance together: the first value of each, then the second of each.
    public var zip: [SweepAxis] = []
    /// What is left out.
    public var exclusions: [SweepExclusion] = []
    /// Rounds of timing; 0 for none.
    public var rounds = 7
    /// Frames of each clip that are timed; nil for all.
    public var timedFrames: Int?
    /// Whether label maps are kept.
    public var keepsLabels = false

    /// Nothing to try yet.
    public init() {}
  }

  /// The points of a request, each in its one form; nothing is loaded.
  ///
  /// - Throws: `SpecificationError` for a key or a value that is wrong, in any combination.
  public init(_ request: Request, in registries: Registries) throws {
    (rounds, timedFrames, command) = (request.rounds, request.timedFrames, CommandLine.arguments)
    keepsLabels = request.keepsLabels ? true : nil
    points = []
    let settings = try Self.combinations(request)
    guard settings.count * max(request.data.count, 1) <= 100_000 else {
      throw SpecificationError(.badValue, "more than 100000 points")
    }
    let wanted = try request.data.flatMap { data in
      try settings.map { combination in
        var single = request.settings
        single.overrides += combination.map { "\($0.key)=\($0.value)" }
        single.options.append(("data", .text(data)))
        let spec = try single.specification(in: registries)
        try spec.checkAgreement(in: registries)
        return (spec, combination)
      }
    }
    let judge = try Self.judge(of: wanted.map(\.0), registries)
    var seen: Set<String> = []
    for (spec, combination) in wanted {
      var spec = spec
      spec.consistency = spec.consistency ?? judge
      for point in try Self.points(spec, combination, registries)
      where seen.insert(point.id).inserted {
        points.append(point)
      }
    }
    points = points.enumerated().sorted { one, two in
      (one.element.group, two.element.isBaseline ? 1 : 0, one.offset)
        < (two.element.group, one.element.isBaseline ? 1 : 0, two.offset)
    }.map(\.element)
    guard !points.isEmpty else {
      throw SpecificationError(.badValue, "the sweep has no points: everything is excluded")
    }
  }

  /// One optical flow for the temporal consistency of all points, and none that is under test.
  private static func judge(
    of specs: [ExperimentSpec], _ registries: Registries
  ) throws -> ConsistencySpec {
    let candidates = try ["farneback", "dis:medium"].map {
      try registries.grammar.parse($0, as: registries.flows.role)
    }
    let free = candidates.first { candidate in
      !specs.contains { $0.pipeline.flow?.contains(candidate) == true }
    }
    return .along(free ?? candidates[0])
  }

  /// Whether it has the same points, timed and kept alike.
  public func isLike(_ other: SweepPlan) -> Bool {
    points == other.points && rounds == other.rounds && timedFrames == other.timedFrames
      && keepsLabels == other.keepsLabels
  }

  private static func combinations(
    _ request: Request
  ) throws(SpecificationError) -> [[(key: String, value: String)]] {
    let axes = request.grid + request.zip
    if let twice = Dictionary(grouping: axes, by: \.key).first(where: { $0.value.count > 1 }) {
      throw SpecificationError(.badValue, "'\(twice.key)' is set twice in the sweep")
    }
    for key in request.exclusions.flatMap(\.keys) where !axes.contains(where: { $0.key == key }) {
      throw SpecificationError(
        .unknownOption,
        "--exclude: '\(key)' is not set in the sweep; "
          + suggestion(for: key, among: axes.map(\.key))
      )
    }
    let length = request.zip.first?.values.count ?? 1
    if let other = request.zip.first(where: { $0.values.count != length }) {
      throw SpecificationError(
        .badValue,
        "--zip: '\(other.key)' has \(other.values.count) values, '\(request.zip[0].key)' has "
          + "\(length)"
      )
    }
    var all: [[(key: String, value: String)]] = (0..<length).map { place in
      request.zip.map { ($0.key, $0.values[place]) }
    }
    for axis in request.grid {
      guard all.count * axis.values.count <= 100_000 else {
        throw SpecificationError(.badValue, "more than 100000 points")
      }
      all = all.flatMap { before in axis.values.map { before + [(axis.key, $0)] } }
    }
    return all.filter { combination in
      let settings = Dictionary(combination.map { ($0.key, $0.value) }) { $1 }
      return !request.exclusions.contains { $0.excludes(settings) }
    }
  }

  /// The point, and per-frame inference on the same clip.
  private static func points(
    _ spec: ExperimentSpec, _ combination: [(key: String, value: String)],
    _ registries: Registries
  ) throws -> [SweepPoint] {
    var baseline = spec
    (baseline.recipe, baseline.metrics) = (nil, spec.metrics)
    baseline.pipeline = PipelineSpec(
      backbone: spec.pipeline.backbone, head: spec.pipeline.head, scheduler: "every:1",
      propagator: "copy")
    baseline = try baseline.canonical(in: registries)
    let settings = Dictionary(combination.map { ($0.key, $0.value) }) { $1 }
    return [
      point(baseline, [:], "per frame", isBaseline: true, registries),
      point(
        spec, settings, combination.map(\.value).filter { $0 != "null" }.joined(separator: ", "),
        isBaseline: spec == baseline, registries),
    ]
  }

  private static func point(
    _ spec: ExperimentSpec, _ settings: [String: String], _ name: String, isBaseline: Bool,
    _ registries: Registries
  ) -> SweepPoint {
    var (elsewhere, shared) = (spec, spec)
    (elsewhere.data, elsewhere.split, elsewhere.frames) = (nil, "val", nil)
    shared.pipeline = PipelineSpec(backbone: spec.pipeline.backbone, head: spec.pipeline.head)
    (shared.recipe, shared.consistency, shared.metrics) = (nil, nil, [])
    (shared.group, shared.warmsUp) = (12, true)
    let clip = spec.data.map { registries.grammar.text(of: $0, as: registries.datasets.role) } ?? ""
    return SweepPoint(
      id: spec.fingerprint, settings: settings,
      name: name.isEmpty
        ? registries.grammar.text(
          of: spec.pipeline.scheduler, as: registries.schedulers.role) : name,
      configuration: elsewhere.fingerprint,
      clip: spec.split == "val" ? clip : "\(clip) \(spec.split)",
      group: shared.fingerprint, isBaseline: isBaseline, specification: spec)
  }
}
