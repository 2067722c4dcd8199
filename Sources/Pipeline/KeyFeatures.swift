// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Layers
internal import Propagation
internal import Scheduler
internal import Specification
internal import Tensors
internal import Video

/// What a backbone gives of a key frame: at the tap, and after each stage whose features are kept.
struct KeyFeatures {
  var tap: Features
  let kept: [String: Tensor]
}

extension KeyframePipeline {
  /// What the backbone makes of a key frame up to the tap, going on from what is `known`.
  ///
  /// Of a smaller picture it is brought to the grid of `like`, which full size gives.
  func features(
    ofKey seen: FrameView, as decision: Decision, from known: [String: Features],
    like full: Tensor?
  ) throws -> KeyFeatures {
    if decision.scale < 1, let full {
      return try features(ofKey: seen, scaledBy: decision.scale, like: full)
    }
    var known = known
    for count in try keptCounts() where count < cachedStages {
      known[backbone.stages[count - 1].name] = try run(
        through: count, on: seen.working, from: known)
    }
    let tap = try run(through: cachedStages, on: seen.working, from: known)
    known[backbone.stages[cachedStages - 1].name] = tap
    return KeyFeatures(
      tap: tap, kept: known.filter { keptStages.contains($0.key) }.mapValues(\.main))
  }

  private func features(
    ofKey seen: FrameView, scaledBy scale: Double, like full: Tensor
  ) throws -> KeyFeatures {
    guard backbone.inputSize == nil else {
      throw SpecificationError(.badDescription, "the backbone takes pictures of one size only")
    }
    let size = seen.working.pixels.size
    func scaled(_ side: Int) -> Int { max(1, Int((Double(side) * scale).rounded())) }
    let pixels = try seen.working.pixels.resized(
      width: scaled(size.width), height: scaled(size.height))
    let small = try run(through: cachedStages, on: seen.working.with(pixels: pixels), from: [:])
    guard small.skips.isEmpty else {
      throw SpecificationError(
        .badDescription,
        "key frames at another scale need a tap after which nothing of an earlier stage is read")
    }
    let features = try small.main.resizedBilinear(
      height: full.shape[2], width: full.shape[3], grid: .halfPixel)
    return KeyFeatures(tap: Features(features), kept: [:])
  }

  /// The stages whose features of the reference are remembered.
  var keptStages: Set<String> {
    Set(propagator.keptStages + (fusion?.keptStages ?? []))
  }

  /// How many stages lead to each whose features are kept, in order.
  private func keptCounts() throws -> [Int] {
    try keptStages.map { try backbone.index(ofStage: $0) + 1 }.sorted()
  }
}

// Several keys at once.
extension KeyframePipeline {
  /// What the backbone makes of those among several streams' frames that are key: all of one size in one pass, where it
  /// takes so many; nil for what is better made on its own.
  ///
  /// The time and the work of a pass are shared evenly among those it is made for.
  func featuresOfKeys(among steps: [Step]) throws(PipelineError) -> [KeyFeatures?] {
    var made = [KeyFeatures?](repeating: nil, count: steps.count)
    guard backbone.takesBatches else { return made }
    var alike: [Batch: [Int]] = [:]
    for (index, step) in steps.enumerated() {
      if let batch = try step.clock.during(.backbone, { try batch(for: step) }) {
        alike[batch, default: []].append(index)
      }
    }
    for (batch, members) in alike where members.count > 1 {
      let (ledger, begin) = (MACCounter(), ContinuousClock.now)
      let together = try steps[members[0]].clock.during(.backbone) {
        try MACCounter.$current.withValue(ledger) {
          try features(of: members.map { steps[$0] }, from: batch.known)
        }
      }
      let (elapsed, count) = (ContinuousClock.now - begin, members.count)
      // The first one's clock has noted all of it.
      steps[members[0]].clock.add(.zero - elapsed, to: .backbone)
      for (place, member) in members.enumerated() {
        let (clock, work) = (steps[member].clock, ledger.macs)
        clock.add(elapsed / count, to: .backbone)
        clock.ledger.add(macs: work * (place + 1) / count - work * place / count)
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

  /// Nil for a frame that is no key, is to be seen smaller or of which features that are to be kept would be made on the way
  /// to what is known already.
  private func batch(for step: Step) throws -> Batch? {
    guard step.waitsForBackbone, step.decision.scale == 1 else { return nil }
    let known = step.inquiry?.known ?? [:]
    let furthest = backbone.stages[..<cachedStages].lastIndex { known[$0.name] != nil }
    guard let furthest, let features = known[backbone.stages[furthest].name] else {
      let size = step.seen.working.pixels.size
      return Batch(known: 0, shapes: [[size.height, size.width]])
    }
    let isMade = try keptCounts().allSatisfy {
      $0 > furthest + 1 || known[backbone.stages[$0 - 1].name] != nil
    }
    guard isMade else { return nil }
    return Batch(known: furthest + 1, shapes: ([features.main] + features.skips).map(\.shape))
  }

  private func features(of steps: [Step], from first: Int) throws -> [KeyFeatures] {
    let begun = try steps.map { step in
      first == 0
        ? Features(try backbone.input(for: step.seen.working))
        : try run(through: first, on: step.seen.working, from: step.inquiry?.known ?? [:])
    }
    var (all, done) = (try Features.together(begun), first)
    var known = steps.map { $0.inquiry?.known ?? [:] }
    for count in try keptCounts() + [cachedStages] where count > done && count <= cachedStages {
      all = try backbone.run(done..<count, on: all)
      done = count
      for (index, features) in try all.apart(steps.count).enumerated() {
        known[index][backbone.stages[count - 1].name] = features
      }
    }
    return try known.map { known in
      guard let tap = known[backbone.stages[cachedStages - 1].name] else {
        throw BackboneError(.badOutput, "the backbone gave nothing at the tap")
      }
      return KeyFeatures(
        tap: tap, kept: known.filter { keptStages.contains($0.key) }.mapValues(\.main))
    }
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
