// SPDX-License-Identifier: Apache-2.0

public import Propagation
public import Specification

/// The parts of a pipeline by their specs: a value that can be compared, hashed and written down.
///
/// ```swift
/// let spec = try PipelineSpec(scheduler: "every:5", flow: "chained:dis:medium", tap: "context")
///   .canonical(in: .standard)
/// ```
///
/// As YAML: keys `backbone`, `head`, `scheduler`, `propagator`, `fusion`, `flow`, `tap`,
/// `temporal_smoothing`, `bidirectional` and `regions`.
public struct PipelineSpec: Sendable, Hashable {
  /// The heavy network; nil where it is given otherwise.
  public var backbone: PartSpec?
  /// The model folder of a head for another task than the backbone's own; nil for its own.
  public var head: PartSpec?
  /// What decides which frames are key; `every:5` unless said otherwise.
  public var scheduler: PartSpec
  /// What propagates features to non-key frames; nil for what is usual: `boxes` for a network that
  /// finds objects itself, else `warp`.
  public var propagator: PartSpec?
  /// What joins propagated features with what is seen of the frame; nil for nothing, or what the
  /// propagator was trained with.
  public var fusion: PartSpec?
  /// The optical flow estimator; nil for the one that the propagator was trained along, else
  /// `dis:medium`.
  public var flow: PartSpec?
  /// The stage whose output is propagated, or several parted by commas; nil for the last one, or
  /// what the propagator was trained for.
  ///
  /// Of stages that later ones read as well, a tapped one's output is propagated, another's is made
  /// on each frame.
  public var tap: String?
  /// How scores are smoothed over time; nil for not at all.
  public var smoothing: SmoothingSpec?
  /// How what comes from the key frame before and from the one after is joined; nil where features
  /// are propagated forward only.
  public var bidirectional: BidirectionalSpec?
  /// Regions of the frame with key frames of their own; nil for the frame as a whole.
  public var regions: RegionsSpec?

  /// The stages that `tap` names; none where it is nil.
  public var taps: [String] {
    tap?.split(separator: ",", omittingEmptySubsequences: false).map { part in
      String(part.drop { $0 == " " })
    } ?? []
  }

  /// What propagates where nothing is named, and no task says otherwise.
  public static let usualPropagator: PartSpec = "warp"

  /// A pipeline of these parts.
  public init(
    backbone: PartSpec? = nil, head: PartSpec? = nil, scheduler: PartSpec = "every:5",
    propagator: PartSpec? = nil, fusion: PartSpec? = nil, flow: PartSpec? = nil,
    tap: String? = nil, smoothing: SmoothingSpec? = nil,
    bidirectional: BidirectionalSpec? = nil, regions: RegionsSpec? = nil
  ) {
    (self.backbone, self.head, self.scheduler) = (backbone, head, scheduler)
    (self.propagator, self.fusion, self.flow) = (propagator, fusion, flow)
    (self.tap, self.smoothing, self.regions) = (tap, smoothing, regions)
    self.bidirectional = bidirectional
  }

  /// The same with every part in its one form; nothing is loaded.
  ///
  /// - Throws: `SpecificationError` for a name, an option or a value that is wrong.
  public func canonical(in registries: Registries) throws(SpecificationError) -> PipelineSpec {
    let grammar = registries.grammar
    var spec = self
    func canonical(_ part: PartSpec?, _ role: String) throws(SpecificationError) -> PartSpec? {
      guard let part else { return nil }
      return try grammar.canonical(part, as: role)
    }
    if let backbone { spec.backbone = try registries.backbone(backbone, by: grammar) }
    if let head { spec.head = try registries.head(head, by: grammar) }
    spec.scheduler = try grammar.canonical(scheduler, as: registries.schedulers.role)
    spec.propagator = try canonical(propagator, registries.propagators.role)
    spec.fusion = try canonical(fusion, registries.fusions.role)
    spec.flow = try canonical(flow, registries.flows.role)
    return spec
  }
}

extension PipelineSpec: Codable {
  /// One text, or a list of stages.
  private static func tap(in keys: KeyedDecodingContainer<CodingKeys>) throws -> String? {
    if let stages = try? keys.decodeIfPresent([String].self, forKey: .tap) {
      return stages.joined(separator: ",")
    }
    return try keys.decodeIfPresent(String.self, forKey: .tap)
  }

  enum CodingKeys: String, CodingKey, CaseIterable {
    case backbone, head, scheduler, propagator, fusion, flow, tap, bidirectional, regions
    case smoothing = "temporal_smoothing"
  }

  /// Every key that a specification may have.
  public static let keys = CodingKeys.allCases.map(\.rawValue)

  /// Reads a flat mapping of parts; what is left out is standard.
  public init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: CodingKeys.self)
    func part(_ key: CodingKeys) throws -> PartSpec? {
      try keys.decodeIfPresent(PartSpec.self, forKey: key)
    }
    self.init(
      backbone: try part(.backbone), head: try part(.head),
      scheduler: try part(.scheduler) ?? "every:5", propagator: try part(.propagator),
      fusion: try part(.fusion), flow: try part(.flow),
      tap: try Self.tap(in: keys),
      smoothing: try keys.decodeIfPresent(SmoothingSpec.self, forKey: .smoothing),
      bidirectional: try keys.decodeIfPresent(
        BidirectionalSpec.Switch.self, forKey: .bidirectional)?.spec,
      regions: try keys.decodeIfPresent(RegionsSpec.self, forKey: .regions))
  }
}

