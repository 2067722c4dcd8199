// SPDX-License-Identifier: Apache-2.0

internal import Specification

extension Recipe {
  /// The heavy network on every frame: what all else is held against.
  public static let perFrame = Recipe("per-frame", "the heavy network on every frame") { _ in
    PipelineSpec(scheduler: "every:1", propagator: "copy")
  }
}
