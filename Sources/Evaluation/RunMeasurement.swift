// SPDX-License-Identifier: Apache-2.0

public import Flow
public import Pipeline
internal import Scheduler
public import Video

/// Gathers accuracy and speed over the frames of a run: add, then ask.
public struct RunMeasurement: Sendable {
  private let classes: ClassList
  private var whole: ConfusionMatrix
  private var byDistance: [ConfusionMatrix] = []
  private var consistency: (clean: TemporalConsistency, published: TemporalConsistency)
  private var steadiness: (short: VideoConsistency, long: VideoConsistency)
  private var labelledFrames = 0
  /// The sum of the frames' own mIoU.
  private var frameScores = 0.0
  private var costs: RunCosts
  /// What is kept of each frame, where it is asked for: `init(classes:warmUp:keeping:)`.
  public private(set) var records: [FrameRecord] = []
  private let keeping: Kept
  /// Which motion temporal consistency was measured along; nil where no pair of frames was
  /// compared.
  public private(set) var consistencyFlow: ConsistencyFlow?

  /// An empty measurement.
  ///
  /// The first `warmUp` frames of each role are not timed: networks still compile then. Where a run
  /// is warmed up beforehand it is 0, and every frame counts.
  ///
  /// `keeping` says what is remembered of each frame, from which intervals are computed.
  public init(
    classes: ClassList, warmUp: Int = RunCosts.usualWarmUp, keeping: Kept = .sums
  ) {
    (self.classes, self.keeping) = (classes, keeping)
    costs = RunCosts(warmUp: warmUp)
    whole = ConfusionMatrix(classes: classes.count)
    consistency = (
      TemporalConsistency(classes: classes.count),
      TemporalConsistency(classes: classes.count, variant: .published)
    )
    let void = classes.void ?? 255
    steadiness = (VideoConsistency(window: 8, void: void), VideoConsistency(window: 16, void: void))
  }

  /// What is remembered of each frame.
  public enum Kept: Sendable, Hashable {
    /// Nothing but sums: memory stays flat over any number of frames.
    case sums
    /// A record of each, in `records`.
    case records
    /// A record of each without times, where others ran beside it: no frame is timed.
    case untimedRecords
  }

  /// Counts one frame.
  ///
  /// Its labels are held against `truth`, one id a pixel, nil where nobody labelled the frame;
  /// `decode` is the time it took to get the frame into memory, nil where that says nothing.
  public mutating func add(_ frame: LabelledFrame, truth: Image?, decode: Duration?) {
    let trace = frame.trace
    costs.add(trace, decode: decode, isTimed: keeping != .untimedRecords)
    if keeping != .sums {
      records.append(
        FrameRecord(trace, decode: decode, isTimed: keeping != .untimedRecords))
    }
    let labels = truth.map { frame.labels.scaledLabels(to: $0.size) } ?? frame.labels
    let short = steadiness.short.add(labels, truth: truth, followsBreak: trace.followsBreak)
    let long = steadiness.long.add(labels, truth: truth, followsBreak: trace.followsBreak)
    keep(short.map { .mean(sum: $0, weight: 1) }, as: FrameRecord.video8)
    keep(long.map { .mean(sum: $0, weight: 1) }, as: FrameRecord.video16)
    guard let truth else { return }
    var matrix = ConfusionMatrix(classes: classes.count)
    matrix.add(predicted: labels, truth: truth)
    keep(.confusion(matrix), as: FrameRecord.labels)
    keep(.mean(sum: matrix.meanIoU ?? 0, weight: 1), as: FrameRecord.frameMean)
    whole += matrix
    while byDistance.count <= trace.framesSinceKeyframe {
      byDistance.append(ConfusionMatrix(classes: classes.count))
    }
    byDistance[trace.framesSinceKeyframe] += matrix
    labelledFrames += 1
    frameScores += matrix.meanIoU ?? 0
  }

  /// Counts the agreement of a frame's labels with those of the frame before.
  ///
  /// `motion` leads to the frame before, unknown where that hides a pixel; `onward` from there to
  /// this one.
  public mutating func addPair(
    current: Image, previous: Image, motion: MotionField, onward: MotionField,
    along source: ConsistencyFlow = .estimated
  ) {
    consistencyFlow = source
    let clean = consistency.clean.add(current: current, previous: previous, motion: motion)
    let published = consistency.published.add(
      current: current, previous: previous, motion: onward)
    keep(.confusion(clean), as: FrameRecord.consistency)
    // How much labels jump where a key frame comes, beside how much they do between.
    let isKey = records.last?.isKey == true
    keep(
      .confusion(clean), as: isKey ? FrameRecord.consistencyAtKeys : FrameRecord.consistencyBetween)
    keep(.confusion(published), as: FrameRecord.publishedConsistency)
  }

  /// Keeps what the last frame counts towards a figure, where records are kept.
  public mutating func keep(_ counts: FigureCounts?, as figure: String) {
    guard let counts, !records.isEmpty else { return }
    records[records.count - 1].counts[figure] = counts
  }

  /// Keeps what each frame counts towards figures of others, where records are kept.
  public mutating func keep(_ counts: [[String: FigureCounts]]) {
    for (place, counts) in zip(records.indices, counts) {
      records[place].counts.merge(counts) { first, _ in first }
    }
  }

  /// What the labelled frames say; nil where none was labelled.
  public var accuracy: Accuracy? {
    guard labelledFrames > 0 else { return nil }
    let classIoU = Dictionary(zip(classes.names, whole.iou)) { first, _ in first }
    return Accuracy(
      mIoU: whole.meanIoU, mAcc: whole.meanAccuracy, aAcc: whole.accuracy, perClass: classIoU,
      mIoUByDistance: byDistance.map(\.meanIoU),
      frameMIoU: frameScores / Double(labelledFrames),
      temporalConsistency: consistency.clean.value,
      publishedConsistency: consistency.published.value,
      videoConsistency8: steadiness.short.value, videoConsistency16: steadiness.long.value,
      labelledFrames: labelledFrames)
  }

  /// What to say where some classes never occur in the labels; nil where all do, or none is known.
  public var absenceWarning: String? {
    guard labelledFrames > 0 else { return nil }
    let absent = zip(classes.names, whole.truthCounts).filter { $1 == 0 }.map(\.0)
    guard !absent.isEmpty else { return nil }
    return "no pixel of \(absent.joined(separator: ", ")) in the labels of \(labelledFrames) "
      + "frames: mIoU leaves such a class out, or counts it as 0 where it is predicted"
  }

  /// How often the stream broke, by why.
  public var breaks: [StreamBreak: Int] { costs.breaks }

  /// See `RunCosts`.
  public var macs: (frame: Double, key: Double)? { costs.macs }

  /// Whether any part of the pipeline asked for optical flow.
  public var usesFlow: Bool { costs.usesFlow }

  /// Latency and throughput of the frames counted so far.
  public var speed: Speed { costs.speed }
}

/// Which motion temporal consistency is measured along.
public enum ConsistencyFlow: String, Sendable, Hashable, Codable {
  /// The clip's own, which is exact.
  case groundTruth = "ground-truth"
  /// An optical flow estimator's.
  case estimated
}
