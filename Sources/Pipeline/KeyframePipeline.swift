// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Flow
internal import Frames
public import Propagation
public import Scheduler
public import Tensors
public import Video

/// Runs a backbone on key frames, and propagates their feature maps to all other frames.
///
/// Composition and nothing else: what a part does is the part's business, what a stream remembers
/// is in its `StreamState`. One pipeline serves any number of streams.
public struct KeyframePipeline<Prediction: Sendable>: PredictionPipeline {
  /// What is predicted of the maps.
  public let head: any Head<Prediction>
  /// What decides which frames are key frames.
  public private(set) var scheduler: any KeyframeScheduler
  private(set) var parts: PipelineParts

  /// A pipeline of these parts.
  ///
  /// `taps` are the stages whose maps are cached and propagated; `tap` is one more. Where neither
  /// is named, they are those that the head reads: the last one, or its `inputs`, after which
  /// nothing runs on non-key frames. Where later stages read those before the last tap too, these
  /// run on every frame, so that low-level features are always the frame's own; those that are
  /// tapped are propagated in its place. A key frame that is
  /// computed in the background is taken up as it is, without `smoothing`. On non-key frames a
  /// `decoder`, a network of the same stages, runs in the place of the backbone's own stages after
  /// the last tap.
  ///
  /// - Throws: `BackboneError` where the backbone has no such stage, the decoder has other ones or
  ///   would never run, or scores are to be smoothed and there are none.
  public init(
    backbone: some Backbone, head: some Head<Prediction>, scheduler: some KeyframeScheduler,
    propagator: some Propagator, fusion: (any Fusion)? = nil, decoder: (any Backbone)? = nil,
    flow: some FlowEstimator,
    smoothing: PhotometricSmoothing? = nil, tap: String? = nil, taps: [String] = []
  ) throws(BackboneError) {
    guard smoothing == nil || head.dense != nil else {
      throw BackboneError(.incompatible, "temporal smoothing needs a head that gives scores")
    }
    guard decoder == nil || decoder?.stages == backbone.stages else {
      throw BackboneError(.incompatible, "the decoder of non-key frames has other stages")
    }
    (self.head, self.scheduler) = (head, scheduler)
    let last = backbone.stages.count
    let inputs = try backbone.counts(of: head.inputs, or: [last])
    let tapped = try backbone.counts(of: taps + [tap].compactMap(\.self), or: inputs)
    let (deepest, isRead) = (tapped[tapped.count - 1], Set(tapped).isSuperset(of: inputs))
    let hasRest = inputs.contains { $0 > deepest }
    guard decoder == nil || hasRest else {
      throw BackboneError(
        .incompatible,
        "no stage runs after '\(backbone.stages[deepest - 1].name)': a decoder of non-key frames "
          + "has nothing to do")
    }
    parts = PipelineParts(
      backbone: backbone, scorer: head.dense.map { $0 as any DenseHead }, propagator: propagator,
      fusion: fusion, decoder: decoder, smoothing: smoothing, flow: flow,
      taps: tapped.map { backbone.stages[$0 - 1].name },
      inputs: inputs.map { backbone.stages[$0 - 1].name }, depth: deepest,
      hasShallowPart: !isRead || fusion != nil, hasRest: hasRest)
  }

  /// The same pipeline with other key frames.
  public func with(scheduler: some KeyframeScheduler) -> KeyframePipeline {
    var other = self
    other.scheduler = scheduler
    return other
  }

  /// The same pipeline along other optical flow, of the same reach.
  package func with(flow: some FlowEstimator) -> KeyframePipeline {
    var other = self
    other.parts.flow = flow
    return other
  }

  /// What a stream knows before its first frame.
  public func start() -> StreamState {
    StreamState(scheduler: scheduler, propagator: parts.propagator)
  }

  /// The prediction for the next frame of a stream.
  ///
  /// - Throws: `PipelineError` with the stage and the frame; the state is then as it was before.
  public func predict(
    _ frame: Frame, in state: inout StreamState
  ) throws(PipelineError) -> FramePrediction<Prediction> {
    try predict(frame, before: nil, in: &state)
  }

  /// The same, while optical flow of the frame that comes `next` is estimated on another thread,
  /// where it can be told what will be asked of it; what is predicted is the same.
  public func predict(
    _ frame: Frame, before next: Frame?, in state: inout StreamState
  ) throws(PipelineError) -> FramePrediction<Prediction> {
    let step = try begin(frame, in: state)
    let ahead = next.flatMap { step.flowAhead(of: $0) }
    let result = try predict(step, in: &state)
    state.ahead = ahead
    return result
  }

