// SPDX-License-Identifier: Apache-2.0

/// Accuracy over the labelled frames of a run; `mIoU`, `mAcc` and `aAcc` as in mmsegmentation.
public struct Accuracy: Sendable, Codable, Hashable {
  /// Mean IoU, mean accuracy of the classes and accuracy of all pixels, from 0 to 1; nil without
  /// any.
  public let mIoU, mAcc, aAcc: Double?
  /// The intersection over union of each class; nil for one that never occurs.
  public let perClass: [String: Double?]
  /// At each distance from the key frame, 0 being the key frames themselves; nil where none was.
  public let mIoUByDistance: [Double?]
  /// The mean of the frames' own mIoU, each over the classes that it has: what `OracleSchedule`
  /// maximises.
  public let frameMIoU: Double
  /// Agreement of successive predictions along the motion: see `TemporalConsistency.Variant.clean`,
  /// and `published` for the other.
  public let temporalConsistency: Double?, publishedConsistency: Double?
  /// The share of constant truth whose prediction is constant, over 8 and 16 frames:
  /// `VideoConsistency`.
  public let videoConsistency8: Double?, videoConsistency16: Double?
  /// How many frames had labels to compare with.
  public let labelledFrames: Int

  enum CodingKeys: String, CodingKey {
    case mIoU, mAcc, aAcc
    case perClass = "per_class"
    case mIoUByDistance = "mIoU_by_distance"
    case frameMIoU = "mIoU_frame_mean"
    case temporalConsistency = "TC"
    case publishedConsistency = "TC_ETC"
    case videoConsistency8 = "VC8"
    case videoConsistency16 = "VC16"
    case labelledFrames = "labelled_frames"
  }
}

/// Speed of a run; milliseconds.
///
/// Figures over all frames count each role as often as it occurred, also where its first frames
/// were left out.
public struct Speed: Sendable, Codable {
  /// From the frame in memory to its labels.
  public struct LatencyByRole: Sendable, Codable {
    /// Milliseconds of all frames, of key frames and of propagated ones; nil where none was timed.
    public let all, key, propagated: LatencySummary?
    /// Milliseconds by the name of the pipeline's stage, `decode` among them.
    public let byStage: [String: LatencySummary]

    enum CodingKeys: String, CodingKey {
      case all, key, propagated
      case byStage = "by_stage"
    }
  }

  /// One stream, each frame done before the next begins, as MLPerf calls it.
  public let scenario = "single-stream"
  /// How many frames were labelled, those that were not timed among them.
  public let frames: Int
  /// The share of frames, or of their regions, that the backbone ran on.
  public let keyframeRatio: Double
  /// How often each distance between key frames occurred.
  public let keyframeIntervals: [String: Int]
  /// Frame in memory → labels.
  public let latency: LatencyByRole
  /// Compressed packet or file → labels.
  public let endToEnd: LatencySummary?
  /// Frames a second of the pipeline, one stream, decoding left out.
  public let throughput: Double?
  /// Frames that were labelled and not timed.
  public let warmUp: Int

  init(
    frames: Int, keyFrames: Double, intervals: [Int: Int], latency: LatencyByRole,
    endToEnd: LatencySummary?, warmUp: Int
  ) {
    (self.frames, self.latency, self.endToEnd, self.warmUp) = (frames, latency, endToEnd, warmUp)
    keyframeRatio = frames == 0 ? 0 : keyFrames / Double(frames)
    keyframeIntervals = Dictionary(uniqueKeysWithValues: intervals.map { ("\($0)", $1) })
    throughput = latency.all.flatMap { $0.mean > 0 ? 1000 / $0.mean : nil }
  }

  enum CodingKeys: String, CodingKey {
    case scenario, frames, latency = "latency_ms"
    case keyframeRatio = "keyframe_ratio"
    case keyframeIntervals = "keyframe_interval_hist"
    case endToEnd = "end_to_end_ms"
    case throughput = "throughput_fps"
    case warmUp = "warmup"
  }
}
