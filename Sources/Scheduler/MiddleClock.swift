// SPDX-License-Identifier: Apache-2.0

public import Frames

/// Another scheduler's keys, and a clock of its own for the stages up to a tap before the last:
/// between keys they run on every Nth frame since one, and the others borrow what they gave.
///
/// With it the stages of Clockwork Convnets (Shelhamer et al., ECCV 2016 workshops, section 4) have
/// three clocks: those after this tap run on key frames, those up to it on every Nth frame too, and
/// those before the first tap on every frame. The tapped stage is one that later stages read as
/// well, such as one with a score head. While a key frame is computed in the background no
/// scheduler is asked, so that nothing runs by this clock until it is there.
public struct MiddleClock: KeyframeScheduler {
  /// The scheduler whose key frames these are.
  public private(set) var base: any KeyframeScheduler
  /// That of `base`.
  public var movingThreshold: Double? {
    get { base.movingThreshold }
    set { base.movingThreshold = newValue }
  }
  /// That of `base`.
  public var longestInterval: Int? { base.longestInterval }
  /// The last of the stages that have this clock.
  public let stage: String
  /// Frames from one run of these stages to the next.
  public let interval: Int

  /// The key frames of `base`, and the stages up to `stage` on every `interval`th frame since one.
  ///
  /// - Precondition: `interval` is at least 1.
  public init(_ base: some KeyframeScheduler, through stage: String, every interval: Int) {
    precondition(interval >= 1, "stages on every \(interval) frames")
    (self.base, self.stage, self.interval) = (base, stage, interval)
  }

  /// What the other scheduler says, with the stages refreshed where their time has come.
  public mutating func decision(at context: FrameContext) throws -> Decision {
    let decision = try base.decision(at: context)
    // A key frame that is put off, or computed in the background, is propagated to as well.
    guard decision.refreshed == nil, context.framesSinceRefresh >= interval else { return decision }
    return decision.with(propagated: .features, refreshed: stage)
  }
}
