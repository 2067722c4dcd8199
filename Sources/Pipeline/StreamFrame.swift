// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Flow
internal import Frames
internal import Propagation
internal import Scheduler
internal import Tensors
internal import Video

/// One frame of a stream, as its context's provider: each answer is timed as the stage that it is.
final class StreamFrame: FrameProvider {
  let parts: PipelineParts
  let view: FrameView
  let clock: StageClock
  /// The stream as it was before this frame.
  private let state: StreamState
  /// What the backbone has made of the frame: a key frame goes on from there.
  var stages: StageCache
  /// Optical flow gathered since the key frame, this frame included.
  private(set) var chain: FlowAccumulator?
  private var chainedFlow: MotionField?
  /// Where optical flow was asked for to, found between two pictures.
  private(set) var flowsAsked: Set<FlowReference> = []
  /// What is known of the key frame's features, by stage.
  private(set) var keyframeFeatures: [String: Tensor]
  /// The stream's propagator, as propagating to this frame leaves it.
  private(set) var propagator: any Propagator
  /// What propagates predictions to the frame before its role is known, where one is asked for.
  private let objects: (any PropagatedObjects)?
  /// What the head is to read of what was propagated here; nil where it was not made.
  private(set) var output: FeatureMaps?
  /// What stages with a clock of their own gave last: here, where they run on this frame.
  private(set) var refreshed: StreamState.Refreshed?

  init(
    _ view: FrameView, of state: StreamState, in parts: PipelineParts, clock: StageClock,
    objects: (any PropagatedObjects)? = nil
  ) {
    self.objects = objects
    (self.view, self.state, self.parts, self.clock) = (view, state, parts, clock)
    (chain, propagator, refreshed) = (state.chain, state.propagator, state.refreshed)
    keyframeFeatures = state.keyframeFeatures
    stages = StageCache(of: view.working, in: parts.backbone, stoppingAt: parts.stops)
  }

  /// What can be asked of the frame; of the first of a stream, it is its own key frame.
  func context() -> FrameContext {
    FrameContext(
      frame: view.working, keyframe: reference(.keyframe).working,
      framesSinceKeyframe: state.framesSinceKeyframe, framesSinceScores: state.scored?.age,
      framesSinceRefresh: state.refreshed?.age, usualTimes: state.times.usual, from: self)
  }

  /// Of what was asked of the key frame's features, this frame's own: it is to be the key frame.
  var ownKeyframeFeatures: [String: Tensor] {
    stages.known.filter { keyframeFeatures[$0.key] != nil || state.keyframe?.kept[$0.key] != nil }
      .mapValues(\.main)
  }

  /// Of the stages whose features are kept, those that are known of this frame.
  var kept: [String: Tensor] {
    stages.known.filter { parts.keptStages.contains($0.key) }.mapValues(\.main)
  }

  private func reference(_ reference: FlowReference) -> FrameView {
    let keyframe = state.keyframe?.view ?? view
    return switch reference {
    case .keyframe: keyframe
    case .previous: state.previous?.view ?? keyframe
    case .scored: state.scored?.view ?? keyframe
    case .refreshed: state.refreshed?.view ?? keyframe
    }
  }
}

// Optical flow.
extension StreamFrame {
  /// The chain must see every frame to which something is propagated, asked for or not.
  func extendChain() throws(PipelineError) {
    guard chain != nil, chainedFlow == nil else { return }
    try clock.during(.flow) { _ = try chained() }
  }

  /// The flow to the key frame, put together of steps; nil where there is no chain.
  private func chained() throws -> MotionField? {
    if let chainedFlow { return chainedFlow }
    if let ahead = state.ahead, let before = state.previous?.view.source {
      try chain?.extend(to: view.source, from: before) {
        try ahead.motion(from: view.source, to: before)
      }
    }
    chainedFlow = try chain?.motionToKey(from: view.source)
    return chainedFlow
  }

