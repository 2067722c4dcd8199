// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Flow
public import Layers
public import Specification

/// The kinds of propagation that can be trained: this package's and anyone's.
///
/// ```swift
/// registries.trainablePropagations.kinds.register("mine", "…", options: [width]) {
///   options, context in
///   let site = context.propagationSite
///   return .propagator(
///     try Mine(channels: site.channels(), width: options.integer("width"), site.parameters))
/// }
/// ```
///
/// A model folder names one under `propagation:`, with its options as keys.
public struct TrainablePropagations: Sendable {
  /// The kinds, each with what makes a part of it.
  public var kinds = PartRegistry<TrainablePropagation>("trained propagation")
  /// What looks at every frame for a fusion.
  public var branches = PartRegistry<NetworkBranch>("branch")

  /// Without any kind.
  public init() {}

  /// What this package ships.
  public static let standard: TrainablePropagations = {
    var standard = TrainablePropagations()
    standard.registerBranches()
    standard.registerFeaturePropagators()
    standard.registerScorePropagators()
    standard.registerFusions()
    return standard
  }()

  /// What descriptions are read by.
  public var grammar: Grammar {
    var grammar = Grammar()
    grammar.add(kinds)
    grammar.add(branches)
    return grammar
  }
}

/// What a trained propagation is made around: a backbone, the stage that is propagated, parameters
/// that are drawn or read.
public struct PropagationSite: Sendable {
  /// The backbone behind which it propagates.
  public let backbone: any Backbone
  /// The folder, or file, of the backbone.
  public let folder: String
  /// The stage whose output is propagated.
  public let tap: String
  /// Where its parameters come from: drawn, or read from a file.
  public let parameters: Parameters

  /// How many channels a stage gives; the propagated one unless another is named.
  ///
  /// - Throws: `BackboneError` where the backbone has no such stage.
  public func channels(after stage: String? = nil) throws -> Int {
    try backbone.channels(after: stage ?? tap)
  }

  /// Stages before the propagated one, with their channels.
  ///
  /// - Throws: `BackboneError` where the backbone has no such stage, `SpecificationError` where
  ///   they are not in its order.
  fileprivate func taps(_ stages: [String]) throws -> [NetWarpBlend.Tap] {
    let places = try (stages + [tap]).map { try backbone.index(ofStage: $0) }
    guard zip(places, places.dropFirst()).allSatisfy(<) else {
      throw SpecificationError(
        .badDescription,
        "'earlier' names stages before '\(tap)', first to last, not "
          + stages.joined(separator: ", "))
    }
    return try stages.map { NetWarpBlend.Tap($0, channels: try channels(after: $0)) }
  }
}

extension BuildContext {
  /// What a trained propagation is made around.
  ///
  /// - Precondition: it is a trained propagation that is made.
  public var propagationSite: PropagationSite {
    guard let site = self[PropagationSite.self] else {
      preconditionFailure("a trained propagation is made around a backbone")
    }
    return site
  }
}

/// The side of a kernel: odd, so that it has a centre.
private func size(_ range: ClosedRange<Int>, usually standard: Int) -> OptionSpec {
  .optional("size", .integer(range), standard: .integer(standard))
}

private func channels(usually standard: Int) -> OptionSpec {
  .optional("channels", .integer(1...4096), standard: .integer(standard))
}

let isOdd: @Sendable (ResolvedOptions) throws(InvalidOption) -> Void = {
  (options) throws(InvalidOption) in
  let size = options.integer("size")
  guard size % 2 == 1 else { throw InvalidOption("needs an odd size, not \(size)") }
}

extension TrainablePropagations {
  private mutating func registerFeaturePropagators() {
    kinds.register(
      "scaled-warp", "flow of a network that is trained along, and a scale (DFF)",
      options: [.required("flow", .path)]
    ) { options, context in
      let site = context.propagationSite
      let folder = try ModelFolder(at: options.text("flow"))
      let flow = try folder.read { (root) throws(SpecificationError) in
        try FlowNetSpecification(root)
      }
      try site.parameters.base(on: folder, under: "flow.")
      return .propagator(
        try ScaledWarp(channels: site.channels(), flow: flow, parameters: site.parameters))
    }
    kinds.register(
      "adaptive-warp", "a warp, and a change told by an early stage and learned as it runs",
      options: [
        .required("after", .text), AdaptiveWarp.priorOption,
        .optional("adapts", .flag, standard: true, positional: false),
      ]
    ) { options, context in
      let site = context.propagationSite, stage = options.text("after")
      guard
        try site.backbone.index(ofStage: stage) < site.backbone.index(ofStage: site.tap)
      else { throw InvalidOption("needs a stage before the tap '\(site.tap)', not '\(stage)'") }
      return .propagator(
        try AdaptiveWarp(
          channels: site.channels(), after: stage, giving: site.channels(after: stage),
          prior: options.number("prior"), adapts: options.flag("adapts"),
          parameters: site.parameters))
    }
    kinds.register(
      "displaced-convolution", "kernels and displacements of every place (SDC-Net)",
      options: [size(3...25, usually: 5), channels(usually: 16)], validate: isOdd
    ) { options, context in
      .propagator(
        try DisplacedConvolution(
          size: options.integer("size"), width: options.integer("channels"),
          parameters: context.propagationSite.parameters))
    }
    kinds.register(
      "variant-convolution", "kernels of every place, told by an early stage (LLVSS)",
      options: [
        .required("after", .text), size(3...25, usually: 9), channels(usually: 64),
        .optional("centre", .number(0.01...0.999), standard: 0.99, positional: false),
        .flag("adapted"),
      ], validate: isOdd
    ) { options, context in
      let site = context.propagationSite, stage = options.text("after")
      return .propagator(
        try VariantConvolution(
          channels: site.channels(after: stage), after: stage, size: options.integer("size"),
          width: options.integer("channels"), centre: options.number("centre"),
          adaptor: options.flag("adapted")
            ? site.independentPart(after: stage, in: site.parameters.root["adaptor"]) : nil,
          parameters: site.parameters))
    }
  }

  private mutating func registerScorePropagators() {
    kinds.register(
      "difference", "kernels told by the frames' difference (Budget-Aware)",
      options: [size(1...25, usually: 7)], validate: isOdd
    ) { options, context in
      let site = context.propagationSite
      return .propagator(
        try DifferenceConvolution(
          classes: site.channels(), size: options.integer("size"), parameters: site.parameters))
    }
    kinds.register(
      "gated-recurrence", "scores gated from frame to frame (GRFP)",
      options: [.required("after", .text)]
    ) { options, context in
      let site = context.propagationSite
      return .propagator(
        try GatedRecurrence(
          classes: site.channels(), scoresAfter: options.text("after"),
          parameters: site.parameters))
    }
    kinds.register(
      "tap-blend", "the frame's own map and the warped one, blended (NetWarp)",
      options: [
        .optional("start", .number(0...1), standard: 1),
        .optional("refined", .flag, standard: true, positional: false),
        .optional("earlier", .list(.text), positional: false, placeholder: "STAGE"),
      ]
    ) { options, context in
      let site = context.propagationSite
      return .propagator(
        try NetWarpBlend(
          channels: site.channels(), after: site.tap,
          earlier: site.taps(options.texts("earlier")), start: options.number("start"),
          refinesMotion: options.flag("refined"), parameters: site.parameters))
    }
  }
}
