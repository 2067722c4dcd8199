// SPDX-License-Identifier: Apache-2.0

public import Frames
internal import Video

/// The frames that are key are known beforehand: an oracle's, or another run's.
public struct ExplicitKeyframes: KeyframeScheduler {
  /// Positions in the stream, as `Frame.index` counts.
  public let keys: Set<Int>

  /// A schedule of these frames, and of the stream's first, which always is key.
  public init(_ keys: Set<Int>) { self.keys = keys }

  /// Key where the frame's position is among those given.
  public func decision(at context: FrameContext) -> Decision {
    Decision(
      keys.contains(context.frame.index) ? .key : .propagated, because: Reason("given beforehand"))
  }
}
