// SPDX-License-Identifier: Apache-2.0

extension Recipe {
  /// The heavy network on every frame: what all else is held against.
  public static let perFrame = Recipe("per-frame", "the heavy network on every frame") { _ in
    Composition(scheduler: "every:1", propagation: "copy")
  }
}
