// SPDX-License-Identifier: Apache-2.0

public import Backbone
package import Flow
public import Pipeline
public import Propagation
public import Scheduler
public import Specification

/// A pipeline that was made of a spec, once: what runs, and what it was really made of.
public struct ResolvedPipeline<Prediction: Sendable>: Sendable {
  /// The spec with every default filled in: the flow and the tap that are used.
  public let spec: PipelineSpec
  /// The pipeline, of frames as a whole.
  public let pipeline: KeyframePipeline<Prediction>
  /// What propagates predictions in the place of features; nil where features are propagated.
  public let carrier: (any PredictionPropagator<Prediction>)?
  /// Every file that was read for its parts.
  public let files: [String]
  /// What is odd about the parts and is to be said once.
  public let warnings: [String]
  /// Settings of the parts that were chosen on some clip.
  public let chosen: [ChosenSetting]

  /// The same along other optical flow: `wrap` is given the estimator.
  package func along(
    _ wrap: (any FlowEstimator) -> any FlowEstimator
  ) -> ResolvedPipeline<Prediction> {
    func changed(_ flow: some FlowEstimator) -> KeyframePipeline<Prediction> {
      pipeline.with(flow: flow)
    }
    return ResolvedPipeline(
      spec: spec, pipeline: changed(wrap(pipeline.flow)), carrier: carrier, files: files,
      warnings: warnings,
      chosen: chosen)
  }

  /// What the spec wants of recorded streams: predictions may come late.
  ///
  /// - Throws: `IncompatibleParts` where parts cannot work together so.
  public func streaming() throws(IncompatibleParts) -> any StreamPipeline<Prediction> {
    guard let bidirectional = spec.bidirectional else { return try regional() }
    guard carrier == nil, spec.regions == nil else {
      throw IncompatibleParts(
        "bidirectional propagation is for feature maps of whole frames: leave out regions, and "
          + "what propagates boxes")
    }
    return try BidirectionalPipeline(
      pipeline, joining: BidirectionalBlend(tolerance: bidirectional.tolerance))
  }

  /// Whether streams go through it one after the other, each with what is its own.
  public var takesStreamsOneByOne: Bool { carrier != nil || spec.bidirectional != nil }

  /// The same pipeline for each region, where the spec wants regions: each prediction at once.
  ///
  /// - Throws: `IncompatibleParts` where a part of it needs whole frames, or later ones.
  public func regional() throws(IncompatibleParts) -> any PredictionPipeline<Prediction> {
    try regional(with: pipeline.scheduler)
  }

  /// The same with other key frames.
  public func regional(
    with scheduler: any KeyframeScheduler
  ) throws(IncompatibleParts) -> any PredictionPipeline<Prediction> {
    guard spec.bidirectional == nil else {
      throw IncompatibleParts(
        "bidirectional propagation is for recordings: frames wait for the next key frame")
    }
    let pipeline = pipeline.with(scheduler: scheduler)
    if let carrier { return Self.carrying(carrier, pipeline) }
    guard let regions = spec.regions else { return pipeline }
    return try RegionPipeline(
      pipeline, rows: regions.rows, columns: regions.columns, overlap: regions.overlap)
  }
}

extension ResolvedPipeline {
  private static func carrying(
    _ carrier: some PredictionPropagator<Prediction>, _ pipeline: KeyframePipeline<Prediction>
  ) -> any PredictionPipeline<Prediction> { CarryingPipeline(pipeline, propagating: carrier) }
}

extension PipelineSpec {
  /// The pipeline of these parts around a backbone that is loaded.
  ///
  /// Every part is made once. `configure` may add to the context what the last part, the scheduler,
  /// is made of; it is given the pipeline without it. `usual` propagates where the spec names
  /// nothing.
  ///
  /// - Throws: `SpecificationError` for a part that is wrong or does not go with the others.
  public func resolve<Prediction>(
    around backbone: some Backbone, head: some Head<Prediction>, path: String? = nil,
    in registries: Registries = .standard, threads: Int = 1,
    usual: PartSpec = PipelineSpec.usualPropagator,
    configure: (inout BuildContext, KeyframePipeline<Prediction>) throws -> Void = { _, _ in }
  ) throws -> ResolvedPipeline<Prediction> {
    var spec = try canonical(in: registries)
    var context = registries.context(threads: threads)
    context[BackboneInUse.self] = BackboneInUse(backbone, path: path)
    context[FlowInUse.self] = spec.flow.map { FlowInUse($0) }
    let propagator = try registries.grammar.canonical(
      spec.propagator ?? usual, as: registries.propagators.role)
    spec.propagator = propagator
    let strategy = try registries.propagators.build(propagator, in: context)
    let carrier = try spec.carrier(of: strategy, for: Prediction.self, registries)
    try spec.checkObjects(arePropagated: carrier != nil, registries)
    spec.flow = try spec.flow ?? strategy.flow(in: registries)
    let flow = try registries.flows.build(try spec.required(\.flow), in: context)
    context[FlowInUse.self] = spec.flow.map { FlowInUse($0, findsMotion: flow.findsMotion) }
    let fusion = try spec.fusion.map { try registries.fusions.build($0, in: context) }
    guard fusion == nil || strategy.fusion == nil else {
      throw SpecificationError(
        .incompatible, "the propagator was trained with a fusion of its own; leave out --fusion")
    }
    spec.tap = try spec.tap(of: strategy, behind: backbone, registries)
    try spec.checkReach(of: strategy.propagator, registries)
    try spec.checkBothSides(registries)
    try spec.checkStagesAfterTap(
      of: backbone, isFused: (fusion ?? strategy.fusion) != nil, registries)
    let pipeline = try KeyframePipeline(
      backbone: backbone, head: head, scheduler: .every(1), propagator: strategy.propagator,
      fusion: fusion ?? strategy.fusion, decoder: strategy.decoder, flow: flow,
      smoothing: spec.smoothing.map { .init(weight: $0.weight, tolerance: $0.tolerance) },
      taps: spec.taps)
    context[TapsInUse.self] = TapsInUse(pipeline.taps, idle: pipeline.idleTaps)
    if let idle = pipeline.idleTaps.first {
      context.note(
        warning: "tapping '\(idle)' has no effect: no stage reads what is propagated of it")
    }
    try configure(&context, pipeline)
    let scheduler = try registries.schedulers.build(spec.scheduler, in: context)
    return ResolvedPipeline(
      spec: spec, pipeline: pipeline.with(scheduler: scheduler), carrier: carrier,
      files: context.files,
      warnings: context.warnings, chosen: context.chosen)
  }