  /// Carries a step out, with what the backbone makes of a key frame where that is known already;
  /// one that has `waited` for others takes as long as its stages.
  func predict(
    _ step: Step, with made: KeyframeFeatures? = nil, waited: Bool = false,
    in state: inout StreamState
  ) throws(PipelineError) -> FramePrediction<Prediction> {
    guard let dense = head.dense else {
      let (prediction, trace) = try carry(
        step, with: made, waited: waited, in: &state, giving: Product(of: head))
      return FramePrediction(prediction: prediction, size: step.size, trace: trace)
    }
    let (labels, trace) = try carry(
      step, with: made, waited: waited, in: &state, giving: .labels(of: dense))
    do {
      return FramePrediction(
        prediction: try dense.prediction(of: labels), size: step.size, trace: trace)
    } catch {
      throw PipelineError(stage: .head, frame: step.clock.frame, underlying: error)
    }
  }

  /// The scores of the next frame of a stream, 1 × classes × height × width at the working size.
  ///
  /// What `predict` takes the best class of; slower, since the scores have to be made.
  ///
  /// - Throws: `PipelineError` with the stage and the frame; the state is then as it was before.
  ///   Where the head gives no scores, it is `IncompatibleParts` in the head.
  public func score(_ frame: Frame, in state: inout StreamState) throws(PipelineError)
    -> ScoredFrame
  {
    guard let scorer = parts.scorer else {
      throw PipelineError(
        stage: .head, frame: frame.index,
        underlying: IncompatibleParts("the head gives no scores"))
    }
    let (scores, trace) = try carry(
      begin(frame, in: state), in: &state, giving: .scores(of: scorer))
    return ScoredFrame(scores: scores, trace: trace)
  }
}

// What it is made of.
extension KeyframePipeline {
  /// What computes feature maps.
  public var backbone: any Backbone { parts.backbone }
  /// What brings maps from key frames to other frames.
  public var propagator: any Propagator { parts.propagator }
  /// What joins propagated maps with what is seen of a non-key frame; nil for nothing.
  public var fusion: (any Fusion)? { parts.fusion }
  /// What runs after the last tap on non-key frames; nil for the backbone's own stages.
  public var decoder: (any Backbone)? { parts.decoder }
  /// What scores keep of earlier ones on frames where they are made, not propagated; nil for
  /// nothing.
  public var smoothing: PhotometricSmoothing? { parts.smoothing }
  /// What estimates optical flow.
  public var flow: any FlowEstimator { parts.flow }
  /// The stages whose maps are cached and propagated.
  public var taps: [String] { parts.taps }
  /// Those of which nothing reads what is propagated: tapping them has no effect.
  public var idleTaps: [String] { parts.idleTaps }
}

// The way of a frame.
extension KeyframePipeline {
  private func carry<Result>(
    _ step: Step, with made: KeyframeFeatures? = nil, waited: Bool = false,
    in state: inout StreamState, giving product: Product<Result>
  ) throws(PipelineError) -> (Result, FrameTrace) {
    let done = try finish(step, with: made, giving: product)
    let trace = step.clock.trace(
      of: step.frame.view.source, step.decision,
      framesSinceKeyframe: done.state.framesSinceKeyframe, apart: !waited)
    state = done.state
    state.ahead = nil
    state.times.add(trace)
    return (done.result, trace)
  }

  /// Decides the role of the next frame of a stream.
  ///
  /// `objects` are what a scheduler may ask for where predictions are propagated.
  func begin(
    _ frame: Frame, in before: StreamState, objects: (any PropagatedObjects)? = nil
  ) throws(PipelineError) -> Step {
    let clock = StageClock(frame: frame.index)
    let frame = frame.breaking(after: before.previous?.view.source)
    let view = try clock.during(.resize) {
      try before.ahead?.view(of: frame) ?? parts.view(of: frame)
    }
    return try clock.counting { () throws(PipelineError) in
      var state = before
      if state.keyframe != nil, frame.followsBreak { state = restarted(after: before) }
      if state.coming != nil {
        try clock.during(.wait) { try state.takeUpKeyframeThatIsDue(at: view) }
      }
      let isFirst = state.keyframe == nil
      if !isFirst {
        state.framesSinceKeyframe += 1
        state.scored?.age += 1
        state.refreshed?.age += 1
      }
      let frame = StreamFrame(view, of: state, in: parts, clock: clock, objects: objects)
      let context = frame.context()
      // A codec's vectors reach back one frame only: its chain must see key frames too.
      if parts.flow.reach == .previousFrame { try frame.extendChain() }
      let decision = try isFirst ? Decision(first: view.source) : decide(context, &state, clock)
      if decision.role == .propagated || decision.refresh != .immediate {
        try frame.extendChain()
      }
      state.chain = frame.chain
      return Step(frame: frame, context: context, decision: decision, state: state)
    }
  }

