// SPDX-License-Identifier: Apache-2.0

public import Datasets
public import Flow
public import Pipeline
internal import Video

/// Runs a pipeline over a labelled clip and measures it.
public struct Evaluator: Sendable {
  private let pipeline: KeyframePipeline
  private let clip: any Clip
  private let flow: any FlowEstimator

  /// Measures `pipeline` on `clip`.
  ///
  /// The motion of `consistency` tells how steady the labels are, for clips whose motion is not known;
  /// it is one for all runs, so that their figures can be compared.
  public init(
    _ pipeline: KeyframePipeline, on clip: some Clip,
    consistency flow: some FlowEstimator = DISFlow(preset: .medium)
  ) {
    (self.pipeline, self.clip, self.flow) = (pipeline, clip, flow)
  }

  /// What a run over the whole clip gives; `each` is called after every frame, and false stops it.
  public func run(each: (Sample, LabelledFrame) throws -> Bool = { _, _ in true }) throws
    -> RunMeasurement
  {
    var (state, measurement) = (pipeline.start(), RunMeasurement(classes: clip.classes))
    var previous: (sample: Sample, labels: Image)?
    let clock = ContinuousClock()
    for index in 0..<clip.count {
      let begin = clock.now
      let sample = try clip.sample(at: index)
      let decode = clock.now - begin
      let result = try pipeline.label(sample.frame, in: &state)
      measurement.add(result, truth: sample.labels, decode: decode)
      let labels = result.labels.scaledLabels(to: sample.frame.pixels.size)
      if let previous, !sample.frame.followsBreak {
        let motion = try motion(from: sample.frame, to: previous.sample.frame)
        measurement.addPair(current: labels, previous: previous.labels, motion: motion)
      }
      previous = (sample, labels)
      guard try each(sample, result) else { break }
    }
    return measurement
  }

  private func motion(from current: Frame, to previous: Frame) throws -> MotionField {
    if let clip = clip as? any ClipWithMotion {
      return try clip.motion(from: current.index, to: previous.index)
    }
    return try flow.motion(from: current, to: previous)
  }
}
