// SPDX-License-Identifier: Apache-2.0

public import Datasets
public import Pipeline
public import Scheduler
public import Video

/// The best keys of a labelled clip for a pipeline, at any number of them: what no causal scheduler
/// can beat.
///
/// Every frame is made key once, and propagated from it to those after it as far as `horizon`; a
/// frame is worth its own mIoU, over the classes that it has. The sum over the clip is what the
/// keys are chosen by (`optimalKeyframes`), which is not quite the mIoU of the whole.
public struct OracleSchedule: Sendable {
  /// By key, then by distance from it.
  public let scores: [[Double]]

  /// Measures every frame of `clip` from every key; `progress` is called after each key and stops
  /// it by false.
  ///
  /// - Returns: Nil where it was stopped.
  /// - Precondition: the horizon is positive.
  public init?(
    _ pipeline: KeyframePipeline<Image>, on clip: some LabelledClip, horizon: Int = 30,
    progress: (_ done: Int) -> Bool = { _ in true }
  ) throws {
    guard
      let scores = try Self.scores(
        of: pipeline.with(scheduler: ExplicitKeyframes([])), on: clip, horizon: horizon,
        progress: progress)
    else { return nil }
    self.scores = scores
  }

  /// What frames are worth by key, then by distance from it, where the pipeline's scheduler makes
  /// none key by itself.
  static func scores(
    of pipeline: KeyframePipeline<Image>, on clip: some LabelledClip, horizon: Int,
    progress: (_ done: Int) -> Bool
  ) throws -> [[Double]]? {
    precondition(horizon > 0, "a horizon of \(horizon)")
    var scores: [[Double]] = []
    for key in 0..<clip.count {
      var (state, row) = (pipeline.start(), [Double]())
      for index in key..<min(clip.count, key + horizon) {
        let sample = try clip.sample(at: index)
        // What is propagated across a break is worth nothing.
        if index > key && sample.frame.followsBreak { break }
        let labels = try pipeline.label(sample.frame, in: &state).labels
        row.append(score(labels, sample.labels, classes: clip.classes.count))
      }
      scores.append(row)
      guard progress(key + 1) else { return nil }
    }
    return scores
  }

  private static func score(_ labels: Image, _ truth: Image?, classes: Int) -> Double {
    guard let truth else { return 0 }
    var matrix = ConfusionMatrix(classes: classes)
    matrix.add(predicted: labels.scaledLabels(to: truth.size), truth: truth)
    return matrix.meanIoU ?? 0
  }

  /// The best keys where a share of the frames is to be key: rounded to whole keys, and as many
  /// more as it takes to leave no frame beyond the horizon.
  public func keys(rate: Double) -> ExplicitKeyframes {
    let frames = scores.count
    var count = min(frames, max(1, Int((rate * Double(frames)).rounded())))
    while true {
      let best = optimalKeyframes(count, ofFrames: frames) { key, frame in
        scores[key].indices.contains(frame - key) ? scores[key][frame - key] : -.infinity
      }
      if best.total > -.infinity || count == frames { return ExplicitKeyframes(Set(best.keys)) }
      count += 1
    }
  }
}
