// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Flow
internal import Frames
public import Propagation
internal import Scheduler
internal import Tensors
public import Video

/// Runs a backbone on key frames, and propagates their feature maps to the frames between two of
/// them from both sides.
///
/// For what was recorded: every frame waits for the next key frame, and its prediction comes as
/// late as that. Maps that come from the key frame before it and from the one after it, each
/// through the fusion where there is one, are joined by a ``BidirectionalBlend``. Frames after the
/// last key frame, before a break of the stream, or longer than `longest` without a key frame are
/// propagated to from the one side there is.
public struct BidirectionalPipeline<Prediction: Sendable>: StreamPipeline {
  /// What runs on key frames, and propagates to one side.
  public let pipeline: KeyframePipeline<Prediction>
  /// What joins both sides.
  public let blend: BidirectionalBlend
  /// How many frames wait for a key frame, at most.
  public let longest: Int

  /// What a stream remembers: a value, so that copying it forks the stream.
  public struct State: Sendable {
    var stream: StreamState
    var waiting: [WaitingFrame] = []
  }

  /// A pipeline of the key frames of `pipeline`.
  ///
  /// - Precondition: `longest` is positive.
  /// - Throws: `IncompatibleParts` where a part of it cannot see a later frame: the codec's motion,
  ///   temporal smoothing.
  public init(
    _ pipeline: KeyframePipeline<Prediction>, joining blend: BidirectionalBlend = .init(),
    longest: Int = 60
  ) throws(IncompatibleParts) {
    precondition(longest > 0, "at most \(longest) frames wait")
    guard !pipeline.flow.needsMotionVectors else {
      throw IncompatibleParts(
        "bidirectional propagation needs motion between pictures, not the codec's, whose vectors "
          + "lead back only")
    }
    guard pipeline.smoothing == nil else {
      throw IncompatibleParts(
        "bidirectional propagation takes frames out of order: leave out temporal smoothing")
    }
    (self.pipeline, self.blend, self.longest) = (pipeline, blend, longest)
  }

  /// What a stream knows before its first frame.
  public func start() -> State { State(stream: pipeline.start()) }

  /// Takes the next frame; at a key frame, those that waited for it and itself are predicted.
  ///
  /// - Throws: `PipelineError` with the stage and the frame; the state is then as it was before.
  public func add(
    _ frame: Frame, before _: Frame?, to state: inout State
  ) throws(PipelineError) -> [FramePrediction<Prediction>] {
    var after = state
    let ready = try take(frame, in: &after)
    state = after
    return ready
  }

  /// What waits for a key frame that does not come, from the side there is.
  public func finish(
    _ state: inout State
  ) throws(PipelineError) -> [FramePrediction<Prediction>] {
    let ready = try completed(state.waiting, in: state.stream)
    state.waiting = []
    return ready
  }

  private func take(
    _ frame: Frame, in state: inout State
  ) throws(PipelineError) -> [FramePrediction<Prediction>] {
    let step = try pipeline.begin(frame, in: state.stream)
    guard step.waitsForBackbone else {
      state.waiting.append(try held(step))
      state.stream = step.passed
      guard state.waiting.count == longest else { return [] }
      return try finish(&state)
    }
    let waiting = state.waiting
    state.waiting = []
    let key = try pipeline.predict(step, in: &state.stream)
    let ready =
      key.trace.followsBreak
      ? try completed(waiting, in: state.stream) : try joined(waiting, before: state.stream)
    for prediction in ready { state.stream.times.add(prediction.trace) }
    return ready + [key]
  }
}

/// A frame that waits for the next key frame, with what came from the one before it.
struct WaitingFrame: Sendable {
  let view: FrameView
  let decision: Decision
  let framesSinceKeyframe: Int
  let stages: StageCache
  /// What parts have made of the frame.
  let made: [String: Tensor]
  let side: PropagatedSide
  let spent: StageClock.Spent
}

/// What comes to a frame from one key frame.
struct PropagatedSide: Sendable {
  let maps: FeatureMaps
  let likeness: Tensor
}

extension BidirectionalPipeline {
  /// Propagates to a frame from the key frame before it.
  private func held(_ step: Step) throws(PipelineError) -> WaitingFrame {
    let decision = step.decision
    guard decision.role == .propagated, decision.propagated == .features, decision.refreshed == nil
    else {
      throw PipelineError(
        stage: .schedule, frame: step.clock.frame,
        underlying: IncompatibleParts(
          "bidirectional propagation waits for key frames and propagates features: no key frames "
            + "in the background, and no clock of their own for shallow stages"))
    }
    let side = try step.clock.counting { () throws(PipelineError) in
      try propagated(to: step.frame, in: step.context)
    }
    return WaitingFrame(
      view: step.frame.view, decision: step.decision,
      framesSinceKeyframe: step.state.framesSinceKeyframe, stages: step.frame.stages,
      made: step.context.made, side: side, spent: step.clock.spent)
  }

