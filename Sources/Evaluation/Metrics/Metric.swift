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

  /// The figures by name; empty before anything was counted.
  var values: [String: Double] { get }
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

  /// The figures of `DetectionAccuracy`; empty before anything was counted.
  public var values: [String: Double] { accuracy.values }
}
