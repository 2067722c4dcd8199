// SPDX-License-Identifier: Apache-2.0

/// Another scheduler's keys, as long as they stay within a budget: never more than `share` of the frames so far,
/// the stream's first, which always is key, left out.
///
/// What is not spent is saved up to `saved` keys, for when they are needed at once. The bound is a hard one, whatever
/// the scheduler wants: among any n successive frames that it is asked about, at most `share` · n + `saved` are key.
public struct KeyBudget: KeyframeScheduler {
  public private(set) var base: any KeyframeScheduler
  public let share: Double
  public let saved: Double
  /// Keys that may be spent now.
  private var left = 0.0

  /// - Precondition: the share is from 0 to 1; at least one key can be saved.
  public init(_ base: some KeyframeScheduler, share: Double, saved: Double = 2) {
    precondition((0...1).contains(share) && saved >= 1, "a share of \(share), \(saved) saved")
    (self.base, self.share, self.saved) = (base, share, saved)
  }

  public mutating func decision(at moment: inout Moment) throws -> Decision {
    left = min(saved, left + share)
    let decision = try base.decision(at: &moment)
    guard decision.role == .key else { return decision }
    // A sum of shares falls short of a whole number by its rounding.
    guard left >= 1 - 1e-9 else {
      return Decision(
        .propagated, because: Reason("budget spent", score: left, threshold: 1),
        carried: decision.carried)
    }
    left -= 1
    return decision
  }
}