  private func propagated(
    to frame: StreamFrame, in context: FrameContext
  ) throws(PipelineError) -> PropagatedSide {
    var maps = try frame.propagatedMaps(in: context)
    if let fusion = pipeline.fusion {
      maps = try frame.clock.during(.fuse) { try fusion(maps, in: context) }
    }
    let likeness = try frame.clock.during(.fuse) { try blend.likeness(in: context) }
    return PropagatedSide(maps: maps, likeness: likeness)
  }

  /// Predictions for frames to which nothing comes from a later key frame.
  private func completed(
    _ waiting: [WaitingFrame], in stream: StreamState
  ) throws(PipelineError) -> [FramePrediction<Prediction>] {
    var ready: [FramePrediction<Prediction>] = []
    for frame in waiting {
      let here = StreamFrame(frame, of: stream, in: pipeline.parts)
      ready.append(
        try here.clock.counting { () throws(PipelineError) in
          try predicted(of: frame.side.maps, at: here, in: here.context(), for: frame)
        })
    }
    return ready
  }

  /// Predictions for the frames before a key frame, to which that is propagated too, from the last
  /// of them to the first.
  private func joined(
    _ waiting: [WaitingFrame], before stream: StreamState
  ) throws(PipelineError) -> [FramePrediction<Prediction>] {
    var (back, ready) = (stream, [FramePrediction<Prediction>]())
    for frame in waiting.reversed() {
      back.framesSinceKeyframe += 1
      let here = StreamFrame(frame, of: back, in: pipeline.parts)
      let prediction = try here.clock.counting { () throws(PipelineError) in
        try joined(frame, at: here, after: back.framesSinceKeyframe)
      }
      ready.append(prediction)
      (back.chain, back.propagator) = (here.chain, here.propagator)
      back.keyframeFeatures = here.keyframeFeatures
      back.previous = .init(view: frame.view, kept: here.kept)
    }
    return ready.reversed()
  }

  /// The prediction for a frame, to which the later key frame, `distance` frames on, is propagated.
  private func joined(
    _ frame: WaitingFrame, at here: StreamFrame, after distance: Int
  ) throws(PipelineError) -> FramePrediction<Prediction> {
    let context = here.context()
    context.know(frame.made)
    try here.extendChain()
    let side = try propagated(to: here, in: context)
    let maps = try here.clock.during(.fuse) {
      try blend(
        frame.side.maps, side.maps, likeness: (frame.side.likeness, side.likeness),
        distance: (frame.framesSinceKeyframe, distance))
    }
    return try predicted(of: maps, at: here, in: context, for: frame)
  }

  private func predicted(
    of maps: FeatureMaps, at here: StreamFrame, in context: FrameContext, for frame: WaitingFrame
  ) throws(PipelineError) -> FramePrediction<Prediction> {
    let size = frame.view.working.pixels.size
    let output = try here.output(of: maps, in: context)
    let prediction = try here.clock.during(.head) { try pipeline.predict(output, size: size) }
    return FramePrediction(
      prediction: prediction, size: size,
      trace: here.clock.trace(
        of: frame.view.source, frame.decision, framesSinceKeyframe: frame.framesSinceKeyframe,
        apart: false))
  }
}

extension StreamFrame {
  /// A frame that has waited, with what is known of it, in a stream that leads to it.
  fileprivate convenience init(
    _ frame: WaitingFrame, of state: StreamState, in parts: PipelineParts
  ) {
    let clock = StageClock(frame: frame.view.source.index, after: frame.spent)
    self.init(frame.view, of: state, in: parts, clock: clock)
    stages = frame.stages
  }
}

extension Step {
  /// The stream after a frame that is propagated to and waits.
  fileprivate var passed: StreamState {
    var state = state
    state.previous = .init(view: frame.view, kept: frame.kept)
    (state.propagator, state.flowsAsked) = (frame.propagator, frame.flowsAsked)
    (state.keyframeFeatures, state.ahead) = (frame.keyframeFeatures, nil)
    return state
  }
}

extension KeyframePipeline {
  /// What the head makes of maps.
  fileprivate func predict(_ maps: FeatureMaps, size: PixelSize) throws -> Prediction {
    guard let dense = head.dense else { return try head(maps, size: size) }
    return try dense.prediction(of: dense.labels(of: maps, size: size))
  }
}
