// SPDX-License-Identifier: Apache-2.0

import Inbetween

/// A scheduler: gaps between keyframes that grow by a frame each, from the first to the longest.
///
/// A value: each stream starts from a copy, with the first gap.
struct WideningGaps: KeyframeScheduler {
  private var gap: Int
  private let longest: Int

  init(from first: Int, to longest: Int) { (gap, self.longest) = (first, longest) }

  mutating func decision(at context: FrameContext) -> Decision {
    let reason = Reason(
      "gap", score: Double(context.framesSinceKeyframe), threshold: Double(gap))
    guard context.framesSinceKeyframe >= gap else { return Decision(.propagated, because: reason) }
    gap = min(gap + 1, longest)
    return Decision(.key, because: reason)
  }
}

extension Registries {
  mutating func registerWideningGaps() {
    schedulers.register(
      "widening", "keyframes whose gaps grow from FIRST to LONGEST",
      options: [.required("first", .count), .required("longest", .count)],
      validate: { (options) throws(InvalidOption) in
        guard options.integer("first") <= options.integer("longest") else {
          throw InvalidOption("needs a first gap that is not above the longest")
        }
      }
    ) { options, _ in
      WideningGaps(from: options.integer("first"), to: options.integer("longest"))
    }
  }
}