  func keyframeFlowOfFrameBefore() throws -> MotionField? {
    guard let chain, chainedFlow == nil, chain.estimator.reach == .stepByStep,
      !view.source.followsBreak
    else { return nil }
    return onWorkingGrid(chain.lastMotionToKey)
  }

  func flow(to reference: FlowReference) throws -> MotionField {
    try clock.during(.flow) {
      guard let chainedFlow = try chained(), var chain else {
        return try directFlow(to: reference)
      }
      switch reference {
      case .keyframe: return onWorkingGrid(chainedFlow)
      case .scored: return onWorkingGrid(try chain.motion(to: .scored, from: view.source))
      case .refreshed: return onWorkingGrid(try chain.motion(to: .refreshed, from: view.source))
      case .previous:
        // What a codec predicted from need not be the frame before: a P picture after B pictures
        // leads past them, so the way goes by the picture that both lead to.
        guard var before = state.chain else { return try directFlow(to: reference) }
        try before.setKey(self.reference(.previous).source)
        return onWorkingGrid(try before.motionToKey(from: view.source))
      }
    }
  }

  private func directFlow(to reference: FlowReference) throws -> MotionField {
    let before = self.reference(reference)
    guard parts.flow.needsMotionVectors else {
      flowsAsked.insert(reference)
      if let field = try state.ahead?.motion(from: view.working, to: before.working) {
        return field
      }
      return try parts.flow.motion(from: view.working, to: before.working)
    }
    return onWorkingGrid(try parts.flow.motion(from: view.source, to: before.source))
  }

  private func onWorkingGrid(_ field: MotionField) -> MotionField {
    let size = view.working.pixels.size
    return field.resized(width: size.width, height: size.height)
  }
}

// Objects, pictures and features.
extension StreamFrame {
  func objectChange(in context: FrameContext) throws -> ObjectChange? {
    guard let objects else { throw NotAtHand("propagated boxes") }
    return try clock.during(.propagate) { try objects.change(at: context) }
  }

  func image(_ side: FrameSide) throws -> Tensor {
    let picture = try view(on: side).working.pixels.tensor()
    let device = state.keyframe?.taps.device ?? stages.known.first?.value.main.device
    return try device.map { try picture.to($0) } ?? picture
  }

  func means(of side: FrameSide, cell: Int) throws -> Tensor? {
    let device = state.keyframe?.taps.device ?? stages.known.first?.value.main.device
    guard device == nil || device == .cpu else { return nil }
    return try view(on: side).working.pixels.cellMeans(cell)
  }

  func features(after stage: String, of side: FrameSide) throws -> Tensor {
    guard case .reference(let reference) = side, state.keyframe != nil else {
      return try clock.during(.backbone) { try stages.features(after: stage).main }
    }
    switch reference {
    case .keyframe: return try featuresOfKeyframe(after: stage)
    case .previous:
      if let known = state.previous?.kept[stage] { return known }
      return try computed(after: stage, of: view(on: side))
    case .scored, .refreshed: return try computed(after: stage, of: view(on: side))
    }
  }

  func features(after later: String, reading map: Tensor, after stage: String) throws -> Tensor {
    try clock.during(.backbone) {
      try stages.features(after: later, reading: map, after: stage)
    }
  }

  private func featuresOfKeyframe(after stage: String) throws -> Tensor {
    let keyframe = state.keyframe
    let known = keyframeFeatures[stage] ?? keyframe?.taps[stage] ?? keyframe?.kept[stage]
    if let known { return known }
    let features = try computed(after: stage, of: reference(.keyframe))
    keyframeFeatures[stage] = features
    return features
  }

  private func computed(after stage: String, of view: FrameView) throws -> Tensor {
    try clock.during(.backbone) {
      var stages = StageCache(of: view.working, in: parts.backbone)
      return try stages.features(after: stage).main
    }
  }

  private func view(on side: FrameSide) -> FrameView {
    guard case .reference(let reference) = side else { return view }
    return self.reference(reference)
  }
}

