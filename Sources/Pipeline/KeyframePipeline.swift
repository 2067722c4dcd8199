// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Flow
public import Propagation
public import Scheduler
public import Tensors
public import Video

/// Runs a backbone on key frames, and borrows from them on all others.
///
/// Composition and nothing else: what a part does is the part's business, what a stream remembers is
/// in its `StreamState`. One pipeline serves any number of streams.
public struct KeyframePipeline: Sendable {
  public let backbone: any Backbone
  public let head: any SegmentationHead
  public private(set) var scheduler: any KeyframeScheduler
  public let propagator: any Propagator
  /// What joins the carried tensor with what is seen of a propagated frame; nil for nothing.
  public let fusion: (any Fusion)?
  public let flow: any FlowEstimator
  /// How many stages of the backbone make the cached tensor; the rest and the head run every frame.
  public let cachedStages: Int

  /// A pipeline of these parts.
  ///
  /// `tap` names the stage whose output is cached and carried: the last one if none is named, so that
  /// what is carried are scores. Where later stages read those before the tap too, these run on every
  /// frame, so that low-level features are always the frame's own.
  ///
  /// - Throws: `BackboneError` where the backbone has no such stage.
  public init(
    backbone: some Backbone, head: some SegmentationHead, scheduler: some KeyframeScheduler,
    propagator: some Propagator, fusion: (any Fusion)? = nil, flow: some FlowEstimator,
    tap: String? = nil
  ) throws(BackboneError) {
    (self.backbone, self.head, self.scheduler) = (backbone, head, scheduler)
    (self.propagator, self.fusion, self.flow) = (propagator, fusion, flow)
    cachedStages =
      try tap.map { (name) throws(BackboneError) in
        try backbone.index(ofStage: name) + 1
      } ?? backbone.stages.count
  }

  /// The same pipeline with other key frames.
  public func with(scheduler: some KeyframeScheduler) -> KeyframePipeline {
    var other = self
    other.scheduler = scheduler
    return other
  }

  /// What a stream knows before its first frame.
  public func start() -> StreamState { StreamState(scheduler: scheduler) }

  /// Labels the next frame of a stream.
  ///
  /// - Throws: `PipelineError` with the stage and the frame; the state is then as it was before.
  public func label(_ frame: Frame, in state: inout StreamState) throws(PipelineError)
    -> LabelledFrame
  {
    let (labels, trace) = try step(frame, in: &state, giving: .labels)
    do {
      return LabelledFrame(labels: try Image(labels: labels), trace: trace)
    } catch { throw PipelineError(stage: .head, frame: frame.index, underlying: error) }
  }

  /// The scores of the next frame of a stream, 1 × classes × height × width at the working size.
  ///
  /// What `label` takes the best class of; slower, since the scores have to be made.
  ///
  /// - Throws: `PipelineError` with the stage and the frame; the state is then as it was before.
  public func score(_ frame: Frame, in state: inout StreamState) throws(PipelineError)
    -> ScoredFrame
  {
    let (scores, trace) = try step(frame, in: &state, giving: .scores)
    return ScoredFrame(scores: scores, trace: trace)
  }
}

/// A moment that those who ask share.
private final class Asked {
  var moment: Moment
  init(_ moment: Moment) { self.moment = moment }
}

/// What a step is to give for a frame.
private enum Product { case labels, scores }

extension KeyframePipeline {
  private func step(
    _ frame: Frame, in state: inout StreamState, giving product: Product
  ) throws(PipelineError) -> (Tensor, FrameTrace) {
    let clock = StageClock(frame: frame.index)
    var next = state
    let seen = try clock.during(.resize) { try view(of: frame) }
    if next.key != nil, frame.followsBreak { next = start() }
    let (result, decision) = try outcome(for: seen, in: &next, clock: clock, giving: product)
    next.previous = seen
    state = next
    return (result, clock.trace(of: frame, decision, framesSinceKey: next.framesSinceKey))
  }

  private func outcome(
    for seen: FrameView, in state: inout StreamState, clock: StageClock, giving product: Product
  ) throws(PipelineError) -> (Tensor, Decision) {
    guard let key = state.key else {
      let reason: Reason = seen.source.followsBreak ? .streamBroke : .firstFrame
      return (
        try becomeKey(seen, in: &state, clock: clock, from: [:], giving: product),
        Decision(.key, because: reason)
      )
    }
    state.framesSinceKey += 1
    let inquiry = Inquiry(pipeline: self, seen: seen, key: key, state: state, clock: clock)
    try inquiry.extendChain()
    state.chain = inquiry.chain
    var moment = inquiry.moment
    let decision = try clock.during(.schedule) { try state.scheduler.decision(at: &moment) }
    switch decision.role {
    case .key:
      let result = try becomeKey(
        seen, in: &state, clock: clock, from: inquiry.known, giving: product)
      state.keyFeatures = inquiry.ownKeyFeatures
      return (result, decision)
    case .propagated:
      let result = try propagate(
        key, at: moment, asking: inquiry, in: &state, clock: clock, giving: product)
      state.keyFeatures = inquiry.keyFeatures
      return (result, decision)
    }
  }

