// SPDX-License-Identifier: Apache-2.0

public import Pipeline
internal import Scheduler
internal import Video

/// What is kept of one frame of a measured run: its role, its times, and what it counts towards
/// each figure.
///
/// A run's figures can be computed again from its records, over any of its frames.
public struct FrameRecord: Sendable, Codable, Equatable {
  /// The position in the clip, from 0.
  public var index: Int
  /// Presentation time in seconds.
  public var time: Double
  /// Whether the frame waited for the backbone.
  public var isKey: Bool
  /// The share of the frame that the backbone ran on.
  public var keyShare: Double
  /// Frames since the last key frame; 0 at the key frame itself.
  public var framesSinceKeyframe: Int
  /// The rule that decided the role, and what it compared: nil where it compared nothing.
  public var reason: String, score: Double?, threshold: Double?
  /// Why the stream broke before this frame; nil where it goes on.
  public var streamBreak: String?
  /// MACs that were counted: see `FrameTrace.macs`.
  public var macs: Int
  /// From the frame in memory to its prediction, and the time to get it there, in milliseconds; nil
  /// where the run was not timed.
  public var milliseconds: Double?, decodeMilliseconds: Double?
  /// What the frame counts, by figure: ``labels``, `TC`, `VC8`, ….
  public var counts: [String: FigureCounts]

  /// The name of the counts of labels against truth, from which mIoU is computed.
  public static let labels = "mIoU"
  /// The names of temporal consistency: see `TemporalConsistency.Variant`.
  public static let consistency = "TC", publishedConsistency = "TC_ETC"
  /// The names of temporal consistency of key frames with the frames before them, and of all
  /// others: where labels jump at key frames, the former is lower.
  public static let consistencyAtKeys = "TC_at_keys", consistencyBetween = "TC_between"
  /// The names of video consistency over 8 and 16 frames.
  public static let video8 = "VC8", video16 = "VC16"
  /// The name of the mean of the frames' own mIoU.
  public static let frameMean = "mIoU_frame_mean"

  /// The record of a frame that has counted nothing yet.
  public init(_ trace: FrameTrace, decode: Duration? = nil, isTimed: Bool = true) {
    (index, time, isKey) = (trace.index, trace.time, trace.role == .key)
    (keyShare, framesSinceKeyframe) = (trace.keyShare, trace.framesSinceKeyframe)
    let why = trace.decision.reason
    reason = why.rule
    // JSON has no infinity.
    (score, threshold) = (why.score?.finite, why.threshold?.finite)
    (streamBreak, macs) = (trace.streamBreak?.rawValue, trace.macs)
    milliseconds = isTimed ? trace.total.milliseconds : nil
    decodeMilliseconds = isTimed ? decode?.milliseconds : nil
    counts = [:]
  }

  enum CodingKeys: String, CodingKey {
    case index, time, reason, score, threshold, macs, counts
    case isKey = "key"
    case keyShare = "key_share"
    case framesSinceKeyframe = "frames_since_key"
    case streamBreak = "break"
    case milliseconds = "ms"
    case decodeMilliseconds = "decode_ms"
  }
}

extension [FrameRecord] {
  /// The names of all that was counted.
  public var figures: Set<String> { reduce(into: []) { $0.formUnion($1.counts.keys) } }

  /// What the frames counted towards a figure, in order; those that counted nothing are left out.
  public func counts(of figure: String) -> [FigureCounts] { compactMap { $0.counts[figure] } }

  /// The sum of what the frames counted; nil where none did.
  public func sum(of figure: String) -> FigureCounts? {
    let all = counts(of: figure)
    guard var sum = all.first else { return nil }
    for counts in all.dropFirst() { sum += counts }
    return sum
  }

  /// Every figure by name, of the frames 0, 1, 2, … after their key frame, a hundred at most; nil
  /// where none of them counts.
  public var valuesByDistance: [String: [Double?]] {
    let groups = Dictionary(grouping: self, by: \.framesSinceKeyframe)
    guard let furthest = groups.keys.max() else { return [:] }
    let values = (0...Swift.min(furthest, 99)).map { groups[$0]?.values ?? [:] }
    let names = Set(values.flatMap(\.keys))
    return Dictionary(uniqueKeysWithValues: names.map { name in (name, values.map { $0[name] }) })
  }

  /// Every figure by name.
  public var values: [String: Double] {
    figures.reduce(into: [:]) { values, figure in
      values.merge(sum(of: figure)?.values(named: figure) ?? [:]) { first, _ in first }
    }
  }
}

extension Double {
  fileprivate var finite: Double? { isFinite ? self : nil }
}
