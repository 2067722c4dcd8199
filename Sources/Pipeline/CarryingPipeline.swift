// SPDX-License-Identifier: Apache-2.0

internal import Frames
public import Propagation
internal import Scheduler
public import Video

/// Runs a backbone and a head on key frames, and propagates what the head predicts, not feature
/// maps, to all other frames.
///
/// For heads whose predictions move as things do: boxes, points, masks. Frames are scheduled as in
/// the pipeline it is made of, whose own propagator is not used; predictions are in pixels of the
/// working size. Key frames are waited for: a scheduler that has them computed in the background is
/// refused at the first of them.
public struct CarryingPipeline<Prediction: Sendable>: PredictionPipeline {
  /// What predicts on key frames, and schedules them.
  public let pipeline: KeyframePipeline<Prediction>
  /// What propagates predictions; every stream begins with a copy of it.
  public let propagator: any PredictionPropagator<Prediction>

  /// What a stream remembers: a value, so that copying it forks the stream.
  public struct State: Sendable {
    var stream: StreamState
    var propagator: any PredictionPropagator<Prediction>
  }

  /// A pipeline of the key frames of `pipeline`, with `propagator` between them.
  public init(
    _ pipeline: KeyframePipeline<Prediction>,
    propagating propagator: some PredictionPropagator<Prediction>
  ) {
    (self.pipeline, self.propagator) = (pipeline, propagator)
  }

  /// What a stream knows before its first frame.
  public func start() -> State { State(stream: pipeline.start(), propagator: propagator) }

  /// The prediction for the next frame of a stream.
  ///
  /// - Throws: `PipelineError` with the stage and the frame; the state is then as it was before.
  public func predict(
    _ frame: Frame, in state: inout State
  ) throws(PipelineError) -> FramePrediction<Prediction> {
    try predict(frame, before: nil, in: &state)
  }

  /// The same, while optical flow of the frame that comes `next` is estimated on another thread,
  /// where it can be told what will be asked of it; what is predicted is the same.
  public func predict(
    _ frame: Frame, before next: Frame?, in state: inout State
  ) throws(PipelineError) -> FramePrediction<Prediction> {
    let objects = ObjectsAhead(state.propagator)
    let step = try pipeline.begin(frame, in: state.stream, objects: objects)
    let ahead = next.flatMap { step.flowAhead(of: $0) }
    let (isFirst, clock) = (step.state.keyframe == nil, step.clock)
    var propagator = isFirst ? self.propagator : state.propagator
    let prediction: Prediction
    var stream: StreamState
    if step.waitsForBackbone {
      let done = try pipeline.finish(step, giving: Product(of: pipeline.head))
      stream = done.state
      prediction = try clock.counting { () throws(PipelineError) in
        try clock.during(.propagate) {
          try propagator.keyframe(done.result, in: step.context, isFirst: isFirst)
        }
      }
    } else if let done = objects.done {
      stream = try pipeline.pass(step)
      (prediction, propagator) = (done, objects.propagator)
    } else {
      stream = try pipeline.pass(step)
      prediction = try clock.counting { () throws(PipelineError) in
        try clock.during(.propagate) { try propagator.propagate(to: step.context) }
      }
    }
    stream.flowsAsked = step.frame.flowsAsked
    let trace = clock.trace(
      of: step.frame.view.source, step.decision, framesSinceKeyframe: stream.framesSinceKeyframe)
    stream.ahead = ahead
    stream.times.add(trace)
    state = State(stream: stream, propagator: propagator)
    return FramePrediction(prediction: prediction, size: step.size, trace: trace)
  }
}

/// Predictions that are propagated to a frame when they are asked for.
protocol PropagatedObjects: AnyObject {
  func change(at context: FrameContext) throws -> ObjectChange?
}

/// What is propagated to a frame whose role is not known yet, once its scheduler asks.
private final class ObjectsAhead<Prediction: Sendable>: PropagatedObjects {
  private(set) var propagator: any PredictionPropagator<Prediction>
  private(set) var done: Prediction?

  init(_ propagator: any PredictionPropagator<Prediction>) { self.propagator = propagator }

  func change(at context: FrameContext) throws -> ObjectChange? {
    if done == nil {
      var next = propagator
      done = try next.propagate(to: context)
      propagator = next
    }
    return propagator.objectChange
  }
}

extension KeyframePipeline {
  /// The stream after a frame to which no maps are propagated.
  fileprivate func pass(_ step: Step) throws(PipelineError) -> StreamState {
    guard step.decision.role == .propagated else {
      throw PipelineError(
        stage: .schedule, frame: step.clock.frame,
        underlying: IncompatibleParts(
          "predictions are propagated from key frames that are waited for, not from ones that are "
            + "computed in the background"))
    }
    var state = step.state
    state.previous = .init(view: step.frame.view, kept: step.frame.kept)
    state.keyframeFeatures = step.frame.keyframeFeatures
    return state
  }
}
