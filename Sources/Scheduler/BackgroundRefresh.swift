// SPDX-License-Identifier: Apache-2.0

public import Frames

/// Another scheduler's keys, computed in the background: no frame waits for the backbone but the
/// first.
///
/// The low-latency mode of LLVSS (Li et al., CVPR 2018, section 3.3): see `Refresh.background`.
public struct BackgroundRefresh: KeyframeScheduler {
  /// The scheduler whose key frames these are.
  public private(set) var base: any KeyframeScheduler
  /// That of `base`.
  public var movingThreshold: Double? {
    get { base.movingThreshold }
    set { base.movingThreshold = newValue }
  }
  /// How many frames after a key frame others begin to borrow from it.
  public let frames: Int

  /// Others borrow from a key `frames` after it.
  ///
  /// - Precondition: that is one at least.
  public init(_ base: some KeyframeScheduler, frames: Int = 1) {
    precondition(frames >= 1, "a key that is ready \(frames) frames later")
    (self.base, self.frames) = (base, frames)
  }

  /// What the other scheduler says, with key frames computed in the background.
  public mutating func decision(at context: FrameContext) throws -> Decision {
    try base.decision(at: context).with(refresh: .background(frames: frames))
  }
}
