// SPDX-License-Identifier: Apache-2.0

import Inbetween

/// A fusion: a share of what was propagated is moved along the optical flow from the keyframe.
struct FlowNudge: Fusion {
  let share: Float

  func callAsFunction(_ propagated: FeatureMaps, in context: FrameContext) throws -> FeatureMaps {
    try propagated.mapped { map in
      let (flow, valid) = try context.flow(
        to: .keyframe, height: map.shape[2], width: map.shape[3])
      let moved = try map.warped(along: flow, border: .clamp, known: valid)
      return try map + (moved - map) * share
    }
  }
}

extension Registries {
  mutating func registerFlowNudge() {
    fusions.register(
      "nudge", "a SHARE of what was propagated is moved along the optical flow",
      options: [.required("share", .share)]
    ) { options, _ in FlowNudge(share: Float(options.number("share"))) }
  }
}
