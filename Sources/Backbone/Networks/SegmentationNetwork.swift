// SPDX-License-Identifier: Apache-2.0

public import Layers
internal import Specification
public import Tensors
public import Video

/// An encoder, a view of the surroundings, and a decoder that joins finer features step by step, or
/// heads that add the scores of finer features.
///
/// The stages are the encoder's, then `context` at the coarsest stride, then `decoder` at the
/// stride of the finest features it joins, where there is one, then `classifier`: a 1×1
/// convolution to scores in single precision, and last `scores`, where stages of the encoder have
/// heads: coarser scores are interpolated to each such stage's grid, and a 1×1 convolution of its
/// features is added, as in FCN-8s (Long et al., CVPR 2015). Heads begin at zero, so that such a
/// network begins as the one without them. The last scores are interpolated to the size of the
/// frame. Where the output of an encoder's stage is joined later on, features cut in between carry
/// it as a skip.
public struct SegmentationNetwork: Backbone {
  /// What the network consists of.
  public let specification: NetworkSpecification
  /// The encoder's stages, then `context`, `decoder` where there is one, `classifier`, and `scores`
  /// where stages have heads.
  public let stages: [Stage]
  /// What makes labels of the last stage's scores.
  public let head: ScoreHead
  /// The parameters, drawn or read; of the whole where it is a part of a larger network.
  public private(set) var parameters: Parameters
  private(set) var encoder: any LayeredEncoder
  private(set) var context: any Layer
  private(set) var decoder: [DecoderStep]
  private(set) var classifier: Conv2d
  private(set) var scoreHeads: [StageScores]

  /// A network with parameters drawn or read as `parameters` says: all of them or, in `scope`, the
  /// part of a larger network.
  ///
  /// - Throws: `SpecificationError` where the specification joins a stride or gives a head to a
  ///   stage that the encoder does not have, or not from coarse to fine, and what reading
  ///   parameters throws.
  public init(
    _ specification: NetworkSpecification, parameters: Parameters, in scope: ParameterScope? = nil
  ) throws {
    let scope = scope ?? parameters.root
    let encoder = try specification.encoder.make(in: scope["encoder"])
    let last = encoder.stages[encoder.stages.count - 1]
    context = try specification.context.layer(
      last.channels, specification.contextChannels, in: scope["context"])
    decoder = try Self.decoder(of: specification, over: encoder, in: scope)
    classifier = try Self.classifier(of: specification, in: scope)
    scoreHeads = try Self.scoreHeads(of: specification, over: encoder, in: scope)
    head = ScoreHead(classes: specification.classes)
    var stages = encoder.stages.map { Stage($0.name, stride: $0.stride) }
    stages.append(Stage("context", stride: last.stride))
    if let finest = specification.joins.last {
      stages.append(Stage("decoder", stride: finest.stride))
    }
    stages.append(Stage("classifier", stride: stages[stages.count - 1].stride))
    if let finest = scoreHeads.last {
      stages.append(Stage("scores", stride: stages[finest.stage].stride))
    }
    (self.specification, self.stages, self.parameters) = (specification, stages, parameters)
    self.encoder = encoder
  }

  private static func decoder(
    of specification: NetworkSpecification, over encoder: any Encoder, in scope: ParameterScope
  ) throws -> [DecoderStep] {
    var (steps, channels): ([DecoderStep], Int) = ([], specification.contextChannels)
    for join in specification.joins {
      let index = try index(of: join, in: encoder, after: steps.last)
      steps.append(
        try DecoderStep(
          from: index, fine: encoder.stages[index].channels, coarse: channels,
          outputs: join.channels, in: scope["decoder"]["\(join.stride)"]))
      channels = join.channels
    }
    return steps
  }

  private static func classifier(
    of specification: NetworkSpecification, in scope: ParameterScope
  ) throws -> Conv2d {
    try Conv2d(
      specification.joins.last?.channels ?? specification.contextChannels,
      specification.scoreCount, kernel: 1, initialisation: .normal(deviation: 0.01),
      in: scope["classifier"])
  }