// What propagation gives.
extension StreamFrame {
  func scores(in context: FrameContext) throws -> Tensor {
    try onItsGrid(propagatedOutput(in: context))
  }

  func keyframeScores(in context: FrameContext) throws -> Tensor {
    var maps = FeatureMaps()
    for stage in parts.inputs {
      maps[stage] = try context.features(after: stage, of: .keyframe)
    }
    return try onItsGrid(maps)
  }

  /// Scores as the head makes them of maps, on their own grid.
  private func onItsGrid(_ maps: FeatureMaps) throws -> Tensor {
    try clock.during(.head) {
      guard let scorer = parts.scorer else { throw NotAtHand("scores: the head gives none,") }
      let map = try maps.only()
      return try scorer.scores(maps, size: PixelSize(width: map.shape[3], height: map.shape[2]))
    }
  }

  /// What a product makes of the frame as propagation gives it.
  ///
  /// Where scores are to be propagated and there are none, as of a key frame that was computed in
  /// the background, or where the scheduler has had the frame's own made already, features are.
  func result<Result>(
    of product: Product<Result>, as decision: Decision, in context: FrameContext
  ) throws(PipelineError) -> Result {
    if let stage = decision.refreshed { try refresh(through: stage, in: context) }
    var warp: Warp?
    if decision.propagated == .scores, output == nil, let scored = state.scored {
      warp = try takingUp(scored, in: context)
    }
    if let labels = try labels(for: product, of: &warp, in: context) { return labels }
    let output: FeatureMaps
    if var warp {
      output = try clock.during(.propagate) { try warp.propagate(to: context) }
    } else {
      output = try propagatedOutput(in: context)
    }
    return try clock.during(.head) { try product.make(output, view.working.pixels.size) }
  }

  /// Another frame's scores, for a warp from there.
  private func takingUp(
    _ scored: StreamState.Scored, in context: FrameContext
  ) throws(PipelineError) -> Warp {
    try clock.during(.propagate) {
      guard propagator.readsKeyframeDirectly else {
        throw PropagationError(
          "what is propagated from frame to frame cannot leave out a frame: a clock of their own "
            + "for shallow stages takes a propagator that reads the key frame itself")
      }
      var warp = Warp(from: .scored)
      try warp.keyframe(scored.output, in: context)
      return warp
    }
  }

  /// The shorter way to labels, where the product takes it and nothing comes after what is
  /// propagated but the choice of the best class.
  private func labels<Result>(
    for product: Product<Result>, of warp: inout Warp?, in context: FrameContext
  ) throws(PipelineError) -> Result? {
    let maps = warp == nil ? state.keyframe?.taps : state.scored?.output
    guard let take = product.fromLabels, let scorer = parts.scorer, let maps,
      output == nil, warp != nil || !parts.hasShallowPart, maps.stages.count == 1,
      let map = maps[maps.stages[0]],
      scorer.isIdentity(on: map.shape, size: view.working.pixels.size)
    else { return nil }
    return try clock.during(.propagate) {
      let labels =
        try warp == nil ? propagator.labels(at: context) : warp?.labels(at: context)
      return try labels.map(take)
    }
  }

  /// What the head is to read of what is propagated here.
  private func propagatedOutput(in context: FrameContext) throws(PipelineError) -> FeatureMaps {
    if let output { return output }
    var maps = try propagatedMaps(in: context)
    if let fusion = parts.fusion {
      maps = try clock.during(.fuse) { try fusion(maps, in: context) }
    }
    var output = try output(of: maps, in: context)
    if parts.hasShallowPart { output = try smoothed(output, in: context) }
    self.output = output
    return output
  }

