// SPDX-License-Identifier: Apache-2.0

public import Datasets
public import Flow
public import Pipeline
public import Video

/// A stream of a labelled clip that is measured frame by frame, alone or beside others.
public struct EvaluationStream {
  /// A frame that was labelled, and what was made of it.
  public typealias Labelled = (sample: LabelledSample, result: LabelledFrame)

  private let label: (Frame?) throws -> [LabelledFrame]
  private var waiting: [(sample: LabelledSample, decode: Duration?)] = []
  private var previous: (frame: Frame, labels: Image)?

  /// A stream that has not begun.
  public init(_ pipeline: some StreamPipeline<Image>) {
    var state = pipeline.start()
    label = { frame in
      guard let frame else { return try pipeline.finish(&state) }
      return try pipeline.add(frame, before: nil, to: &state)
    }
  }

  /// Takes the next frame; counts those whose labels are ready, and the pair that each makes with
  /// the one before.
  ///
  /// `motion` is asked for the motion between two successive frames, the current one first; nil
  /// where temporal consistency is not measured.
  public mutating func add(
    _ sample: LabelledSample, decode: Duration?, to measurement: inout RunMeasurement,
    motion: (Frame, Frame) throws -> PairMotion?
  ) throws -> [Labelled] {
    waiting.append((sample, decode))
    return try count(label(sample.frame), in: &measurement, motion)
  }

  /// Counts, at the end, the frames whose labels were still owed.
  public mutating func finish(
    in measurement: inout RunMeasurement, motion: (Frame, Frame) throws -> PairMotion?
  ) throws -> [Labelled] { try count(label(nil), in: &measurement, motion) }

  private mutating func count(
    _ results: [LabelledFrame], in measurement: inout RunMeasurement,
    _ motion: (Frame, Frame) throws -> PairMotion?
  ) throws -> [Labelled] {
    try results.map { result in
      let (sample, decode) = waiting.removeFirst()
      try count(result, of: sample, decode: decode, in: &measurement, motion)
      return (sample, result)
    }
  }

  private mutating func count(
    _ result: LabelledFrame, of sample: LabelledSample, decode: Duration?,
    in measurement: inout RunMeasurement, _ motion: (Frame, Frame) throws -> PairMotion?
  ) throws {
    measurement.add(result, truth: sample.labels, decode: decode)
    let labels = result.labels.scaledLabels(to: sample.frame.pixels.size)
    if let previous, !sample.frame.followsBreak, labels.size == previous.labels.size,
      let motion = try motion(sample.frame, previous.frame)
    {
      measurement.addPair(
        current: labels, previous: previous.labels, motion: motion.back, onward: motion.onward,
        along: motion.source)
    }
    previous = (sample.frame, labels)
  }
}

/// The motion between two successive frames, along which their labels are compared.
public struct PairMotion: Sendable {
  /// To the previous frame, unknown where that hides a pixel; and from there to the current one.
  public let back: MotionField, onward: MotionField
  /// Whether it is exact.
  public let source: ConsistencyFlow

  /// A clip's exact motion where it is known, else what `flow` estimates; nil without a flow.
  public init?(
    from current: Frame, to previous: Frame, on clip: some LabelledClip,
    by flow: (any FlowEstimator)?
  ) throws {
    guard let flow else { return nil }
    if let exact = clip.groundTruthMotion {
      back = try exact.motion(from: current.index, to: previous.index)
      onward = try exact.motion(from: previous.index, to: current.index)
      source = .groundTruth
      return
    }
    onward = try flow.motion(from: previous, to: current)
    back = try flow.motion(from: current, to: previous).consistent(with: onward)
    source = .estimated
  }
}
