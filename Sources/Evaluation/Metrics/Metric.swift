// SPDX-License-Identifier: Apache-2.0

public import Pipeline
internal import Scheduler
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

/// Accuracy of depth maps (Eigen et al., NeurIPS 2014): `abs_rel`, `delta1` and others; and how
/// much it changes from frame to frame: `flicker_at_keys`, `flicker_between`.
///
/// Flicker is the mean of |ln(p / t) − ln(p' / t')|, where p and t are what is predicted and true
/// of a pixel and p' and t' of the same pixel of the frame before: how much the relative error
/// jumps. A constant error is no flicker. Flicker at key frames and at non-key frames are two
/// figures, so that popping at key frames shows.
public struct DepthMetric: Metric {
  private var accuracy: DepthAccuracy
  private var flicker = Jumps("flicker")
  private var last: (errors: [Float], size: PixelSize)?

  /// Counts pixels as `DepthAccuracy` does.
  public init(_ accuracy: DepthAccuracy = DepthAccuracy()) { self.accuracy = accuracy }

  /// Counts a depth map, resized to the true one's size; one without truth is left out.
  public mutating func add(_ prediction: DepthMap, target: DepthMap?, trace: FrameTrace) {
    _ = counts(adding: prediction, target: target, trace: trace)
  }

  /// Counts a depth map, and tells the sums over its pixels.
  public mutating func counts(
    adding prediction: DepthMap, target: DepthMap?, trace: FrameTrace
  ) -> [String: FigureCounts] {
    guard let target else {
      last = nil
      return [:]
    }
    var frame = DepthAccuracy(
      range: accuracy.range, alignment: accuracy.alignment, farthest: accuracy.farthest)
    let prediction = prediction.resized(to: target.size)
    frame.add(predicted: prediction, truth: target)
    accuracy += frame
    let errors = accuracy.logErrors(predicted: prediction, truth: target)
    var counts = frame.counts
    if let last, last.size == target.size, trace.streamBreak == nil {
      var (sum, count) = (0.0, 0)
      for (now, before) in zip(errors, last.errors) where !(now - before).isNaN {
        (sum, count) = (sum + Double(abs(now - before)), count + 1)
      }
      counts.merge(flicker.add(sum, of: count, toKey: trace.role == .key)) { $1 }
    }
    last = (errors, target.size)
    return counts
  }

  /// The figures of `DepthAccuracy` and of flicker; empty before a pixel was counted.
  public var values: [String: Double] { accuracy.values.merging(flicker.values) { $1 } }
}

/// Changes from one frame to the next, told apart by whether the later frame is key.
private struct Jumps: Sendable {
  private let name: String
  private var sums = (keys: 0.0, between: 0.0), counts = (keys: 0, between: 0)

  init(_ name: String) { self.name = name }

  private var names: (keys: String, between: String) { ("\(name)_at_keys", "\(name)_between") }

  /// Adds changes that come to `sum`, and gives them as a frame's counts.
  mutating func add(_ sum: Double, of count: Int, toKey: Bool) -> [String: FigureCounts] {
    guard count > 0 else { return [:] }
    if toKey {
      (sums.keys, counts.keys) = (sums.keys + sum, counts.keys + count)
    } else {
      (sums.between, counts.between) = (sums.between + sum, counts.between + count)
    }
    return [toKey ? names.keys : names.between: .mean(sum: sum, weight: Double(count))]
  }

  /// The means; those of which there are no changes are left out.
  var values: [String: Double] {
    var values: [String: Double] = [:]
    if counts.keys > 0 { values[names.keys] = sums.keys / Double(counts.keys) }
    if counts.between > 0 { values[names.between] = sums.between / Double(counts.between) }
    return values
  }
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
    return ["mAP": .detections(accuracy.counting(detections: prediction, truth: target))]
  }

  /// The figures of `DetectionAccuracy`; empty before anything was counted.
  public var values: [String: Double] { accuracy.values }
}

/// Mean average precision of masks, equal to pycocotools: `mask_mAP50`, `mask_mAP50_95`.
///
/// There are no figures where no truth has a mask. A detection without one, or with one of another
/// size, overlaps nothing.
public struct MaskMetric: Metric {
  private var accuracy: DetectionAccuracy

  /// Masks of so many classes.
  public init(classes: Int) { accuracy = DetectionAccuracy(classes: classes, by: .mask) }

  /// Counts the masks of a frame; one whose truth has none is left out.
  public mutating func add(
    _ prediction: [Detection], target: [GroundTruthBox]?, trace: FrameTrace
  ) {
    _ = counts(adding: prediction, target: target, trace: trace)
  }

