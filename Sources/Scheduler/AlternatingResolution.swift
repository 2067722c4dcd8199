// SPDX-License-Identifier: Apache-2.0

public import Frames

/// Another scheduler's keys, all but every `fullEvery`th of a smaller picture: between two keys
/// that see all there is come cheap ones, which see what has come into view.
///
/// The adaptive resolution that AR-Seg names as future work (Hu et al., CVPR 2023, section 5), with
/// copies of one network in the place of two.
public struct AlternatingResolution: KeyframeScheduler {
  /// The scheduler whose key frames these are.
  public private(set) var base: any KeyframeScheduler
  /// That of `base`.
  public var movingThreshold: Double? {
    get { base.movingThreshold }
    set { base.movingThreshold = newValue }
  }
  /// What the sides of the smaller picture are multiplied by.
  public let scale: Double
  /// How many key frames come from one that sees the full picture to the next.
  public let fullEvery: Int
  private var sinceFull = 0

  /// The key frames of `base`, of which all but every `fullEvery`th are `scale` times as large.
  ///
  /// - Precondition: the scale is above 0 and not above 1; `fullEvery` is positive.
  public init(_ base: some KeyframeScheduler, scale: Double, fullEvery: Int) {
    precondition(
      scale > 0 && scale <= 1 && fullEvery >= 1, "a scale of \(scale), full every \(fullEvery)")
    (self.base, self.scale, self.fullEvery) = (base, scale, fullEvery)
  }

  /// What the other scheduler says, and of a key frame how large a picture it sees.
  public mutating func decision(at context: FrameContext) throws -> Decision {
    let decision = try base.decision(at: context)
    guard decision.role == .key else { return decision }
    sinceFull = (sinceFull + 1) % fullEvery
    return decision.with(scale: sinceFull == 0 ? 1 : scale)
  }
}
