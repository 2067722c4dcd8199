// SPDX-License-Identifier: Apache-2.0

public import Frames

/// Another scheduler's keys, each of as large a picture as a budget of work affords: cheap ones in
/// quick succession where keys are wanted often, full ones where there was time to save up for
/// them.
///
/// The adaptive resolution that AR-Seg names as future work (Hu et al., CVPR 2023, section 5). A
/// key of a picture whose sides are `scale` times as long costs scale², the stream's first, which
/// is whole, nothing. The bound is a hard one: among any n successive frames the keys cost at most
/// `share` · n + `saved` whole ones.
public struct BudgetedResolution: KeyframeScheduler {
  /// The scheduler whose key frames these are.
  public private(set) var base: any KeyframeScheduler
  /// That of `base`.
  public var movingThreshold: Double? {
    get { base.movingThreshold }
    set { base.movingThreshold = newValue }
  }
  /// What the sides of the picture may be multiplied by, the largest first.
  public let scales: [Double]
  /// What may still be spent, in key frames of the whole picture.
  public private(set) var allowance: KeyframeBudget

  /// The key frames of `base`, whose cost is `share` whole ones a frame in the long run.
  ///
  /// - Precondition: there are scales, all above 0 and not above 1; the share is from 0 to 1; what
  ///   can be saved is enough for one whole key.
  public init(
    _ base: some KeyframeScheduler, scales: [Double], share: Double, saved: Double = 2
  ) {
    precondition(
      !scales.isEmpty && scales.allSatisfy { $0 > 0 && $0 <= 1 }, "a ladder of \(scales)")
    (self.base, self.scales) = (base, scales.sorted(by: >))
    allowance = KeyframeBudget(.rate(share, saved: saved))
  }

  /// The other scheduler's key frames, at the largest scale that is afforded; not key without one.
  public mutating func decision(at context: FrameContext) throws -> Decision {
    allowance.advance()
    let decision = try base.decision(at: context)
    guard decision.role == .key else { return decision }
    guard let scale = scales.first(where: { allowance.affords($0 * $0) }) else {
      let least = scales[scales.count - 1]
      return decision.with(
        .propagated,
        because: Reason("budget spent", score: allowance.left, threshold: least * least))
    }
    allowance.spend(scale * scale)
    return decision.with(scale: scale)
  }
}
