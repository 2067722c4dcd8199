// SPDX-License-Identifier: Apache-2.0

// A scheduler of one's own: what Docs/Guides/Adding-a-scheduler.md shows.

import ConformanceKit
import Inbetween

/// A key frame every `seconds`, whatever the frame rate.
struct TimeLimit: KeyframeScheduler {
  let seconds: Double

  func decision(at context: FrameContext) -> Decision {
    Decision(
      context.secondsSinceKeyframe >= seconds ? .key : .propagated,
      because: Reason("seconds", score: context.secondsSinceKeyframe, threshold: seconds))
  }
}

let drawing = try drawn(TimeLimit(seconds: 0.1), frames: 7)  // at 25 frames a second
print(drawing)
precondition(drawing == "K..K..K")
precondition(brokenLaws(of: TimeLimit(seconds: 0.1)).isEmpty)
