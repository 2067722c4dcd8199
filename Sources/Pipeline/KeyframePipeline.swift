// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Flow
internal import Layers
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
  /// What scores keep of earlier ones on frames where they are made, not carried; nil for nothing.
  public let smoothing: PhotometricSmoothing?
  public let flow: any FlowEstimator
  /// How many stages of the backbone make the cached tensor; the rest and the head run every frame.
  public let cachedStages: Int

  /// A pipeline of these parts.
  ///
  /// `tap` names the stage whose output is cached and carried: the last one if none is named, so that
  /// what is carried are scores. Where later stages read those before the tap too, these run on every
  /// frame, so that low-level features are always the frame's own. A key that is computed in the background is taken
  /// up as it is, without `smoothing`.
  ///
  /// - Throws: `BackboneError` where the backbone has no such stage.
  public init(
    backbone: some Backbone, head: some SegmentationHead, scheduler: some KeyframeScheduler,
    propagator: some Propagator, fusion: (any Fusion)? = nil, flow: some FlowEstimator,
    smoothing: PhotometricSmoothing? = nil, tap: String? = nil
  ) throws(BackboneError) {
    (self.backbone, self.head, self.scheduler) = (backbone, head, scheduler)
    (self.propagator, self.fusion, self.smoothing, self.flow) = (propagator, fusion, smoothing, flow)
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

/// What a step is to give for a frame: labels, scores of the working size, or what the head would make them of.
enum Product { case labels, scores, output }

/// A frame of a stream whose role is decided, and nothing more.
struct Step {
  let seen: FrameView
  let decision: Decision
  let clock: StageClock
  /// The stream as it will be, this far.
  let state: StreamState
  /// What was asked of the frame; nil where a stream begins, of which nobody asks.
  let inquiry: Inquiry?

  /// Whether the frame is key, and waits for its own features.
  var waitsForBackbone: Bool { decision.role == .key && decision.refresh == .immediate }
}

extension KeyframePipeline {
  private func step(
    _ frame: Frame, in state: inout StreamState, giving product: Product
  ) throws(PipelineError) -> (Tensor, FrameTrace) {
    let step = try begin(frame, in: state)
    let done = try finish(step, giving: product)
    let trace = step.clock.trace(
      of: frame, step.decision, framesSinceKey: done.state.framesSinceKey)
    state = done.state
    state.times.add(trace)
    return (done.result, trace)
  }

  /// Decides the role of the next frame of a stream.
  func begin(_ frame: Frame, in state: StreamState) throws(PipelineError) -> Step {
    let clock = StageClock(frame: frame.index)
    var next = state
    let seen = try clock.during(.resize) { try view(of: frame) }
    if next.key != nil, frame.followsBreak {
      next = start()
      next.times.parts = state.times.parts
    }
    return try MACCounter.$current.withValue(clock.ledger) {
      Result { () throws(PipelineError) in try begin(seen, in: next, clock: clock) }
    }.get()
  }

  private func begin(
    _ seen: FrameView, in before: StreamState, clock: StageClock
  ) throws(PipelineError) -> Step {
    var state = before
    if state.coming != nil {
      try clock.during(.wait) { try state.takeUpKeyThatIsDue(at: seen) }
    }
    guard let key = state.key else {
      let reason: Reason = seen.source.followsBreak ? .streamBroke : .firstFrame
      return Step(
        seen: seen, decision: Decision(.key, because: reason), clock: clock, state: state,
        inquiry: nil)
    }
    state.framesSinceKey += 1
    state.scored?.age += 1
    let inquiry = Inquiry(pipeline: self, seen: seen, key: key, state: state, clock: clock)
    try inquiry.extendChain()
    state.chain = inquiry.chain
    let decision = try decide(asking: inquiry, in: &state, clock: clock)
    return Step(seen: seen, decision: decision, clock: clock, state: state, inquiry: inquiry)
  }

  /// Carries a decision out, with what the backbone makes of a key where that is known already.
  func finish(
    _ step: Step, with made: KeyFeatures? = nil, giving product: Product
  ) throws(PipelineError) -> (result: Tensor, state: StreamState) {
    var state = step.state
    let outcome = MACCounter.$current.withValue(step.clock.ledger) {
      Result { () throws(PipelineError) in
        try carryOut(step, with: made, in: &state, giving: product)
      }
    }
    let result = try outcome.get()
    state.previous = step.seen
    return (result, state)
  }

  private func carryOut(
    _ step: Step, with made: KeyFeatures?, in state: inout StreamState, giving product: Product
  ) throws(PipelineError) -> Tensor {
    let (seen, decision, clock) = (step.seen, step.decision, step.clock)
    guard let inquiry = step.inquiry else {
      return try becomeKey(step, with: made, in: &state, giving: product)
    }
    if step.waitsForBackbone {
      let result = try becomeKey(step, with: made, in: &state, giving: product)
      state.keyFeatures = inquiry.ownKeyFeatures
      return result
    }
    let result = try inquiry.propagated(giving: product, carrying: decision.carried)
    state.keyFeatures = inquiry.keyFeatures
    if let output = inquiry.output, hasShallowPart {
      state.scored = .init(view: seen, output: output)
      try clock.during(.flow) { try state.chain?.setMark(seen.source) }
    }
    if propagator.reference == .previous {
      state.carried = inquiry.carried
      state.kept = inquiry.known.filter { keptStages.contains($0.key) }.mapValues(\.main)
    }
    if decision.role == .key, case .background(let frames) = decision.refresh {
      try clock.during(.schedule) {
        try beginKey(seen, as: decision, in: &state, asked: inquiry, readyAfter: frames)
      }
    }
    return result
  }

  /// What the scheduler says; while a key is computed in the background, it is not asked.
  private func decide(
    asking inquiry: Inquiry, in state: inout StreamState, clock: StageClock
  ) throws(PipelineError) -> Decision {
    if state.coming != nil { return Decision(.propagated, because: .keyUnderWay) }
    var moment = inquiry.moment
    return try clock.during(.schedule) { try state.scheduler.decision(at: &moment) }
  }

  private func becomeKey(
    _ step: Step, with known: KeyFeatures?, in state: inout StreamState, giving product: Product
  ) throws(PipelineError) -> Tensor {
    let (seen, clock, inquiry) = (step.seen, step.clock, step.inquiry)
    var made: KeyFeatures
    if let known {
      made = known
    } else {
      made = try clock.during(.backbone) {
        try features(
          ofKey: seen, as: step.decision, from: inquiry?.known ?? [:], like: state.key?.cached)
      }
    }
    var output = try clock.during(.head) { try rest(of: made.tap) }
    output = try inquiry?.remembering(output) ?? output
    // What is carried from a key that is tapped at its scores are those it ends with.
    if cachedStages == backbone.stages.count { made.tap = Features(output) }
    let result = try clock.during(.head) {
      try finish(output, size: seen.working.pixels.size, giving: product)
    }
    state.become(try clock.during(.prepare) { try key(seen, made) }, kept: made.kept)
    if hasShallowPart || smoothing != nil { state.scored = .init(view: seen, output: output) }
    if flow.reach != .anyFrame {
      try clock.during(.flow) { try state.beginChain(at: seen, of: flow) }
    }
    return result
  }

  /// Lets the backbone run on another thread.
  private func beginKey(
    _ seen: FrameView, as decision: Decision, in state: inout StreamState,
    asked inquiry: Inquiry, readyAfter frames: Int
  ) throws {
    guard propagator.reference == .key else {
      throw PropagationError(
        "a key that is computed in the background comes too late for what is carried from frame to frame: "
          + "it takes a propagator that reads the key itself")
    }
    var chain = state.chain
    try chain?.setKey(seen.source)
    let (known, like) = (inquiry.known, state.key?.cached)
    let work = BackgroundKey { [self] in
      let made = try features(ofKey: seen, as: decision, from: known, like: like)
      return (try key(seen, made), made.kept)
    }
    state.coming = .init(
      work: work, dueAfter: frames, chain: chain, keyFeatures: inquiry.ownKeyFeatures)
  }

  private func key(_ seen: FrameView, _ made: KeyFeatures) throws -> StreamState.Key {
    StreamState.Key(
      view: seen, cached: try propagator.prepare(made.tap.main), skipCount: made.tap.skips.count)
  }

  /// Whether anything but the head comes after what is carried.
  var hasShallowPart: Bool { cachedStages < backbone.stages.count || fusion != nil }

  /// Whether nothing comes after the carried tensor but the choice of the best class.
  func canFuse(_ cached: Tensor, size: PixelSize) -> Bool {
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

  /// What the stages after the tap make of its features.
  func rest(of tap: Features) throws -> Tensor {
    let rest = cachedStages..<backbone.stages.count
    return rest.isEmpty ? tap.main : try backbone.run(rest, on: tap).main
  }

  /// What comes after the last stage.
  func finish(_ output: Tensor, size: PixelSize, giving product: Product) throws -> Tensor {
    switch product {
    case .labels: try head.labels(of: output, size: size)
    case .scores: try head(output, size: size)
    case .output: output
    }
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
