// SPDX-License-Identifier: Apache-2.0

public import Datasets
public import Pipeline
public import Scheduler
public import Video

/// The threshold of a change score at which a share of a clip's frames is key: a threshold that
/// means something, out of one that does not carry over from data to data.
public struct ThresholdCalibration: Sendable, Hashable {
  /// The threshold found, in the change score's unit.
  public let threshold: Double
  /// The share of frames that is key at that threshold, as near as the clip's frames allow to what
  /// was wanted.
  public let share: Double

  /// Searches the threshold by bisection, running `pipeline` over the clip for each: it may be of
  /// any scheduler.
  ///
  /// `progress` is called after each run and stops the search by false.
  ///
  /// - Returns: Nil where it was stopped, or where no frame ever deviates.
  /// - Precondition: the rate is above 0 and not above 1; the clip is not empty.
  public init?(
    of changeScore: some ChangeScore, rate: Double, in pipeline: KeyframePipeline<Image>,
    on clip: some LabelledClip,
    progress: (_ threshold: Double, _ share: Double) -> Bool = { _, _ in true }
  ) throws {
    precondition(rate > 0 && rate <= 1 && clip.count > 0, "a rate of \(rate)")
    // A first run, which holds the rate as it goes, finds the scale.
    let scouted = try Self.traces(
      pipeline.with(scheduler: TargetRateScheduler(changeScore, rate: rate)), on: clip)
    guard let scale = scouted.compactMap(\.decision.reason.threshold).last, scale > 0 else {
      return nil
    }
    var tried: [ThresholdCalibration] = []
    func isAbove(_ threshold: Double) throws -> Bool? {
      let traces = try Self.traces(
        pipeline.with(scheduler: ThresholdScheduler(changeScore, threshold: threshold)), on: clip)
      let share = Double(traces.count { $0.startsBackbone }) / Double(traces.count)
      tried.append(ThresholdCalibration(threshold: threshold, share: share))
      return progress(threshold, share) ? share > rate : nil
    }
    // A threshold with too many keys and one with no more than enough; then the middle of their
    // logarithms, until the share is met to half a frame.
    guard let isDense = try isAbove(scale) else { return nil }
    let near = 0.5 / Double(clip.count)
    func isMet() -> Bool { tried.contains { abs($0.share - rate) <= near } }
    var (low, high) = (scale, scale)
    for _ in 0..<24 where !isMet() {
      if isDense { (low, high) = (high, 2 * high) } else { (low, high) = (low / 2, low) }
      guard let isStillSo = try isAbove(isDense ? high : low) else { return nil }
      if isStillSo != isDense { break }
    }
    for _ in 0..<12 where !isMet() {
      let middle = (low * high).squareRoot()
      guard let dense = try isAbove(middle) else { return nil }
      if dense { low = middle } else { high = middle }
    }
    guard let best = tried.min(by: { abs($0.share - rate) < abs($1.share - rate) }) else {
      return nil
    }
    self = best
  }

  /// The share of key frames at which frames of `clip` take `latency` on average, as long as they
  /// now take in `pipeline`: an eighth of them is made key frames to tell.
  ///
  /// - Returns: Nil where no share gives it, because a non-key frame takes longer already.
  /// - Precondition: the latency is positive; the clip is not empty.
  public static func rate(
    for latency: Duration, in pipeline: KeyframePipeline<Image>, on clip: some LabelledClip
  ) throws -> Double? {
    precondition(latency > .zero && clip.count > 0, "a latency of \(latency)")
    // The first frame warms up what comes after it.
    let traces = try traces(pipeline.with(scheduler: .every(8)), on: clip).dropFirst()
    func mean(_ role: FrameRole) -> Double? {
      let times = traces.filter { $0.role == role }.map { $0.total / .seconds(1) }
      return times.isEmpty ? nil : times.reduce(0, +) / Double(times.count)
    }
    guard let key = mean(.key), let other = mean(.propagated) else { return nil }
    let wanted = latency / .seconds(1)
    if wanted >= key { return 1 }
    return wanted > other ? (wanted - other) / (key - other) : nil
  }

  private init(threshold: Double, share: Double) {
    (self.threshold, self.share) = (threshold, share)
  }

  private static func traces(
    _ pipeline: KeyframePipeline<Image>, on clip: some LabelledClip
  ) throws -> [FrameTrace] {
    var state = pipeline.start()
    return try (0..<clip.count).map {
      try pipeline.label(clip.frame(at: $0), in: &state).trace
    }
  }
}