  /// The maps at the taps that come to the frame, before anything joins them: the key frame's, or
  /// what stages with a clock of their own gave since.
  func propagatedMaps(in context: FrameContext) throws(PipelineError) -> FeatureMaps {
    var maps = try clock.during(.propagate) { try propagator.propagate(to: context) }
    guard var refreshed else { return maps }
    let later =
      refreshed.age == 0
      ? try ownMaps(after: refreshed.stages, in: context)
      : try clock.during(.propagate) { try refreshed.propagator.propagate(to: context) }
    self.refreshed = refreshed
    for stage in later.stages { maps[stage] = later[stage] }
    return maps
  }

  private func ownMaps(
    after stages: Set<String>, in context: FrameContext
  ) throws(PipelineError) -> FeatureMaps {
    try clock.during(.backbone) {
      var maps = FeatureMaps()
      for stage in parts.taps where stages.contains(stage) {
        maps[stage] = try context.features(after: stage)
      }
      return maps
    }
  }

  /// Runs the backbone up to a tap, which is propagated from here on.
  ///
  /// What a scheduler had made of propagated maps is let go: the frame has better ones.
  private func refresh(
    through stage: String, in context: FrameContext
  ) throws(PipelineError) {
    let taps = try clock.during(.schedule) {
      guard self.propagator.readsKeyframeDirectly else {
        throw PropagationError(
          "what is propagated from frame to frame takes no clock of their own for some stages: it "
            + "takes a propagator that reads the key frame itself")
      }
      return try parts.tapsToRefresh(through: stage)
    }
    let maps = try ownMaps(after: Set(taps), in: context)
    var propagator: any Propagator = parts.propagator.usesFlow ? Warp(from: .refreshed) : Copy()
    try clock.during(.prepare) { try propagator.keyframe(maps, in: context) }
    refreshed = .init(view: view, stages: Set(taps), propagator: propagator)
    output = nil
  }

  /// What the head is to read of maps at the taps that came to the frame.
  func output(
    of maps: FeatureMaps, in context: FrameContext
  ) throws(PipelineError) -> FeatureMaps {
    let skips = try clock.during(.backbone) { try parts.hasRest ? skipped(with: maps) : [] }
    let output = try headMaps(of: maps, skips: skips, by: parts.decoder, in: context)
    // What a network made of it may be no number; what was propagated alone is as it was.
    if parts.hasShallowPart { try clock.during(.head) { try output.checkNumbers() } }
    return output
  }

  /// What stages after the last tap read of those before it: of tapped ones what came to the frame,
  /// of others, and of all that must run for these, the frame's own.
  private func skipped(with maps: FeatureMaps) throws -> [Tensor] {
    let count = state.keyframe?.skipCount ?? 0, names = parts.skips
    let propagated = parts.propagatedSkips
    guard !propagated.isEmpty, names.count == count else { return try stages.skips(count) }
    return try names.map { stage in
      try propagated.contains(stage)
        ? maps.map(after: stage) : stages.features(after: stage).main
    }
  }

  /// The maps that the head reads, given those at the taps; a decoder may take the place of the
  /// backbone's own stages after them.
  func headMaps(
    of tapped: FeatureMaps, skips: [Tensor], by decoder: (any Backbone)? = nil,
    in context: FrameContext
  ) throws(PipelineError) -> FeatureMaps {
    try clock.during(.head) {
      try parts.headMaps(of: tapped, skips: skips, by: decoder ?? parts.backbone) {
        try context.features(after: $0)
      }
    }
  }

  /// What the frame's own `output` becomes with the scores that are remembered.
  func smoothed(
    _ output: FeatureMaps, in context: FrameContext
  ) throws(PipelineError) -> FeatureMaps {
    guard let smoothing = parts.smoothing, let scored = state.scored else { return output }
    var result = output
    for stage in output.stages {
      guard let own = output[stage], let before = scored.output[stage], before.shape == own.shape
      else { continue }
      result[stage] = try clock.during(.fuse) {
        try smoothing(own, remembering: before, in: context)
      }
    }
    return result
  }
}

extension FeatureMaps {
  /// Where the maps are; nil where there are none.
  fileprivate var device: Device? { stages.first.flatMap { self[$0] }?.device }
}
