// SPDX-License-Identifier: Apache-2.0

public import Recipes
public import Specification

/// A run that can be repeated: a pipeline, the clip it runs on, and how it is measured.
///
/// As YAML it has the keys of `PipelineSpec` and these: `recipe` and `models`, which the pipeline's
/// keys are put in place of; `data`, `split`, `frames`, `consistency`, `metrics`, `agreement`,
/// `group` and `warm_up`.
public struct ExperimentSpec: Sendable, Hashable {
  /// The parts that run.
  public var pipeline: PipelineSpec
  /// The published system that the pipeline began as; nil for none.
  public var recipe: String?
  /// The data set, or the video.
  public var data: PartSpec?
  /// Which part of the data set: train, val or test.
  public var split: String
  /// The first so many frames; nil for all.
  public var frames: Int?
  /// The optical flow used for temporal consistency where the exact motion is not known; nil for
  /// the usual.
  public var consistency: ConsistencySpec?
  /// Metrics beside the usual ones.
  public var metrics: [PartSpec]
  /// Whether agreement with per-frame inference is measured, in the place of labels.
  public var agreement: Bool
  /// Pictures from one intra picture to the next, in the encoding that codec motion is measured on.
  public var group: Int
  /// Whether frames are labelled and forgotten before the first one is timed.
  public var warmsUp: Bool

  /// A run of a pipeline on a data set.
  public init(
    pipeline: PipelineSpec = PipelineSpec(), recipe: String? = nil, data: PartSpec? = nil,
    split: String = "val", frames: Int? = nil, consistency: ConsistencySpec? = nil,
    metrics: [PartSpec] = [], agreement: Bool = false, group: Int = 12, warmsUp: Bool = true
  ) {
    (self.pipeline, self.recipe, self.data, self.split) = (pipeline, recipe, data, split)
    (self.frames, self.consistency, self.metrics) = (frames, consistency, metrics)
    (self.agreement, self.group, self.warmsUp) = (agreement, group, warmsUp)
  }

  /// The same with every part in its one form; nothing is loaded.
  ///
  /// - Throws: `SpecificationError` for a name, an option or a value that is wrong.
  public func canonical(in registries: Registries) throws(SpecificationError) -> ExperimentSpec {
    let grammar = registries.grammar
    var spec = self
    spec.pipeline = try pipeline.canonical(in: registries)
    if let data { spec.data = try grammar.canonical(data, as: registries.datasets.role) }
    if case .along(let flow) = consistency {
      spec.consistency = .along(try grammar.canonical(flow, as: registries.flows.role))
    }
    spec.metrics = try metrics.map { (metric) throws(SpecificationError) in
      try grammar.canonical(metric, as: registries.metrics.role)
    }
    guard frames ?? 1 >= 1 else { throw Self.refusal("frames", "at least 1", "\(frames ?? 0)") }
    guard group >= 1 else { throw Self.refusal("group", "at least 1", "\(group)") }
    return spec
  }

  private static func refusal(
    _ key: String, _ wanted: String, _ given: String
  ) -> SpecificationError {
    SpecificationError(.badValue, "--\(key) needs \(wanted), not \(given)")
  }
}

extension ExperimentSpec: Codable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case recipe, data, split, frames, consistency, metrics, agreement, group
    case warmsUp = "warm_up"
  }

  /// Every key that a specification may have.
  public static let keys =
    PipelineSpec.keys + ["models"] + CodingKeys.allCases.map(\.rawValue)

  /// Reads a flat mapping: the pipeline's keys and this type's own; what is left out is standard.
  public init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      pipeline: try PipelineSpec(from: decoder),
      recipe: try keys.decodeIfPresent(String.self, forKey: .recipe),
      data: try keys.decodeIfPresent(PartSpec.self, forKey: .data),
      split: try keys.decodeIfPresent(String.self, forKey: .split) ?? "val",
      frames: try keys.decodeIfPresent(Int.self, forKey: .frames),
      consistency: try keys.decodeIfPresent(ConsistencySpec.self, forKey: .consistency),
      metrics: try keys.decodeIfPresent([PartSpec].self, forKey: .metrics) ?? [],
      agreement: try keys.decodeIfPresent(Bool.self, forKey: .agreement) ?? false,
      group: try keys.decodeIfPresent(Int.self, forKey: .group) ?? 12,
      warmsUp: try keys.decodeIfPresent(Bool.self, forKey: .warmsUp) ?? true)
  }

  /// Writes a flat mapping: the pipeline's keys and this type's own.
  public func encode(to encoder: any Encoder) throws {
    try pipeline.encode(to: encoder)
    var keys = encoder.container(keyedBy: CodingKeys.self)
    try keys.encodeIfPresent(recipe, forKey: .recipe)
    try keys.encodeIfPresent(data, forKey: .data)
    try keys.encode(split, forKey: .split)
    try keys.encodeIfPresent(frames, forKey: .frames)
    try keys.encodeIfPresent(consistency, forKey: .consistency)
    if !metrics.isEmpty { try keys.encode(metrics, forKey: .metrics) }
    try keys.encode(agreement, forKey: .agreement)
    try keys.encode(group, forKey: .group)
    if !warmsUp { try keys.encode(false, forKey: .warmsUp) }
  }
}

/// The optical flow used for temporal consistency where the exact motion is not known.
public enum ConsistencySpec: Sendable, Hashable {
  /// Temporal consistency is not measured; written `none`.
  case left
  /// An estimator's.
  case along(PartSpec)

  /// The estimator, where there is one.
  public var flow: PartSpec? {
    if case .along(let flow) = self { flow } else { nil }
  }
}

extension ConsistencySpec: Codable {
  private static let none = "none"

  /// Reads `none`, or an estimator as text or as a mapping.
  public init(from decoder: any Decoder) throws {
    let text = try? decoder.singleValueContainer().decode(String.self)
    self = text == Self.none ? .left : .along(try PartSpec(from: decoder))
  }

  /// Writes what `init(from:)` reads.
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .left:
      var value = encoder.singleValueContainer()
      try value.encode(Self.none)
    case .along(let flow): try flow.encode(to: encoder)
    }
  }
}
