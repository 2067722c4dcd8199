// SPDX-License-Identifier: Apache-2.0

import Inbetween

extension Recipe {
  /// A recipe: our parts together, with a backbone that another engine runs.
  static let ownParts = Recipe("own-parts", "parts of one's own, keyframes once it is brighter") {
    models in
    PipelineSpec(
      backbone: PartSpec("colours", ["path": .text(models["two.colours"])]),
      scheduler: "brightness:4", propagator: "trend", fusion: "nudge:0.8", flow: "pan")
  }
}