  /// What the scheduler says; while a key frame is computed in the background, it is not asked.
  private func decide(
    _ context: FrameContext, _ state: inout StreamState, _ clock: StageClock
  ) throws(PipelineError) -> Decision {
    if state.coming != nil { return Decision(.propagated, because: .keyUnderWay) }
    return try clock.during(.schedule) { try state.scheduler.decision(at: context) }
  }

  /// Carries a decision out, with what the backbone makes of a key frame where that is known
  /// already.
  func finish<Result>(
    _ step: Step, with made: KeyframeFeatures? = nil, giving product: Product<Result>
  ) throws(PipelineError) -> (result: Result, state: StreamState) {
    try step.clock.counting { () throws(PipelineError) in
      var state = step.state
      let result =
        try step.waitsForBackbone
        ? keyframe(step, with: made, in: &state, giving: product)
        : propagate(to: step, in: &state, giving: product)
      state.previous = .init(view: step.frame.view, kept: step.frame.kept)
      return (result, state)
    }
  }

  /// Runs the backbone on a frame, from which those after it are propagated to.
  private func keyframe<Result>(
    _ step: Step, with known: KeyframeFeatures?, in state: inout StreamState,
    giving product: Product<Result>
  ) throws(PipelineError) -> Result {
    let (frame, context, clock) = (step.frame, step.context, step.clock)
    let asked = frame.ownKeyframeFeatures
    var made: KeyframeFeatures
    if let known {
      made = known
    } else {
      made = try clock.during(.backbone) { try step.features(like: state.keyframe?.taps) }
    }
    frame.know(made)
    let maps = try frame.headMaps(of: made.taps, skips: made.skips, in: context)
    try clock.during(.head) { try maps.checkNumbers() }
    let output = try frame.smoothed(maps, in: context)
    // What is propagated from a key frame that is tapped where the head reads is what it ends with.
    for stage in parts.taps { made.taps[stage] = output[stage] ?? made.taps[stage] }
    let result = try clock.during(.head) {
      try product.make(output, frame.view.working.pixels.size)
    }
    let taken = try clock.during(.prepare) { try step.product(of: made) }
    state.become(taken.keyframe, in: taken.propagator)
    state.keyframeFeatures = asked
    if parts.hasShallowPart || parts.smoothing != nil {
      state.scored = .init(view: frame.view, output: output)
    }
    if parts.flow.reach != .anyFrame {
      try clock.during(.flow) { try state.beginChain(at: frame.view, of: parts.flow) }
    }
    return result
  }

  /// Propagates to a frame; where it is a key frame of its own, the backbone begins to run on it in
  /// the background.
  private func propagate<Result>(
    to step: Step, in state: inout StreamState, giving product: Product<Result>
  ) throws(PipelineError) -> Result {
    let (frame, clock) = (step.frame, step.clock)
    let result = try frame.result(of: product, as: step.decision, in: step.context)
    state.propagator = frame.propagator
    state.refreshed = frame.refreshed
    state.flowsAsked = frame.flowsAsked
    state.keyframeFeatures = frame.keyframeFeatures
    if let output = frame.output, parts.hasShallowPart {
      state.scored = .init(view: frame.view, output: output)
      try clock.during(.flow) { try state.chain?.set(.scored, to: frame.view.source) }
    }
    if frame.refreshed?.age == 0 {
      try clock.during(.flow) { try state.chain?.set(.refreshed, to: frame.view.source) }
    }
    if step.decision.role == .key, case .background(let frames) = step.decision.refresh {
      try clock.during(.schedule) {
        state.coming = try step.inBackground(from: state, readyAfter: frames)
      }
    }
    return result
  }

  private func restarted(after before: StreamState) -> StreamState {
    var state = start()
    state.times.parts = before.times.parts
    return state
  }
}

extension Decision {
  /// The first frame of a stream is a key frame without a scheduler being asked.
  fileprivate init(first frame: Frame) {
    self.init(.key, because: frame.streamBreak.map(Reason.streamBroke) ?? .firstFrame)
  }
}

extension Backbone {
  /// How many stages lead to each of these, in order; `others` where none is named.
  fileprivate func counts(
    of names: [String], or others: [Int]
  ) throws(BackboneError) -> [Int] {
    if names.isEmpty { return others }
    let counts = try names.map { (name) throws(BackboneError) in try index(ofStage: name) + 1 }
    return Set(counts).sorted()
  }
}

/// A frame with its scores, and how they came about.
public struct ScoredFrame: Sendable {
  /// 1 × classes × height × width, at the pipeline's working size.
  public let scores: Tensor
  /// The frame's role, and what its stages took.
  public let trace: FrameTrace
}
