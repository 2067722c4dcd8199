// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Scheduler
internal import Tensors
internal import Video

/// What a backbone gives of a key frame.
struct KeyframeFeatures {
  /// The maps at the taps.
  var taps: FeatureMaps
  /// What stages after the last tap read of those before it.
  let skips: [Tensor]
  /// All that was made of the frame on the way; nothing where it was made of a smaller picture.
  let known: [String: Features]
}

extension PipelineParts {
  /// How many stages lead to each whose output is wanted of a key frame, in order.
  fileprivate func counts() throws -> [Int] {
    let wanted = try (keptStages.union(taps)).map { try backbone.index(ofStage: $0) + 1 }
    return Set(wanted).filter { $0 <= depth }.sorted()
  }

  /// What the backbone makes of a key frame up to the last tap, going on from what is known in
  /// `stages`.
  ///
  /// Of a smaller picture it is brought to the grids of `like`, which full size gives.
  func features(
    ofKeyframe view: FrameView, scaledBy scale: Double, from stages: StageCache,
    like full: FeatureMaps?
  ) throws -> KeyframeFeatures {
    if scale < 1, let full { return try features(ofKeyframe: view, scaledBy: scale, like: full) }
    var stages = stages
    for count in try counts() { _ = try stages.features(through: count) }
    return try features(known: stages.known)
  }

  private func features(known: [String: Features]) throws -> KeyframeFeatures {
    var maps = FeatureMaps()
    for stage in taps { maps[stage] = known[stage]?.main }
    guard maps.stages.count == taps.count, let last = known[backbone.stages[depth - 1].name] else {
      throw BackboneError(.badOutput, "the backbone gave nothing at a tap")
    }
    return KeyframeFeatures(taps: maps, skips: last.skips, known: known)
  }

  private func features(
    ofKeyframe view: FrameView, scaledBy scale: Double, like full: FeatureMaps
  ) throws -> KeyframeFeatures {
    guard backbone.inputSize == nil else {
      throw BackboneError(.incompatible, "the backbone takes pictures of one size only")
    }
    let size = view.working.pixels.size
    func scaled(_ side: Int) -> Int { max(1, Int((Double(side) * scale).rounded())) }
    let pixels = try view.working.pixels.resized(
      width: scaled(size.width), height: scaled(size.height))
    var stages = StageCache(of: view.working.with(pixels: pixels), in: backbone)
    var maps = FeatureMaps()
    for stage in taps {
      let (small, wanted) = (try stages.features(after: stage), try full.map(after: stage).shape)
      guard stage != taps.last || small.skips.isEmpty || !hasRest else {
        throw BackboneError(
          .incompatible,
          "key frames at another scale need a tap after which nothing of an earlier stage is read")
      }
      maps[stage] = try small.main.resizedBilinear(
        height: wanted[2], width: wanted[3], grid: .halfPixel)
    }
    return KeyframeFeatures(taps: maps, skips: [], known: [:])
  }
}

// Several key frames at once.
extension PipelineParts {
  /// What the backbone makes of those among several streams' frames that are keyframes: all of one
  /// size in one pass, where it takes so many; nil for what is better made on its own.
  ///
  /// The time and the MACs of a pass are shared evenly among those it is made for.
  func featuresOfKeyframes(among steps: [Step]) throws(PipelineError) -> [KeyframeFeatures?] {
    var made = [KeyframeFeatures?](repeating: nil, count: steps.count)
    guard backbone.takesBatches else { return made }
    var alike: [Batch: [Int]] = [:]
    for (index, step) in steps.enumerated() {
      if let batch = try step.clock.during(.backbone, { try batch(for: step) }) {
        alike[batch, default: []].append(index)
      }
    }
    for (batch, members) in alike where members.count > 1 {
      let shared = StageClock(frame: steps[members[0]].frame.view.source.index)
      let together = try shared.counting { () throws(PipelineError) in
        try shared.during(.backbone) {
          try features(of: members.map { steps[$0].frame }, from: batch.known)
        }
      }
      for (place, member) in members.enumerated() {
        steps[member].clock.add(share: place, of: members.count, from: shared)
        made[member] = together[place]
      }
    }
    return made
  }

  /// What frames must have in common to go through the backbone together.
  private struct Batch: Hashable {
    /// How many stages are known of each.
    let known: Int
    let shapes: [Shape]
  }

  /// Nil for a non-key frame, for one at a reduced scale, and where kept features would be skipped.
  private func batch(for step: Step) throws -> Batch? {
    guard step.waitsForBackbone, step.decision.scale == 1 else { return nil }
    let stages = step.frame.stages
    let furthest = stages.furthest(within: depth)
    guard furthest > 0, let features = stages.known[backbone.stages[furthest - 1].name] else {
      let size = step.frame.view.working.pixels.size
      return Batch(known: 0, shapes: [[size.height, size.width]])
    }
    let isMade = try counts().allSatisfy {
      $0 > furthest || stages.known[backbone.stages[$0 - 1].name] != nil
    }
    guard isMade else { return nil }
    return Batch(known: furthest, shapes: ([features.main] + features.skips).map(\.shape))
  }

  private func features(of frames: [StreamFrame], from first: Int) throws -> [KeyframeFeatures] {
    var caches = frames.map(\.stages)
    let begun = try frames.indices.map { index in
      first == 0
        ? Features(try backbone.input(for: frames[index].view.working))
        : try caches[index].features(through: first)
    }
    var (all, done) = (try Features.together(begun), first)
    for count in try counts() where count > done {
      all = try backbone.run(done..<count, on: all)
      done = count
      for (index, features) in try all.apart(frames.count).enumerated() {
        caches[index].add(features, after: backbone.stages[count - 1].name)
      }
    }
    return try caches.map { try features(known: $0.known) }
  }
}

extension Features {
  /// N × C × H × W of N times 1 × C × H × W.
  fileprivate static func together(_ several: [Features]) throws -> Features {
    let skips = try several[0].skips.indices.map { index in
      try Tensor.concatenate(several.map { $0.skips[index] }, axis: 0)
    }
    return Features(try Tensor.concatenate(several.map(\.main), axis: 0), skips: skips)
  }

  fileprivate func apart(_ count: Int) throws -> [Features] {
    let (mains, skips) = (
      try main.chunked(into: count, axis: 0), try skips.map { try $0.chunked(into: count, axis: 0) }
    )
    return mains.indices.map { index in Features(mains[index], skips: skips.map { $0[index] }) }
  }
}
