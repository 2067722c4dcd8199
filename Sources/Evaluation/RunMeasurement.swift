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
  /// The share of each frame that the backbone ran on, and of that which waited for it.
  private var shares: [(key: Double, waiting: Double)] = []
  private var timings: Timings
  /// Which motion temporal consistency was measured along; nil where no pair of frames was compared.
  public private(set) var consistencyFlow: ConsistencyFlow?
  /// Whether any part of the pipeline asked for optical flow.
  public private(set) var usesFlow = false
  /// Multiply-adds of all frames, of those that were key as a whole, and whether any such counted none.
  private var work = (all: 0, key: 0, keys: 0, isUncounted: false)

  /// An empty measurement.
  ///
  /// The first `warmUp` frames of each role are not timed: networks still compile then. Where a run is
  /// warmed up beforehand it is 0, and every frame counts.
  public init(classes: ClassList, warmUp: Int = 3) {
    self.classes = classes
    timings = Timings(warmUp: warmUp)
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
    shares.append((trace.keyShare, trace.role == .key ? 1 : 0))
    timings.add(trace, decode: decode)
    usesFlow = usesFlow || trace.stages[.flow] != nil
    work.all += trace.macs
    if trace.role == .key, trace.keyShare == 1 {
      (work.key, work.keys) = (work.key + trace.macs, work.keys + 1)
      if trace.macs == 0 { work.isUncounted = true }
    }
    let labels = truth.map { frame.labels.scaledLabels(to: $0.size) } ?? frame.labels
    steadiness.short.add(labels, truth: truth, followsBreak: trace.followsBreak)
    steadiness.long.add(labels, truth: truth, followsBreak: trace.followsBreak)
    guard let truth else { return }
    var matrix = ConfusionMatrix(classes: classes.count)
    matrix.add(predicted: labels, truth: truth)
    whole += matrix
    while byDistance.count <= trace.framesSinceKey {
      byDistance.append(ConfusionMatrix(classes: classes.count))
    }
    byDistance[trace.framesSinceKey] += matrix
    labelledFrames += 1
    frameScores += matrix.meanIoU ?? 0
  }

  /// Counts the agreement of a frame's labels with those of the frame before.
  ///
  /// `motion` leads to the frame before, unknown where that hides a pixel; `onward` from there to this one.
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

  /// The mean work of a frame and of a key frame, in multiply-adds: see `FrameTrace.macs`; nil where the
  /// backbone's is not counted.
  public var macs: (frame: Double, key: Double)? {
    guard work.keys > 0, !work.isUncounted else { return nil }
    return (Double(work.all) / Double(shares.count), Double(work.key) / Double(work.keys))
  }

  public var speed: Speed {
    Speed(
      frames: shares.count, keyFrames: shares.reduce(0) { $0 + $1.key },
      waitingFrames: shares.reduce(0) { $0 + $1.waiting }, intervals: intervals,
      latency: timings.latency, endToEnd: timings.endToEnd, warmUp: timings.left)
  }

  /// How often each distance between frames that the backbone ran on occurred; the run's last one is not counted.
  private var intervals: [Int: Int] {
    let keys = shares.indices.filter { shares[$0].key > 0 }
    return zip(keys, keys.dropFirst()).reduce(into: [:]) { $0[$1.1 - $1.0, default: 0] += 1 }
  }
}

/// Which motion temporal consistency is measured along.
public enum ConsistencyFlow: String, Sendable, Hashable, Codable {
  /// The clip's own, which is exact.
  case groundTruth = "ground-truth"
  /// An optical flow estimator's.
  case estimated
}

/// The durations of a run, split by role and by stage, its first frames left out.
private struct Timings: Sendable {
  private let warmUp: Int
  private(set) var left = 0
  private var seen = (key: 0, propagated: 0)
  private var all = Latency(), key = Latency(), propagated = Latency(), whole = Latency()
  private var stages: [String: Latency] = [:]

  init(warmUp: Int) { self.warmUp = warmUp }

  mutating func add(_ trace: FrameTrace, decode: Duration?) {
    let isKey = trace.role == .key
    if isKey { seen.key += 1 } else { seen.propagated += 1 }
    guard (isKey ? seen.key : seen.propagated) > warmUp else {
      left += 1
      return
    }
    all.add(trace.total)
    if isKey { key.add(trace.total) } else { propagated.add(trace.total) }
    if let decode {
      whole.add(trace.total + decode)
      stages["decode", default: Latency()].add(decode)
    }
    for (stage, duration) in trace.stages {
      stages[stage.rawValue, default: Latency()].add(duration)
    }
  }

  var latency: Speed.LatencyByRole {
    Speed.LatencyByRole(
      all: all.summary, key: key.summary, propagated: propagated.summary,
      byStage: stages.compactMapValues(\.summary))
  }

  var endToEnd: LatencySummary? { whole.summary }
}
