// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Flow
internal import Propagation
internal import Scheduler
internal import Tensors
internal import Video

/// Answers what is asked of one frame, timing each answer as the stage that it is.
final class Inquiry {
  private let pipeline: KeyframePipeline
  private let seen: FrameView
  private let key: StreamState.Key
  private let previous: FrameView
  private let framesSinceKey: Int
  private let clock: StageClock
  private(set) var chain: MotionChain?
  /// The chain as it was before this frame, from which the way to the previous frame is found.
  private let chainBefore: MotionChain?
  private var chained: MotionField?
  /// What has been asked for, by stage: a key goes on from there.
  private(set) var known: [String: Features] = [:]
  /// What is known of the key frame's features, by stage.
  private(set) var keyFeatures: [String: Tensor]
  private let kept: [String: Tensor]

  init(
    pipeline: KeyframePipeline, seen: FrameView, key: StreamState.Key, state: StreamState,
    clock: StageClock
  ) {
    (self.pipeline, self.seen, self.key, self.clock) = (pipeline, seen, key, clock)
    (previous, framesSinceKey) = (state.previous ?? key.view, state.framesSinceKey)
    (chain, chainBefore) = (state.chain, state.chain)
    keyFeatures = state.keyFeatures
    kept = pipeline.propagator.reference == .key ? state.kept : [:]
  }

  var moment: Moment {
    Moment(
      frame: seen.working, key: key.view.working, framesSinceKey: framesSinceKey,
      motionToKey: { [self] in try clock.during(.flow) { try motionToKey() } },
      motionToPrevious: { [self] in try clock.during(.flow) { try motionToPrevious() } },
      features: { [self] stage in try clock.during(.backbone) { try features(after: stage) } },
      keyFeatures: { [self] stage in
        try clock.during(.backbone) { try keyFeatures(after: stage) }
      })
  }

  private func keyFeatures(after stage: String) throws -> Tensor {
    if let features = keyFeatures[stage] ?? kept[stage] { return features }
    let count = try pipeline.backbone.index(ofStage: stage) + 1
    let features = try pipeline.run(through: count, on: key.view.working, from: [:]).main
    keyFeatures[stage] = features
    return features
  }

  /// Of what was asked of the key's features, this frame's own: it is to be the key.
  var ownKeyFeatures: [String: Tensor] {
    known.filter { keyFeatures[$0.key] != nil || kept[$0.key] != nil }.mapValues(\.main)
  }

  /// Codec vectors reach back one frame only, so the chain must see every frame, asked for or not.
  func extendChain() throws(PipelineError) {
    guard var chain else { return }
    chained = try clock.during(.flow) { try chain.motionToKey(from: seen.source) }
    self.chain = chain
  }

  private func motionToKey() throws -> MotionField {
    try chained.map(onWorkingGrid) ?? motion(to: key.view)
  }

  /// What a codec predicted from need not be the frame before: a P picture after B pictures leads
  /// past them, so the way goes by the picture that both lead to.
  private func motionToPrevious() throws -> MotionField {
    guard var chain = chainBefore else { return try motion(to: previous) }
    try chain.setKey(previous.source)
    return onWorkingGrid(try chain.motionToKey(from: seen.source))
  }

  private func motion(to reference: FrameView) throws -> MotionField {
    guard pipeline.flow.needsMotionVectors else {
      return try pipeline.flow.motion(from: seen.working, to: reference.working)
    }
    return onWorkingGrid(try pipeline.flow.motion(from: seen.source, to: reference.source))
  }

  private func onWorkingGrid(_ field: MotionField) -> MotionField {
    let size = seen.working.pixels.size
    return field.resized(width: size.width, height: size.height)
  }

  private func features(after stage: String) throws -> Tensor {
    let count = try pipeline.backbone.index(ofStage: stage) + 1
    let features = try pipeline.run(through: count, on: seen.working, from: known)
    known[stage] = features
    return features.main
  }

  /// The frame's own outputs that stages after the tap read beside what was carried: no stage runs that
  /// they do not need.
  func skips(_ count: Int) throws -> [Tensor] {
    guard count > 0 else { return [] }
    for stage in pipeline.backbone.stages[..<pipeline.cachedStages] {
      _ = try features(after: stage.name)
      if let skips = known[stage.name]?.skips, skips.count == count { return skips }
    }
    throw BackboneError(.badOutput, "the frame has fewer than \(count) skips of its key")
  }
}