  private static func scoreHeads(
    of specification: NetworkSpecification, over encoder: any Encoder, in scope: ParameterScope
  ) throws -> [StageScores] {
    var heads: [StageScores] = []
    for name in specification.scoreHeads {
      // Coarse to fine: each before the one named before it, the first before the encoder's last.
      let later = heads.last?.stage ?? encoder.stages.count - 1
      guard let index = encoder.stages[..<later].firstIndex(where: { $0.name == name }) else {
        let known = encoder.stages[..<later].reversed().map(\.name)
        throw SpecificationError(
          .badDescription,
          "network.score_heads: no stage '\(name)' before '\(encoder.stages[later].name)'; "
            + (known.isEmpty ? "there is none" : "there are \(known.joined(separator: ", "))"))
      }
      heads.append(
        try StageScores(
          from: index, channels: encoder.stages[index].channels, scores: specification.scoreCount,
          in: scope["scores"][name]))
    }
    return heads
  }

  /// The same network with stages of its own after the one called `tap`: drawn or read as
  /// `parameters` says, in `scope`, under the names that they have in a whole network.
  ///
  /// - Throws: `BackboneError` where there is no such stage, or none after it, or where the encoder
  ///   goes on behind it; and what reading parameters throws.
  public func withStages(
    after tap: String, parameters: Parameters, in scope: ParameterScope
  ) throws -> SegmentationNetwork {
    let count = try index(ofStage: tap) + 1
    guard count >= encoder.stages.count, count < stages.count else {
      let possible = stages[(encoder.stages.count - 1)..<(stages.count - 1)].map(\.name)
      throw BackboneError(
        .incompatible,
        "stages after '\(tap)' cannot be another network's; those after "
          + "\(possible.joined(separator: ", ")) can")
    }
    var network = self
    network.parameters = parameters
    let own = Set(stages[count...].map(\.name))
    if own.contains("context") {
      network.context = try specification.context.layer(
        encoder.stages[count - 1].channels, specification.contextChannels, in: scope["context"])
    }
    if own.contains("decoder") {
      network.decoder = try Self.decoder(of: specification, over: encoder, in: scope)
    }
    if own.contains("classifier") {
      network.classifier = try Self.classifier(of: specification, in: scope)
    }
    network.scoreHeads = try Self.scoreHeads(of: specification, over: encoder, in: scope)
    return network
  }

  /// The stage of the encoder whose features are joined: the last of its stride.
  private static func index(
    of join: NetworkSpecification.Join, in encoder: any Encoder, after step: DecoderStep?
  ) throws(SpecificationError) -> Int {
    let coarser = encoder.stages[step?.stage ?? encoder.stages.count - 1].stride
    let finer = encoder.stages.indices.filter { encoder.stages[$0].stride < coarser }
    guard let index = finer.last(where: { encoder.stages[$0].stride == join.stride }) else {
      let strides = Set(finer.map { encoder.stages[$0].stride }).sorted(by: >)
      throw SpecificationError(
        .badDescription,
        "no features of stride \(join.stride) to join after stride \(coarser); "
          + "there are \(strides)")
    }
    return index
  }

  /// The same network in fewer operations, to be used and no longer trained.
  public func folded() throws(TensorError) -> SegmentationNetwork {
    var network = self
    (network.encoder, network.context) = (try encoder.folded(), try context.folded())
    network.decoder = try decoder.map { (step) throws(TensorError) in try step.folded() }
    return network
  }

  /// The size that the specification states; nil for any.
  public var inputSize: PixelSize? { specification.input.size }

  /// True: images of a batch do not see each other.
  public var takesBatches: Bool { true }

