// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Flow
public import Propagation
public import Scheduler
internal import Tensors
public import Video

/// Runs a backbone on key frames, and borrows from them on all others.
///
/// Composition and nothing else: what a part does is the part's business, what a stream remembers is
/// in its `StreamState`. One pipeline serves any number of streams.
public struct KeyframePipeline: Sendable {
  public let backbone: any Backbone
  public let head: any SegmentationHead
  public let scheduler: any KeyframeScheduler
  public let propagator: any Propagator
  public let flow: any FlowEstimator
  /// How many stages of the backbone make the cached tensor; the rest and the head run every frame.
  public let cachedStages: Int

  /// - Parameters:
  ///   - tap: the stage whose output is cached and carried; the last one if none is named, so that
  ///     what is carried are scores.
  /// - Throws: `BackboneError` where the backbone has no such stage.
  public init(
    backbone: some Backbone, head: some SegmentationHead, scheduler: some KeyframeScheduler,
    propagator: some Propagator, flow: some FlowEstimator, tap: String? = nil
  ) throws(BackboneError) {
    (self.backbone, self.head, self.scheduler) = (backbone, head, scheduler)
    (self.propagator, self.flow) = (propagator, flow)
    cachedStages = try tap.map { (name) throws(BackboneError) in
      try backbone.index(ofStage: name) + 1
    } ?? backbone.stages.count
  }

  /// What a stream knows before its first frame.
  public func start() -> StreamState { StreamState(scheduler: scheduler) }

  /// Labels the next frame of a stream.
  ///
  /// - Throws: `PipelineError` with the stage and the frame; the state is then as it was before.
  public func label(_ frame: Frame, in state: inout StreamState) throws(PipelineError)
    -> LabelledFrame
  {
    let clock = StageClock(frame: frame.index)
    var next = state
    let seen = try clock.during(.resize) { try view(of: frame) }
    if next.key != nil, frame.followsBreak { next = start() }
    let outcome = try outcome(for: seen, in: &next, clock: clock)
    next.previous = seen
    let framesSinceKey = next.framesSinceKey
    state = next
    return LabelledFrame(
      labels: outcome.labels,
      trace: clock.trace(of: frame, outcome.decision, framesSinceKey: framesSinceKey))
  }

  private typealias Outcome = (labels: Image, decision: Decision)

  private func outcome(
    for seen: FrameView, in state: inout StreamState, clock: StageClock
  ) throws(PipelineError) -> Outcome {
    guard let key = state.key else {
      let reason: Reason = seen.source.followsBreak ? .streamBroke : .firstFrame
      return try becomeKey(seen, because: reason, in: &state, clock: clock, from: [:])
    }
    state.framesSinceKey += 1
    let ask = Inquiry(pipeline: self, seen: seen, key: key, state: state, clock: clock)
    try ask.extendChain()
    var moment = ask.moment
    let decision = try clock.during(.schedule) { try state.scheduler.decision(at: &moment) }
    state.chain = ask.chain
    if decision.role == .key {
      return try becomeKey(
        seen, because: decision.reason, in: &state, clock: clock, from: moment.askedFeatures)
    }
    return (try propagate(key, at: &moment, in: &state, clock: clock), decision)
  }

  private func becomeKey(
    _ seen: FrameView, because reason: Reason, in state: inout StreamState,
    clock: StageClock, from known: [String: Tensor]
  ) throws(PipelineError) -> Outcome {
    let cached = try clock.during(.backbone) {
      try run(through: cachedStages, on: seen.working, from: known)
    }
    let labels = try clock.during(.head) { try self.labels(of: cached, size: seen.working) }
    let prepared = try clock.during(.prepare) { try propagator.prepare(cached) }
    try clock.during(.flow) { try state.become(key: seen, cached: prepared, flow: flow) }
    return (labels, Decision(.key, because: reason))
  }

  private func propagate(
    _ key: StreamState.Key, at moment: inout Moment, in state: inout StreamState,
    clock: StageClock
  ) throws(PipelineError) -> Image {
    let size = moment.frame
    let reference = propagator.reference
    let cached = reference == .key ? key.cached : state.carried ?? key.cached
    let fused = reference == .key && cachedStages == backbone.stages.count
    var asked = moment
    func motion() throws -> MotionField {
      try reference == .key ? asked.motionToKey() : asked.motionToPrevious()
    }
    if fused, cached.shape[2] == size.pixels.height, cached.shape[3] == size.pixels.width {
      return try clock.during(.propagate) {
        try Image(labels: propagator.labels(cached, along: motion))
      }
    }
    let carried = try clock.during(.propagate) { try propagator(cached, along: motion) }
    state.carried = carried
    return try clock.during(.head) { try labels(of: carried, size: size) }
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
  func run(through count: Int, on frame: Frame, from known: [String: Tensor]) throws -> Tensor {
    let furthest = backbone.stages[..<count].lastIndex { known[$0.name] != nil }
    if let furthest, let features = known[backbone.stages[furthest].name] {
      return try backbone.run(furthest + 1..<count, on: features)
    }
    return try backbone.run(0..<count, on: backbone.input(for: frame))
  }

  private func labels(of cached: Tensor, size frame: Frame) throws -> Image {
    let rest = cachedStages..<backbone.stages.count
    let features = rest.isEmpty ? cached : try backbone.run(rest, on: cached)
    return try Image(labels: head(features, size: frame.pixels.size).argmaxLabels())
  }
}

/// A frame with its labels, and how they came about.
public struct LabelledFrame: Sendable {
  /// One class id a pixel, at the pipeline's working size.
  public let labels: Image
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