  /// What propagates predictions, where a part does.
  private func carrier<Prediction>(
    of strategy: PropagationStrategy, for _: Prediction.Type, _ registries: Registries
  ) throws -> (any PredictionPropagator<Prediction>)? {
    guard let carrier = strategy.carrier else { return nil }
    guard let propagator = carrier.propagator(of: Prediction.self) else {
      throw SpecificationError(
        .incompatible, "\(text(registries)) propagates predictions of another kind than these")
    }
    guard regions == nil, fusion == nil, smoothing == nil else {
      throw SpecificationError(
        .incompatible,
        "\(text(registries)) propagates predictions: leave out regions, fusion and smoothing")
    }
    return propagator
  }

  /// The propagator's short text.
  private func text(_ registries: Registries) -> String {
    propagator.map { registries.grammar.text(of: $0, as: registries.propagators.role) } ?? ""
  }

  private func required<Value>(_ path: KeyPath<PipelineSpec, Value?>) throws -> Value {
    guard let value = self[keyPath: path] else {
      throw SpecificationError(.badDescription, "the pipeline has no flow")
    }
    return value
  }

  /// The tap that is named, or the one that a part was trained for.
  private func tap(
    of strategy: PropagationStrategy, behind backbone: some Backbone, _ registries: Registries
  ) throws -> String? {
    // What was trained without a tap was trained at the last stage.
    let wanted = strategy.tap ?? strategy.trainedFlow.flatMap { _ in backbone.stages.last?.name }
    if let tap, let wanted, tap != wanted {
      throw SpecificationError(
        .incompatible, "\(text(registries)) propagates the output of '\(wanted)', not of '\(tap)'")
    }
    return tap ?? strategy.tap
  }

  /// From both sides, key frames are waited for and features are propagated.
  private func checkBothSides(_ registries: Registries) throws {
    let (grammar, role) = (registries.grammar, registries.schedulers.role)
    guard bidirectional != nil,
      grammar.requirements(of: scheduler, as: role).contains(.directPropagation)
    else { return }
    throw SpecificationError(
      .incompatible,
      "bidirectional propagation waits for key frames and propagates features: not with "
        + "\(grammar.text(of: scheduler, as: role)), key frames in the background or a clock for "
        + "shallow stages")
  }

  /// What is propagated from frame to frame can leave out none of them.
  private func checkReach(of propagator: any Propagator, _ registries: Registries) throws {
    let (grammar, role) = (registries.grammar, registries.schedulers.role)
    guard !propagator.readsKeyframeDirectly,
      grammar.requirements(of: scheduler, as: role).contains(.directPropagation)
    else { return }
    let text = text(registries)
    throw SpecificationError(
      .incompatible,
      "\(grammar.text(of: scheduler, as: role)) needs a propagator that reads key frames itself; "
        + "\(text) propagates from frame to frame")
  }

  private func checkObjects(arePropagated: Bool, _ registries: Registries) throws {
    let (grammar, role) = (registries.grammar, registries.schedulers.role)
    guard !arePropagated,
      grammar.requirements(of: scheduler, as: role).contains(.propagatedObjects)
    else { return }
    throw SpecificationError(
      .incompatible,
      "\(grammar.text(of: scheduler, as: role)) looks at boxes that are propagated, as "
        + "--propagator boxes does behind a network that finds boxes; \(text(registries)) "
        + "propagates none")
  }

  private func checkStagesAfterTap(
    of backbone: some Backbone, isFused: Bool, _ registries: Registries
  ) throws {
    let (grammar, role) = (registries.grammar, registries.schedulers.role)
    guard grammar.requirements(of: scheduler, as: role).contains(.stagesAfterTap) else { return }
    let last = backbone.stages.count - 1
    let isLast = try taps.map { try backbone.index(ofStage: $0) == last }.last ?? true
    guard isLast && !isFused else { return }
    throw SpecificationError(
      .incompatible,
      "a clock for the stages after the tap (\(grammar.text(of: scheduler, as: role))) needs "
        + "stages there: tap one before the last, such as "
        + "\(backbone.stages.dropLast().last?.name ?? "none here"), or take a fusion")
  }
}

extension PropagationStrategy {
  /// The flow that it was trained along, where it follows any; else the usual one.
  fileprivate func flow(in registries: Registries) throws -> PartSpec {
    let text = propagator.usesFlow || fusion != nil || decoder != nil ? trainedFlow : nil
    return try registries.grammar.parse(text ?? "dis:medium", as: registries.flows.role)
  }
}
