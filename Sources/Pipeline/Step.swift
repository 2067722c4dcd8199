// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Flow
internal import Frames
internal import Propagation
internal import Scheduler
internal import Tensors
internal import Video

/// A frame of a stream whose role is decided, and nothing more.
struct Step {
  let frame: StreamFrame
  let context: FrameContext
  let decision: Decision
  /// The stream as it will be, this far.
  let state: StreamState

  var clock: StageClock { frame.clock }

  /// The frame's size as the backbone sees it.
  var size: PixelSize { frame.view.working.pixels.size }

  /// Whether the frame is a key frame, and waits for its own features.
  var waitsForBackbone: Bool { decision.role == .key && decision.refresh == .immediate }
}

extension Step {
  /// What the backbone makes of the frame, on the grids of an earlier key frame's maps where it is
  /// seen smaller.
  func features(like full: FeatureMaps?) throws -> KeyframeFeatures {
    try frame.parts.features(
      ofKeyframe: frame.view, scaledBy: decision.scale, from: frame.stages, like: full)
  }

  /// The key frame, and the stream's propagator once it has taken it.
  func product(of made: KeyframeFeatures) throws -> BackgroundKeyframe.Product {
    try frame.product(of: made, in: context, by: state.propagator)
  }

  /// Lets the backbone run on another thread, and a copy of the propagator take what it gives.
  func inBackground(
    from state: StreamState, readyAfter frames: Int
  ) throws -> StreamState.Coming {
    guard state.propagator.readsKeyframeDirectly else {
      throw PropagationError(
        "a key frame that is computed in the background comes too late for what is propagated "
          + "from frame to frame: "
          + "it takes a propagator that reads the key frame itself")
    }
    var chain = state.chain
    try chain?.setKey(frame.view.source)
    let (parts, view, stages, scale) = (frame.parts, frame.view, frame.stages, decision.scale)
    let (full, propagator) = (state.keyframe?.taps, state.propagator)
    let alone = StreamState(scheduler: state.scheduler, propagator: propagator)
    let work = BackgroundKeyframe {
      let clock = StageClock(frame: view.source.index)
      let frame = StreamFrame(view, of: alone, in: parts, clock: clock)
      let made = try parts.features(
        ofKeyframe: view, scaledBy: scale, from: stages, like: full)
      do { try made.taps.checkNumbers() } catch {
        throw BackboneError(.badOutput, "of key frame \(view.source.index), \(error)")
      }
      frame.know(made)
      return try frame.product(of: made, in: frame.context(), by: propagator)
    }
    return .init(
      work: work, dueAfter: frames, chain: chain, keyframeFeatures: frame.ownKeyframeFeatures)
  }
}

extension StreamFrame {
  /// What was made of the frame as a key frame is known.
  func know(_ made: KeyframeFeatures) {
    for (stage, features) in made.known { stages.add(features, after: stage) }
  }

  /// The frame as a key frame, and a propagator once it has taken it.
  fileprivate func product(
    of made: KeyframeFeatures, in context: FrameContext, by propagator: any Propagator
  ) throws -> BackgroundKeyframe.Product {
    var propagator = propagator
    try propagator.keyframe(made.taps, in: context)
    return .init(
      keyframe: .init(view: view, taps: made.taps, skipCount: made.skips.count, kept: kept),
      propagator: propagator)
  }
}

/// What a step is to give for a frame.
struct Product<Result> {
  /// Makes it of the maps that the head reads, for a frame of that size.
  let make: (FeatureMaps, PixelSize) throws -> Result
  /// Makes it of labels that were found without maps; nil where maps are wanted.
  var fromLabels: ((Tensor) throws -> Result)?
}

extension Product where Result: Sendable {
  /// A head's prediction.
  init(of head: any Head<Result>) {
    self.init { try head($0, size: $1) }
  }
}

extension Product<Tensor> {
  /// The class with the highest score.
  static func labels(of head: any DenseHead) -> Product {
    Product(make: { try head.labels(of: $0, size: $1) }, fromLabels: { $0 })
  }

  /// Scores of the working size.
  static func scores(of head: any DenseHead) -> Product {
    Product { try head.scores($0, size: $1) }
  }
}

extension Product<FeatureMaps> {
  /// The maps as they are.
  static var maps: Product { Product { maps, _ in maps } }
}
