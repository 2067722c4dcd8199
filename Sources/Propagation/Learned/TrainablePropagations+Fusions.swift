// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Layers
internal import Specification

/// What propagates before a fusion.
private enum Carrier: String, CaseIterable {
  case copy, warp

  static func option(usually standard: Carrier = .warp) -> OptionSpec {
    .optional(
      "behind", .choice(allCases.map(\.rawValue)), standard: .text(standard.rawValue),
      positional: false)
  }

  init(_ options: ResolvedOptions) { self = Carrier(rawValue: options.text("behind")) ?? .warp }

  var propagator: any Propagator {
    switch self {
    case .copy: Copy()
    case .warp: Warp()
    }
  }
}

extension BuildContext {
  /// The branch of a fusion, and how many channels it gives.
  fileprivate func branch(
    of options: ResolvedOptions
  ) throws -> (network: NetworkBranch, channels: Int) {
    guard let kinds = self[TrainablePropagations.self] else {
      preconditionFailure("a branch is made for a trained propagation")
    }
    let branch = try kinds.branches.build(options.part("branch"), in: self)
    return (branch, try branch.channels())
  }
}

extension TrainablePropagations {
  mutating func registerBranches() {
    branches.register(
      "network", "a segmentation network, of its first stages where not all are wanted",
      options: [
        .required("network", .path), .optional("through", .text, positional: false),
        .optional("scale", .number(0.05...1), standard: 1, positional: false), .flag("trained"),
      ]
    ) { options, context in
      let parameters = context.propagationSite.parameters
      let folder = try NetworkFolder(at: options.text("network"))
      let stage = options.textIfGiven("through"), scale = options.number("scale")
      guard options.flag("trained") else {
        return try NetworkBranch(
          folder.network(on: parameters.device).folded(), through: stage, scale: scale)
      }
      try parameters.base(on: folder.folder, under: "branch.")
      let drawn = try SegmentationNetwork(
        folder.specification, parameters: parameters, in: parameters.root["branch"])
      return try NetworkBranch(drawn, through: stage, scale: scale, isTrained: true)
    }
  }

  mutating func registerFusions() {
    let branch = PartSlot("branch", role: branches.role)
    let starts = CorrectiveFusion.Start.allCases.map(\.rawValue)
    kinds.register(
      "correction", "what a branch sees corrects the propagated scores (Accel)",
      options: [
        Carrier.option(),
        .optional(
          "start", .choice(starts), standard: .text(CorrectiveFusion.Start.propagated.rawValue),
          positional: false),
      ], slot: branch
    ) { options, context in
      let site = context.propagationSite, branch = try context.branch(of: options)
      return .fusion(
        try CorrectiveFusion(
          classes: site.channels(), with: branch.network, giving: branch.channels,
          start: CorrectiveFusion.Start(rawValue: options.text("start")) ?? .propagated,
          parameters: site.parameters), behind: Carrier(options).propagator)
    }
    kinds.register(
      "error-guided", "a branch corrects where warping fails (DAVSS)",
      options: [
        .optional("channels", .integer(1...4096), standard: 32, positional: false),
        Carrier.option(),
      ], slot: branch
    ) { options, context in
      let site = context.propagationSite, branch = try context.branch(of: options)
      return .fusion(
        try ErrorGuidedFusion(
          classes: site.channels(), with: branch.network, giving: branch.channels,
          width: options.integer("channels"), parameters: site.parameters),
        behind: Carrier(options).propagator)
    }
    registerAttention(branch)
    registerIndependentPart()
    registerDecoder()
  }

  private mutating func registerAttention(_ branch: PartSlot) {
    kinds.register(
      "attention", "local attention from a branch at low resolution (CReFF of AR-Seg)",
      options: [
        .optional("size", .integer(1...25), standard: 7, positional: false), Carrier.option(),
      ], slot: branch,
      validate: isOdd
    ) { options, context in
      let site = context.propagationSite, branch = try context.branch(of: options)
      guard try branch.channels == site.channels() else {
        throw SpecificationError(
          .badDescription,
          "the branch gives \(branch.channels) channels, \(try site.channels()) are propagated")
      }
      return .fusion(
        try CrossResolutionAttention(
          channels: site.channels(), with: branch.network, size: options.integer("size"),
          parameters: site.parameters), behind: Carrier(options).propagator)
    }
  }

  private mutating func registerIndependentPart() {
    kinds.register(
      "independent", "a light part of each frame beside the key's common features (DCFM)",
      options: [
        .required("after", .text),
        .optional("channels", .integer(1...4096), standard: 96, positional: false),
        Carrier.option(usually: .copy), .flag("compare"),
      ]
    ) { options, context in
      .fusion(
        try context.propagationSite.independentPart(
          after: options.text("after"), width: options.integer("channels"),
          compares: options.flag("compare")),
        behind: Carrier(options).propagator)
    }
  }

  private mutating func registerDecoder() {
    kinds.register(
      "decoder", "the stages after the tap, trained for non-key frames (this package's own)",
      options: [Carrier.option()]
    ) { options, context in
      .decoder(
        try context.propagationSite.ownDecoder(), behind: Carrier(options).propagator)
    }
  }
}

extension PropagationSite {
  /// The backbone with stages of its own after the tap, which begin with the backbone's.
  fileprivate func ownDecoder() throws -> SegmentationNetwork {
    guard let network = backbone.unwrapped as? SegmentationNetwork else {
      throw SpecificationError(
        .incompatible,
        "a decoder for non-key frames needs a network of the package's own, with spec.yaml and "
          + "weights: \(folder) is none")
    }
    let prefix = "own"
    try parameters.base(on: ModelFolder(at: folder), under: prefix + ".")
    return try network.withStages(
      after: tap, parameters: parameters, in: parameters.root[prefix])
  }

  /// What a frame's own features after an early stage add to those that are propagated.
  ///
  /// - Throws: `SpecificationError` where that stage has the coarser grid.
  func independentPart(
    after stage: String, width: Int = 96, compares: Bool = false, in scope: ParameterScope? = nil
  ) throws -> IndependentFusion {
    let (early, late) = (
      backbone.stages[try backbone.index(ofStage: stage)].stride,
      backbone.stages[try backbone.index(ofStage: tap)].stride
    )
    guard early <= late else {
      throw SpecificationError(
        .badDescription,
        "'\(stage)' has a stride of \(early), what is propagated one of \(late): the early stage "
          + "must be the finer")
    }
    return try IndependentFusion(
      channels: channels(), after: stage, giving: channels(after: stage), stride: late / early,
      width: width, compares: compares, parameters: parameters, in: scope)
  }
}

extension NetworkBranch {
  /// How many channels it gives.
  fileprivate func channels() throws -> Int {
    try network.channels(after: network.stages[stages - 1].name)
  }
}
