// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Flow
internal import Propagation
internal import Scheduler
internal import Tensors
internal import Video

/// Answers what is asked of one frame, whoever asks: each answer is computed once, and timed as the stage
/// that it is.
final class Inquiry {
  private let pipeline: KeyframePipeline
  private let seen: FrameView
  private let key: StreamState.Key
  /// The stream as it was before this frame.
  private let state: StreamState
  private let clock: StageClock
  private(set) var chain: FlowAccumulator?
  private var chained: MotionField?
  private var motions: [MotionReference: MotionField] = [:]
  /// What has been asked for, by stage: a key goes on from there.
  private(set) var known: [String: Features] = [:]
  /// What is known of the key frame's features, by stage.
  private(set) var keyFeatures: [String: Tensor]
  /// What was carried here, before fusion.
  private(set) var carried: Tensor?
  /// What the backbone's last stage and the fusion gave of what was carried here; nil where they did not run.
  private(set) var output: Tensor?

  init(
    pipeline: KeyframePipeline, seen: FrameView, key: StreamState.Key, state: StreamState,
    clock: StageClock
  ) {
    (self.pipeline, self.seen, self.key, self.clock) = (pipeline, seen, key, clock)
    (self.state, chain, keyFeatures) = (state, state.chain, state.keyFeatures)
  }

  var moment: Moment {
    Moment(
      frame: seen.working, key: key.view.working, framesSinceKey: state.framesSinceKey,
      framesSinceScores: state.scored?.age,
      motionToKey: { [self] in try motion(to: .key) },
      motionToPrevious: { [self] in try motion(to: .previous) },
      features: { [self] stage in try features(after: stage).main },
      keyFeatures: { [self] stage in try keyFeatures(after: stage) },
      scores: { [self] in try onItsGrid(carriedOutput()) },
      keyScores: { [self] in
        let stages = pipeline.backbone.stages
        return try onItsGrid(keyFeatures(after: stages[stages.count - 1].name))
      },
      usualTimes: state.times.usual)
  }
}

// What the parts of a pipeline ask for.
extension Inquiry {
  /// The frame's own features after a stage, with what later ones read of those before it.
  func features(after stage: String) throws -> Features {
    try clock.during(.backbone) {
      let count = try pipeline.backbone.index(ofStage: stage) + 1
      let features = try pipeline.run(through: count, on: seen.working, from: known)
      known[stage] = features
      return features
    }
  }

  private func keyFeatures(after stage: String) throws -> Tensor {
    if let features = keyFeatures[stage] { return features }
    let count = try pipeline.backbone.index(ofStage: stage) + 1
    if count == pipeline.cachedStages { return key.cached }
    if pipeline.propagator.reference == .key, let features = state.kept[stage] { return features }
    return try clock.during(.backbone) {
      let features = try pipeline.run(through: count, on: key.view.working, from: [:]).main
      keyFeatures[stage] = features
      return features
    }
  }

  /// Of what was asked of the key's features, this frame's own: it is to be the key.
  var ownKeyFeatures: [String: Tensor] {
    known.filter { keyFeatures[$0.key] != nil || state.kept[$0.key] != nil }.mapValues(\.main)
  }

  /// The frame's own outputs that stages after the tap read beside what was carried: no stage runs that
  /// they do not need.
  private func skips() throws -> [Tensor] {
    guard key.skipCount > 0 else { return [] }
    for stage in pipeline.backbone.stages[..<pipeline.cachedStages] {
      let skips = try features(after: stage.name).skips
      if skips.count == key.skipCount { return skips }
    }
    throw BackboneError(.badOutput, "the frame has fewer than \(key.skipCount) skips of its key")
  }

  /// What the propagator may ask of the frame, and of the one it carries from.
  private var evidence: Evidence {
    let reference = pipeline.propagator.reference
    let before = reference == .key ? key.view : state.previous ?? key.view
    return Evidence(
      field: { [self] in try motion(to: reference) },
      picture: { [self] side in try picture(of: side == .current ? seen : before) },
      features: { [self] stage, side in
        if side == .current { return try features(after: stage).main }
        if let known = state.kept[stage] { return known }
        let count = try pipeline.backbone.index(ofStage: stage) + 1
        return try pipeline.run(through: count, on: before.working, from: [:]).main
      })
  }

  private func picture(of view: FrameView) throws -> Tensor {
    try view.working.pixels.tensor().to(key.cached.device)
  }
}

// Motion.
extension Inquiry {
  /// Codec vectors reach back one frame only, so the chain must see every frame, asked for or not.
  func extendChain() throws(PipelineError) {
    guard var chain else { return }
    chained = try clock.during(.flow) { try chain.motionToKey(from: seen.source) }
    self.chain = chain
  }

  private func motion(to reference: MotionReference) throws -> MotionField {
    if let motion = motions[reference] { return motion }
    let motion = try clock.during(.flow) {
      try reference == .key ? motionToKey() : motionToPrevious()
    }
    motions[reference] = motion
    return motion
  }