  /// Counts the masks of a frame, and tells what became of each.
  public mutating func counts(
    adding prediction: [Detection], target: [GroundTruthBox]?, trace _: FrameTrace
  ) -> [String: FigureCounts] {
    // A frame without objects counts where detections have masks: whatever is found is wrong.
    guard let target, target.isEmpty ? prediction.hasMasks : target.hasMasks else {
      return [:]
    }
    return ["mask_mAP": .detections(accuracy.counting(detections: prediction, truth: target))]
  }

  /// The figures of `DetectionAccuracy`; empty before a mask was counted.
  public var values: [String: Double] { accuracy.values }
}

/// Mean average precision by COCO's object key point similarity, equal to pycocotools:
/// `oks_mAP50`, `oks_mAP50_95`.
///
/// There are no figures where no truth has key points. A detection with another number of them than
/// a truth is not like it at all.
public struct KeyPointMetric: Metric {
  private var accuracy: DetectionAccuracy

  /// Key points of objects of so many classes.
  ///
  /// `sigma` is how much people who mark a point differ, as a share of the object's length, for all
  /// points; unless it is given it is COCO's of a body where there are 17, and 0.05 elsewhere.
  public init(classes: Int, sigma: Double? = nil) {
    accuracy = DetectionAccuracy(classes: classes, by: .points, sigma: sigma)
  }

  /// Counts the key points of a frame; one whose truth has none is left out.
  public mutating func add(
    _ prediction: [Detection], target: [GroundTruthBox]?, trace: FrameTrace
  ) {
    _ = counts(adding: prediction, target: target, trace: trace)
  }

  /// Counts the key points of a frame, and tells what became of each object.
  public mutating func counts(
    adding prediction: [Detection], target: [GroundTruthBox]?, trace _: FrameTrace
  ) -> [String: FigureCounts] {
    // A frame without objects counts where detections have points: whatever is found is wrong.
    guard let target, target.isEmpty ? prediction.havePoints : target.havePoints else {
      return [:]
    }
    return ["oks_mAP": .detections(accuracy.counting(detections: prediction, truth: target))]
  }

  /// The figures of `DetectionAccuracy`; empty before a point was counted.
  public var values: [String: Double] { accuracy.values }
}

extension [Detection] {
  fileprivate var hasMasks: Bool { contains { $0.mask != nil } }
  fileprivate var havePoints: Bool { contains { !$0.points.isEmpty } }
}

extension [GroundTruthBox] {
  fileprivate var hasMasks: Bool { contains { $0.mask != nil } }
  fileprivate var havePoints: Bool { contains { !$0.points.isEmpty } }
}

/// MOTA, IDF1 and HOTA of boxes that have identities, as TrackEval defines them.
///
/// Boxes and truths without an identity do not count; there are no figures where none has one.
/// Unlike average precision these figures know no scores: what is less sure than `leastScore` is
/// left out. Beside them, `jump_at_keys` and `jump_between`: the mean of 1 − IoU of a box and the
/// same identity's on the frame before. Where key frames pop, the former is the larger.
public struct TrackingMetric: Metric {
  /// The score from which a box counts.
  public let leastScore: Double
  private var accuracy = TrackingAccuracy()
  private var isTracked = false
  private var jumps = Jumps("jump")
  private var last: [Int: BoundingBox] = [:]

  /// Nothing is counted yet; boxes count from a score of 0.4 unless said otherwise.
  public init(leastScore: Double = 0.4) { self.leastScore = leastScore }

  /// Counts the boxes of a frame; one without truth is left out.
  public mutating func add(
    _ prediction: [Detection], target: [GroundTruthBox]?, trace: FrameTrace
  ) {
    _ = counts(adding: prediction, target: target, trace: trace)
  }

  /// Counts the boxes of a frame, and tells how far they jumped; the other figures are of whole
  /// clips.
  public mutating func counts(
    adding prediction: [Detection], target: [GroundTruthBox]?, trace: FrameTrace
  ) -> [String: FigureCounts] {
    let boxes = prediction.filter { $0.score >= leastScore }.compactMap { found in
      found.identity.map {
        IdentifiedBox(identity: $0, category: found.category, box: found.box)
      }
    }
    if trace.streamBreak != nil { last = [:] }
    let steps = boxes.compactMap { box in
      last[box.identity].map { 1 - $0.intersectionOverUnion(with: box.box) }
    }
    last = Dictionary(boxes.map { ($0.identity, $0.box) }) { first, _ in first }
    let counts = jumps.add(steps.reduce(0, +), of: steps.count, toKey: trace.role == .key)
    guard let target else { return counts }
    isTracked = isTracked || !boxes.isEmpty
    accuracy.add(boxes, truth: target, age: trace.framesSinceKeyframe)
    return counts
  }

  /// `MOTA`, `IDF1`, `HOTA` and what they are made of; empty before a box had an identity.
  public var values: [String: Double] {
    isTracked ? accuracy.values.merging(jumps.values) { $1 } : [:]
  }
}
