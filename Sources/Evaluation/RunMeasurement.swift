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
  /// Which motion temporal consistency was measured along; nil where no pair of frames was
  /// compared.
  public private(set) var consistencyFlow: ConsistencyFlow?

  /// An empty measurement.
  ///
  /// The first `warmUp` frames of each role are not timed: networks still compile then. Where a run
  /// is warmed up beforehand it is 0, and every frame counts.
  public init(classes: ClassList, warmUp: Int = RunCosts.usualWarmUp) {
    self.classes = classes
    costs = RunCosts(warmUp: warmUp)
    whole = ConfusionMatrix(classes: classes.count)
    consistency = (
      TemporalConsistency(classes: classes.count),
      TemporalConsistency(classes: classes.count, variant: .published)
    )
    let void = classes.void ?? 255
    steadiness = (VideoConsistency(window: 8, void: void), VideoConsistency(window: 16, void: void))
  }

  /// Counts one frame.
  ///
  /// Its labels are held against `truth`, one id a pixel, nil where nobody labelled the frame;
  /// `decode` is the time it took to get the frame into memory, nil where that says nothing.
  public mutating func add(_ frame: LabelledFrame, truth: Image?, decode: Duration?) {
    let trace = frame.trace
    costs.add(trace, decode: decode)
    let labels = truth.map { frame.labels.scaledLabels(to: $0.size) } ?? frame.labels
    steadiness.short.add(labels, truth: truth, followsBreak: trace.followsBreak)
    steadiness.long.add(labels, truth: truth, followsBreak: trace.followsBreak)
    guard let truth else { return }
    var matrix = ConfusionMatrix(classes: classes.count)
    matrix.add(predicted: labels, truth: truth)
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
    consistency.clean.add(current: current, previous: previous, motion: motion)
    consistency.published.add(current: current, previous: previous, motion: onward)
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