  private func motion(to scored: StreamState.Scored) throws -> MotionField {
    if scored.age == state.framesSinceKey { return try motion(to: .key) }
    return try clock.during(.flow) {
      guard var chain else { return try motion(toFrame: scored.view) }
      return onWorkingGrid(try chain.motionToMark(from: seen.source))
    }
  }

  private func motionToKey() throws -> MotionField {
    try chained.map(onWorkingGrid) ?? motion(toFrame: key.view)
  }

  /// What a codec predicted from need not be the frame before: a P picture after B pictures leads
  /// past them, so the way goes by the picture that both lead to.
  private func motionToPrevious() throws -> MotionField {
    let previous = state.previous ?? key.view
    guard var chain = state.chain else { return try motion(toFrame: previous) }
    try chain.setKey(previous.source)
    return onWorkingGrid(try chain.motionToKey(from: seen.source))
  }

  private func motion(toFrame reference: FrameView) throws -> MotionField {
    guard pipeline.flow.needsMotionVectors else {
      return try pipeline.flow.motion(from: seen.working, to: reference.working)
    }
    return onWorkingGrid(try pipeline.flow.motion(from: seen.source, to: reference.source))
  }

  private func onWorkingGrid(_ field: MotionField) -> MotionField {
    let size = seen.working.pixels.size
    return field.resized(width: size.width, height: size.height)
  }
}

// What propagation gives.
extension Inquiry {
  /// The frame's labels or scores as propagation gives them.
  ///
  /// Where scores are to be carried and there are none, as of a key that was computed in the background, or where the
  /// scheduler has had the frame's own made already, features are.
  func propagated(
    giving product: Product, carrying carried: PropagatedKind
  ) throws(PipelineError) -> Tensor {
    let size = seen.working.pixels.size
    if carried == .scores, output == nil, let scored = state.scored {
      return try carry(scored, giving: product)
    }
    if product == .labels, output == nil, pipeline.canFuse(cached, size: size) {
      return try clock.during(.propagate) {
        try pipeline.propagator.labels(cached, given: evidence)
      }
    }
    let output = try carriedOutput()
    return try clock.during(.head) {
      try pipeline.finish(output, size: size, giving: product)
    }
  }

  /// Another frame's scores, warped here.
  private func carry(
    _ scored: StreamState.Scored, giving product: Product
  ) throws(PipelineError) -> Tensor {
    let (warp, size) = (Warp(), seen.working.pixels.size)
    let evidence = Evidence(field: { [self] in try motion(to: scored) })
    let scores = try clock.during(.propagate) {
      guard pipeline.propagator.reference == .key else {
        throw PropagationError(
          "what is carried from frame to frame cannot leave out a frame: a clock of their own for shallow stages takes "
            + "a propagator that reads the key itself")
      }
      return try warp.prepare(scored.output)
    }
    if product == .labels, pipeline.head.isIdentity(on: scores.shape, size: size) {
      return try clock.during(.propagate) { try warp.labels(scores, given: evidence) }
    }
    let output = try clock.during(.propagate) { try warp(scores, given: evidence) }
    return try clock.during(.head) { try pipeline.finish(output, size: size, giving: product) }
  }

  private var cached: Tensor {
    pipeline.propagator.reference == .key ? key.cached : state.carried ?? key.cached
  }

  /// What the backbone's last stage gives of what was carried here.
  private func carriedOutput() throws(PipelineError) -> Tensor {
    if let output { return output }
    let carried = try clock.during(.propagate) {
      try pipeline.propagator(cached, given: evidence)
    }
    var joined = carried
    if let fusion = pipeline.fusion {
      joined = try clock.during(.fuse) { try fusion(carried, given: evidence) }
    }
    self.carried = carried
    let features = try clock.during(.backbone) { Features(joined, skips: try skips()) }
    var output = try clock.during(.head) { try pipeline.rest(of: features) }
    if pipeline.hasShallowPart { output = try remembering(output) }
    self.output = output
    return output
  }

  /// What the frame's own `output` becomes with the scores that are remembered.
  func remembering(_ output: Tensor) throws(PipelineError) -> Tensor {
    guard let smoothing = pipeline.smoothing, let scored = state.scored,
      scored.output.shape == output.shape
    else { return output }
    let evidence = Evidence(
      field: { [self] in try motion(to: scored) },
      picture: { [self] side in try picture(of: side == .current ? seen : scored.view) })
    return try clock.during(.fuse) {
      try smoothing(output, remembering: scored.output, given: evidence)
    }
  }

  /// Scores as the head makes them of `output`, on its own grid.
  private func onItsGrid(_ output: Tensor) throws -> Tensor {
    try clock.during(.head) {
      let size = PixelSize(width: output.shape[3], height: output.shape[2])
      return try pipeline.head(output, size: size)
    }
  }
}
