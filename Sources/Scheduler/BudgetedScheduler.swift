// SPDX-License-Identifier: Apache-2.0

public import Frames

/// Another scheduler's keys, as long as they stay within a budget: never more than `share` of the
/// frames so far, the stream's first, which always is key, left out.
///
/// What is not spent is saved up to `saved` keys, for when they are needed at once. The bound is a
/// hard one, whatever the scheduler wants: among any n successive frames that it is asked about, at
/// most `share` · n + `saved` are key.
public struct BudgetedScheduler: KeyframeScheduler {
  /// The scheduler whose key frames these are.
  public private(set) var base: any KeyframeScheduler
  /// That of `base`.
  public var movingThreshold: Double? {
    get { base.movingThreshold }
    set { base.movingThreshold = newValue }
  }
  /// How many key frames may still be spent.
  public private(set) var allowance: KeyframeBudget

  /// The key frames of `base`, as long as they are no more than `share` of all frames.
  ///
  /// - Precondition: the share is from 0 to 1; at least one key can be saved.
  public init(_ base: some KeyframeScheduler, share: Double, saved: Double = 2) {
    (self.base, allowance) = (base, KeyframeBudget(.rate(share, saved: saved)))
  }

  /// What the other scheduler says, but not key where the budget is spent.
  public mutating func decision(at context: FrameContext) throws -> Decision {
    allowance.advance()
    let decision = try base.decision(at: context)
    guard decision.role == .key else { return decision }
    guard allowance.isEnough else {
      return decision.with(
        .propagated, because: Reason("budget spent", score: allowance.left, threshold: 1))
    }
    allowance.spend()
    return decision
  }
}
