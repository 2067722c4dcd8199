// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// A key frame once a deviation from the last one is more than a limit, or cannot be told.
public struct DeviationLimit: KeyframeScheduler {
  public let deviation: any Deviation
  public let limit: Double

  /// - Precondition: `limit` is no less than 0.
  public init(_ deviation: some Deviation, limit: Double) {
    precondition(limit >= 0, "a key frame after a deviation of \(limit) makes no sense")
    (self.deviation, self.limit) = (deviation, limit)
  }

  public func decision(at moment: inout Moment) throws -> Decision {
    guard let score = try deviation.score(at: &moment) else {
      return Decision(.key, because: Reason("\(deviation.name) unknown"))
    }
    return Decision(
      score > limit ? .key : .propagated,
      because: Reason(deviation.name, score: score, threshold: limit))
  }
}

/// A key frame once a deviation is more than a limit that is moved so that a given share of frames is key.
///
/// After each frame the limit's logarithm goes up by `gain · (isKey - rate)`: the share of keys is then `rate` in
/// the long run whatever the deviation's scale (stochastic approximation of a quantile; Robbins and Monro,
/// 1951), and the limit rests where the deviation is as usual. Keys that are forced count too. Where nothing
/// changes no frame is key, whatever the rate; the limit never falls below a hundredth of the largest
/// deviation seen, so that a long still is not followed by a burst.
public struct DeviationAtRate: KeyframeScheduler {
  public let deviation: any Deviation
  /// The share of frames that are to be key.
  public let rate: Double
  public let gain: Double
  /// What the deviation is compared with; nil before one was seen.
  public private(set) var limit: Double?

  /// - Precondition: the rate is above 0 and not above 1; the gain is positive.
  public init(
    _ deviation: some Deviation, rate: Double, gain: Double = 0.3, startingAt limit: Double? = nil
  ) {
    precondition(rate > 0 && rate <= 1 && gain > 0, "a rate of \(rate), a gain of \(gain)")
    (self.deviation, self.rate, self.gain, self.limit) = (deviation, rate, gain, limit)
  }

  public mutating func decision(at moment: inout Moment) throws -> Decision {
    // The key itself, of which nobody asked, is the first frame that counts.
    if moment.framesSinceKey == 1, !decidedLast { follow(isKey: true) }
    decidedLast = false
    guard let score = try deviation.score(at: &moment) else {
      return answer(.key, Reason("\(deviation.name) unknown"))
    }
    largest = max(largest, score)
    // The first change that is seen sets the scale: that after 1 / rate frames, were it to grow evenly.
    guard let limit = limit ?? (score > 0 ? score / rate : nil) else {
      return answer(rate == 1 ? .key : .propagated, Reason(deviation.name, score: score))
    }
    self.limit = limit
    return answer(
      score > limit || rate == 1 ? .key : .propagated,
      Reason(deviation.name, score: score, threshold: limit))
  }

  /// Whether the last frame was made key here, and has been counted.
  private var decidedLast = false
  private var largest = 0.0

  private mutating func answer(_ role: FrameRole, _ reason: Reason) -> Decision {
    follow(isKey: role == .key)
    decidedLast = role == .key
    return Decision(role, because: reason)
  }

  private mutating func follow(isKey: Bool) {
    guard let limit else { return }
    self.limit = max(limit * exp(gain * ((isKey ? 1 : 0) - rate)), largest / 100)
  }
}
