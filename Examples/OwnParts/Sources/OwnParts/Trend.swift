// SPDX-License-Identifier: Apache-2.0

import Inbetween

/// A propagator: features go on changing as they did from the last keyframe but one to the last.
///
/// A value that remembers: the keyframe's maps, and what changed a frame since the keyframe before.
struct Trend: Propagator {
  private let strength: Float
  private var maps = FeatureMaps()
  private var changes = FeatureMaps()
  var usesFlow: Bool { false }

  init(strength: Double) { self.strength = Float(strength) }

  mutating func keyframe(_ features: FeatureMaps, in context: FrameContext) throws {
    changes = FeatureMaps()
    for stage in features.stages {
      let new = try features.map(after: stage)
      guard let old = maps[stage], old.shape == new.shape else { continue }
      changes[stage] = try (new - old) / Float(max(1, context.framesSinceKeyframe))
    }
    maps = features
  }

  func propagate(to context: FrameContext) throws -> FeatureMaps {
    var result = maps
    for stage in changes.stages {
      let step = try changes.map(after: stage) * (strength * Float(context.framesSinceKeyframe))
      result[stage] = try maps.map(after: stage) + step
    }
    return result
  }
}

extension Registries {
  mutating func registerTrend() {
    propagators.register(
      "trend", "features go on changing as between the last two keyframes, STRENGTH times as fast",
      options: [.optional("strength", .number(0...1), standard: 0.1)]
    ) { options, _ in PropagationStrategy(Trend(strength: options.number("strength"))) }
  }
}