  /// The frame scaled as the specification says, 1 × 3 × H × W, channels last in memory.
  public func input(for frame: Frame) throws -> Tensor {
    // Channels last, as all layers are quickest with: what comes in planes stays so through the
    // network.
    try specification.input.tensor(of: frame.pixels).channelsLast().to(parameters.device)
  }

  /// What the stages give, used and without gradients; MACs go to `MACCounter.current`.
  public func run(_ range: Range<Int>, on input: Features) throws -> Features {
    try withoutGradients { try run(range, on: input, in: .inference) }
  }

  /// As `run(_:on:)`, for N images, in a pass that may be one of training.
  public func run(
    _ range: Range<Int>, on input: Features, in pass: ForwardContext
  ) throws(TensorError) -> Features {
    var features = input
    for index in range {
      features = try run(stage: index, on: features, in: pass)
      pass.ledger?.end(stages[index].name, stride: stages[index].stride, giving: features.main)
    }
    return features
  }

  /// Scores at the stride of the last stage, N × classes × H × W, of images N × 3 × height × width;
  /// one more than classes where void is learned.
  public func scores(of images: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor {
    try run(0..<stages.count, on: Features(images), in: pass).main
  }

  /// The stage that a parameter belongs to.
  public func stage(ofParameter name: String) -> String {
    let parts = name.split(separator: ".", maxSplits: 2).map(String.init)
    switch parts.first {
    case "encoder":
      // torchvision's names know no stem.
      return encoder.stages.first { parts.count > 1 && $0.name == parts[1] }?.name
        ?? encoder.stages[0].name
    default: return parts.first ?? ""
    }
  }

  private func run(
    stage index: Int, on input: Features, in pass: ForwardContext
  ) throws(TensorError) -> Features {
    var output = input.main
    switch part(ofStage: index) {
    case .encoder:
      output = try encoder.run(stage: index, on: output, in: pass)
      return Features(output, skips: input.skips + (isJoined(stage: index) ? [output] : []))
    case .context:
      return Features(try context(output, in: pass), skips: input.skips)
    case .decoder:
      for (step, fine) in zip(decoder, input.skips.reversed()) {
        output = try step(output, joining: fine, in: pass)
      }
      return Features(output)
    case .classifier:
      return Features(try classifier(output, in: pass).cast(to: .float32), skips: input.skips)
    case .scores:
      for (step, fine) in zip(scoreHeads, input.skips.reversed()) {
        output = try step(output, joining: fine, in: pass)
      }
      return Features(output)
    }
  }
}

extension SegmentationNetwork {
  /// What a stage is a part of, or is.
  enum Part { case encoder, context, decoder, classifier, scores }

  func part(ofStage index: Int) -> Part {
    let later: [Part] =
      [.context] + (decoder.isEmpty ? [] : [.decoder]) + [.classifier]
      + (scoreHeads.isEmpty ? [] : [.scores])
    return index < encoder.stages.count ? .encoder : later[index - encoder.stages.count]
  }

  /// The encoder's stages that the decoder or heads of scores read, until they have read them.
  public func skipStages(through count: Int) -> [String] {
    guard count > 0, ![.decoder, .scores].contains(part(ofStage: count - 1)) else { return [] }
    let isRead = !decoder.isEmpty && count > encoder.stages.count + 1
    return isRead
      ? []
      : stages[..<min(count, encoder.stages.count)].indices.filter(isJoined(stage:))
        .map { stages[$0].name }
  }

  /// The scores of a stage's own head, where it has one.
  public func scores(of map: Tensor, after stage: String) throws -> Tensor? {
    guard let head = scoreHeads.first(where: { stages[$0.stage].name == stage }) else { return nil }
    return try withoutGradients { try head.own(of: map, in: .inference) }
  }

  /// Whether stages behind the encoder read what one of its stages gives.
  func isJoined(stage index: Int) -> Bool {
    decoder.contains { $0.stage == index } || scoreHeads.contains { $0.stage == index }
  }
}
