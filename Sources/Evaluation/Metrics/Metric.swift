// SPDX-License-Identifier: Apache-2.0

public import Pipeline
public import Video

/// A figure of predictions against ground truth: add frame by frame, then ask.
///
/// *Must keep* this law: the same frames give the same values, in whatever pieces they are added.
public protocol Metric<Prediction, Target>: Sendable {
  /// What is measured: a label map, a depth map, boxes.
  associatedtype Prediction
  /// What it is measured against.
  associatedtype Target

  /// Counts a frame; `target` is nil where nobody annotated it. The trace tells its role and its
  /// age.
  mutating func add(_ prediction: Prediction, target: Target?, trace: FrameTrace) throws

  /// Counts a frame as `add` does, and tells what it counts towards each figure, from which
  /// intervals are computed.
  ///
  /// Nothing unless a metric says otherwise: its figures then have no intervals. What all frames
  /// tell, added up, must give `values`.
  mutating func counts(
    adding prediction: Prediction, target: Target?, trace: FrameTrace
  ) throws -> [String: FigureCounts]

  /// The figures by name; empty before anything was counted.
  var values: [String: Double] { get }
}

extension Metric {
  /// Adds the frame, and tells nothing of it.
  public mutating func counts(
    adding prediction: Prediction, target: Target?, trace: FrameTrace
  ) throws -> [String: FigureCounts] {
    try add(prediction, target: target, trace: trace)
    return [:]
  }
}

/// Accuracy of depth maps (Eigen et al., NeurIPS 2014): `abs_rel`, `delta1` and others.
public struct DepthMetric: Metric {
  private var accuracy: DepthAccuracy

  /// Counts pixels as `DepthAccuracy` does.
  public init(_ accuracy: DepthAccuracy = DepthAccuracy()) { self.accuracy = accuracy }

  /// Counts a depth map, resized to the true one's size; one without truth is left out.
  public mutating func add(
    _ prediction: DepthMap, target: DepthMap?, trace _: FrameTrace
  ) {
    guard let target else { return }
    accuracy.add(predicted: prediction.resized(to: target.size), truth: target)
  }

  /// Counts a depth map, and tells the sums over its pixels.
  public mutating func counts(
    adding prediction: DepthMap, target: DepthMap?, trace _: FrameTrace
  ) -> [String: FigureCounts] {
    guard let target else { return [:] }
    var frame = DepthAccuracy(
      range: accuracy.range, alignment: accuracy.alignment, farthest: accuracy.farthest)
    frame.add(predicted: prediction.resized(to: target.size), truth: target)
    accuracy += frame
    return frame.counts
  }

  /// The figures of `DepthAccuracy`; empty before a pixel was counted.
  public var values: [String: Double] { accuracy.values }
}

/// Mean average precision of boxes, equal to pycocotools: `mAP50`, `mAP50_95`.
public struct DetectionMetric: Metric {
  private var accuracy: DetectionAccuracy

  /// Boxes of so many classes.
  public init(classes: Int) { accuracy = DetectionAccuracy(classes: classes) }

  /// Counts the boxes of a frame; one without truth is left out.
  public mutating func add(
    _ prediction: [Detection], target: [GroundTruthBox]?, trace _: FrameTrace
  ) {
    guard let target else { return }
    accuracy.add(detections: prediction, truth: target)
  }

  /// Counts the boxes of a frame, and tells what became of each.
  public mutating func counts(
    adding prediction: [Detection], target: [GroundTruthBox]?, trace _: FrameTrace
  ) -> [String: FigureCounts] {
    guard let target else { return [:] }
    var frame = DetectionAccuracy(classes: accuracy.classCount)
    frame.add(detections: prediction, truth: target)
    accuracy += frame
    return ["mAP": .detections(frame)]
  }

  /// The figures of `DetectionAccuracy`; empty before anything was counted.
  public var values: [String: Double] { accuracy.values }
}

/// MOTA, IDF1 and HOTA of boxes that have identities, as TrackEval defines them.
///
/// Boxes and truths without an identity do not count; there are no figures where none has one.
/// Unlike average precision these figures know no scores: what is less sure than `leastScore` is
/// left out.
public struct TrackingMetric: Metric {
  /// The score from which a box counts.
  public let leastScore: Double
  private var accuracy = TrackingAccuracy()
  private var isTracked = false

  /// Nothing is counted yet; boxes count from a score of 0.4 unless said otherwise.
  public init(leastScore: Double = 0.4) { self.leastScore = leastScore }

  /// Counts the boxes of a frame; one without truth is left out.
  public mutating func add(
    _ prediction: [Detection], target: [GroundTruthBox]?, trace: FrameTrace
  ) {
    guard let target else { return }
    let boxes = prediction.filter { $0.score >= leastScore }.compactMap { found in
      found.identity.map {
        IdentifiedBox(identity: $0, category: found.category, box: found.box)
      }
    }
    isTracked = isTracked || !boxes.isEmpty
    accuracy.add(boxes, truth: target, age: trace.framesSinceKeyframe)
  }

  /// `MOTA`, `IDF1`, `HOTA` and what they are made of; empty before a box had an identity.
  public var values: [String: Double] { isTracked ? accuracy.values : [:] }
}