  private func becomeKey(
    _ seen: FrameView, in state: inout StreamState, clock: StageClock,
    from known: [String: Features], giving product: Product
  ) throws(PipelineError) -> Tensor {
    var known = known
    let features = try clock.during(.backbone) {
      for count in try keptCounts() where count < cachedStages {
        known[backbone.stages[count - 1].name] = try run(
          through: count, on: seen.working, from: known)
      }
      return try run(through: cachedStages, on: seen.working, from: known)
    }
    let result = try clock.during(.head) {
      try finish(features, size: seen.working.pixels.size, giving: product)
    }
    let prepared = try clock.during(.prepare) { try propagator.prepare(features.main) }
    state.become(key: seen, cached: prepared, skipCount: features.skips.count)
    state.kept = known.filter { keptStages.contains($0.key) }.mapValues(\.main)
    let last = backbone.stages[cachedStages - 1].name
    if keptStages.contains(last) { state.kept[last] = features.main }
    if flow.reach != .anyFrame {
      try clock.during(.flow) { try state.beginChain(at: seen, of: flow) }
    }
    return result
  }

  private func propagate(
    _ key: StreamState.Key, at moment: Moment, asking inquiry: Inquiry,
    in state: inout StreamState, clock: StageClock, giving product: Product
  ) throws(PipelineError) -> Tensor {
    let cached = propagator.reference == .key ? key.cached : state.carried ?? key.cached
    let asked = Asked(moment)
    let evidence = evidence(asked, from: state)
    let size = moment.frame.pixels.size
    if product == .labels, canFuse(cached, size: size) {
      return try clock.during(.propagate) { try propagator.labels(cached, given: evidence) }
    }
    let carried = try clock.during(.propagate) { try propagator(cached, given: evidence) }
    var seen = carried
    if let fusion {
      seen = try clock.during(.fuse) { try fusion(carried, given: evidence) }
    }
    state.carried = carried
    if propagator.reference == .previous {
      state.kept = asked.moment.askedFeatures.filter { keptStages.contains($0.key) }
    }
    let skips = try clock.during(.backbone) { try inquiry.skips(key.skipCount) }
    return try clock.during(.head) {
      try finish(Features(seen, skips: skips), size: size, giving: product)
    }
  }

  /// What the propagator may ask of the frame of a moment, and of the one it carries from.
  private func evidence(_ asked: Asked, from state: StreamState) -> Evidence {
    let (kept, reference) = (state.kept, propagator.reference)
    let before = reference == .key ? state.key?.view : state.previous ?? state.key?.view
    func referenceFrame() -> Frame { before?.working ?? asked.moment.key }
    return Evidence(
      field: {
        reference == .key
          ? try asked.moment.motionToKey() : try asked.moment.motionToPrevious()
      },
      picture: { side in
        let frame = side == .current ? asked.moment.frame : referenceFrame()
        return try frame.pixels.tensor().to(state.key?.cached.device ?? .cpu)
      },
      features: { stage, side in
        if side == .current { return try asked.moment.features(after: stage) }
        if let known = kept[stage] { return known }
        let count = try backbone.index(ofStage: stage) + 1
        return try run(through: count, on: referenceFrame(), from: [:]).main
      })
  }

  /// The stages whose features of the reference are remembered.
  private var keptStages: Set<String> {
    Set(propagator.keptStages + (fusion?.keptStages ?? []))
  }

  /// How many stages lead to each whose features are kept, in order.
  private func keptCounts() throws -> [Int] {
    try keptStages.map { try backbone.index(ofStage: $0) + 1 }.sorted()
  }

  /// Whether nothing comes after the carried tensor but the choice of the best class.
  private func canFuse(_ cached: Tensor, size: PixelSize) -> Bool {
    fusion == nil && propagator.reference == .key && cachedStages == backbone.stages.count
      && head.isIdentity(on: cached.shape, size: size)
  }
}

extension KeyframePipeline {
  /// The frame as it came, and at the size that the backbone was built for.
  private func view(of frame: Frame) throws -> FrameView {
    guard let size = backbone.inputSize, size != frame.pixels.size else {
      return FrameView(source: frame, working: frame)
    }
    let pixels = try frame.pixels.resized(width: size.width, height: size.height)
    return FrameView(source: frame, working: frame.with(pixels: pixels))
  }

  /// The output of the first `count` stages, going on from the furthest one known.
  func run(
    through count: Int, on frame: Frame, from known: [String: Features]
  ) throws -> Features {
    let furthest = backbone.stages[..<count].lastIndex { known[$0.name] != nil }
    if let furthest, let features = known[backbone.stages[furthest].name] {
      return try backbone.run(furthest + 1..<count, on: features)
    }
    return try backbone.run(0..<count, on: Features(backbone.input(for: frame)))
  }

  /// What comes after the cached stage.
  private func finish(
    _ cached: Features, size: PixelSize, giving product: Product
  ) throws -> Tensor {
    let rest = cachedStages..<backbone.stages.count
    let features = rest.isEmpty ? cached : try backbone.run(rest, on: cached)
    let scores = try head(features.main, size: size)
    return product == .scores ? scores : try scores.argmaxLabels()
  }
}

/// A frame with its labels, and how they came about.
public struct LabelledFrame: Sendable {
  /// One class id a pixel, at the pipeline's working size.
  public let labels: Image
  public let trace: FrameTrace
}

/// A frame with its scores, and how they came about.
public struct ScoredFrame: Sendable {
  /// 1 × classes × height × width, at the pipeline's working size.
  public let scores: Tensor
  public let trace: FrameTrace
}

/// A frame as it came, which the codec's vectors refer to, and at the size the networks see.
struct FrameView: Sendable {
  let source: Frame
  let working: Frame
}

extension Image {
  /// The label map that a tensor of 1 × height × width bytes holds.
  init(labels: Tensor) throws {
    let bytes = try labels.bytes()
    self.init(width: labels.shape[2], height: labels.shape[1], channels: 1, bytes: bytes)
  }
}