/// How much scores keep of earlier ones where the picture has not changed: `0.5`, or `0.5,20`.
public struct SmoothingSpec: Sendable, Hashable {
  /// What counts of the earlier scores, from 0 to 1.
  public var weight: Double
  /// The difference, in levels of 255, at which a third of that is left.
  public var tolerance: Double

  /// A weight from 0 to 1 and a tolerance above 0, in levels of 255; anything else is refused.
  public init(weight: Double, tolerance: Double = 20) throws(SpecificationError) {
    guard (0...1).contains(weight), tolerance > 0, tolerance.isFinite else {
      throw Self.refusal("\(weight),\(tolerance)")
    }
    (self.weight, self.tolerance) = (weight, tolerance)
  }

  /// Reads WEIGHT or WEIGHT,LEVELS.
  public init(_ text: String) throws(SpecificationError) {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map {
      Double($0) ?? .nan
    }
    guard (1...2).contains(numbers.count) else { throw Self.refusal(text) }
    do throws(SpecificationError) {
      self = try SmoothingSpec(weight: numbers[0], tolerance: numbers.count == 2 ? numbers[1] : 20)
    } catch { throw Self.refusal(text) }
  }

  /// Half of the earlier scores.
  static let half = SmoothingSpec(checkedWeight: 0.5, 20)

  private init(checkedWeight weight: Double, _ tolerance: Double) {
    (self.weight, self.tolerance) = (weight, tolerance)
  }

  private static func refusal(_ text: String) -> SpecificationError {
    SpecificationError(
      .badValue,
      "temporal smoothing needs WEIGHT from 0 to 1, or WEIGHT,LEVELS above 0, not '\(text)'")
  }
}

extension SmoothingSpec: Codable, CustomStringConvertible {
  /// WEIGHT,LEVELS, as `init(_:)` reads it.
  public var description: String { "\(OptionValue(weight).text),\(OptionValue(tolerance).text)" }

  /// Reads a bare weight, or a text as `init(_:)` does.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Double.self) {
      try self.init(weight: number)
    } else {
      try self.init(try container.decode(String.self))
    }
  }

  /// Writes WEIGHT,LEVELS as a text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// How what comes from both sides is joined: `true`, or the difference in levels of 255 at which a
/// third of a look is left.
public struct BidirectionalSpec: Sendable, Hashable {
  /// The difference, in levels of 255, at which a third of a look is left.
  public var tolerance: Double

  /// A tolerance above 0, in levels of 255; anything else is refused.
  public init(
    tolerance: Double = BidirectionalBlend().tolerance
  ) throws(SpecificationError) {
    guard tolerance > 0, tolerance.isFinite else {
      throw SpecificationError(
        .badValue,
        "bidirectional needs true, false or LEVELS above 0, not '\(OptionValue(tolerance).text)'")
    }
    self.tolerance = tolerance
  }
}

extension BidirectionalSpec: Codable, CustomStringConvertible {
  /// LEVELS.
  public var description: String { OptionValue(tolerance).text }

  /// Reads LEVELS.
  public init(from decoder: any Decoder) throws {
    try self.init(tolerance: try decoder.singleValueContainer().decode(Double.self))
  }

  /// Writes LEVELS.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(tolerance)
  }

  /// `true`, `false` or LEVELS, as a specification has it.
  struct Switch: Decodable {
    let spec: BidirectionalSpec?

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let isOn = try? container.decode(Bool.self) {
        spec = isOn ? try BidirectionalSpec() : nil
      } else {
        spec = try container.decode(BidirectionalSpec.self)
      }
    }
  }
}

/// A grid of regions with key frames of their own: `2x2`, or `2x2:16` for how far they overlap.
public struct RegionsSpec: Sendable, Hashable {
  /// How many regions there are one above the other, and side by side: 1 to 64 each.
  public var rows: Int, columns: Int
  /// Pixels by which a region reaches over its inner borders.
  public var overlap: Int

  /// Two by two, sixteen pixels over their borders.
  static let quarters = RegionsSpec(rows: 2, columns: 2, overlap: 16)

  private init(rows: Int, columns: Int, overlap: Int) {
    (self.rows, self.columns, self.overlap) = (rows, columns, overlap)
  }

  /// Reads ROWSxCOLUMNS or ROWSxCOLUMNS:PIXELS.
  public init(_ text: String) throws(SpecificationError) {
    let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let sides = (halves.first ?? "").split(separator: "x", omittingEmptySubsequences: false)
      .map { Int($0) ?? 0 }
    overlap = halves.count > 1 ? Int(halves[1]) ?? -1 : 16
    guard sides.count == 2, sides.allSatisfy((1...64).contains), (0...4096).contains(overlap)
    else {
      throw SpecificationError(
        .badValue,
        "regions need ROWSxCOLUMNS, each 1 to 64, or ROWSxCOLUMNS:PIXELS, not '\(text)'")
    }
    (rows, columns) = (sides[0], sides[1])
  }
}

extension RegionsSpec: Codable, CustomStringConvertible {
  /// ROWSxCOLUMNS:PIXELS, as `init(_:)` reads it.
  public var description: String { "\(rows)x\(columns):\(overlap)" }

  /// Reads a text as `init(_:)` does.
  public init(from decoder: any Decoder) throws {
    try self.init(try decoder.singleValueContainer().decode(String.self))
  }

  /// Writes ROWSxCOLUMNS:PIXELS as a text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
