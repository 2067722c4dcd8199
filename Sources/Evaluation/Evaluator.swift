// SPDX-License-Identifier: Apache-2.0

public import Datasets
public import Flow
public import Pipeline
public import Video

/// Runs a pipeline over a labelled clip and measures it.
public struct Evaluator: Sendable {
  private let pipeline: any StreamPipeline<Image>
  private let clip: any LabelledClip
  private let flow: (any FlowEstimator)?
  private let warmUpRounds: Int

  /// Measures `pipeline` on `clip`.
  ///
  /// `consistency` is the optical flow used for temporal consistency, for clips whose motion is not
  /// known. Take one for all runs, so that their figures can be compared, and another than those
  /// under test. Nil leaves temporal consistency out. Where `warmsUp`, frames are labelled and
  /// forgotten before the first one is timed; without, the first frames' times hold what networks
  /// compile.
  public init(
    _ pipeline: some StreamPipeline<Image>, on clip: some LabelledClip,
    consistency flow: (any FlowEstimator)? = Farneback(), warmsUp: Bool = true
  ) {
    (self.pipeline, self.clip, self.flow) = (pipeline, clip, flow)
    warmUpRounds = warmsUp ? Self.warmUpRounds(of: clip.count) : 0
  }

  /// How often two frames are labelled and forgotten before a run of so many frames is timed: ten
  /// times, but never more frames than the run has.
  public static func warmUpRounds(of frames: Int) -> Int { min(10, frames / 2) }

  /// What a run over the whole clip gives.
  public func run() throws -> RunMeasurement {
    var measurement = emptyMeasurement()
    try run(into: &measurement)
    return measurement
  }

  /// A measurement for `run(into:each:)` to fill.
  public func emptyMeasurement(keeping: RunMeasurement.Kept = .sums) -> RunMeasurement {
    RunMeasurement(classes: clip.classes, warmUp: 0, keeping: keeping)
  }

  /// Runs over the whole clip and adds every frame to `measurement`, which keeps what was counted
  /// where a later frame fails; `each` is called after every frame with what it was and what was
  /// made of it, and false stops the run there, as `isStopped` does before any frame.
  public func run(
    into measurement: inout RunMeasurement,
    each: (LabelledSample, LabelledFrame) throws -> Bool = { _, _ in true },
    isStopped: () -> Bool = { false }
  ) throws {
    try run(pipeline, into: &measurement, isStopped: isStopped, each: each)
  }

  private func run(
    _ pipeline: some StreamPipeline<Image>, into measurement: inout RunMeasurement,
    isStopped: () -> Bool, each: (LabelledSample, LabelledFrame) throws -> Bool
  ) throws {
    try warmUp(pipeline, isStopped: isStopped)
    var stream = EvaluationStream(pipeline)
    func motion(from current: Frame, to previous: Frame) throws -> PairMotion? {
      try PairMotion(from: current, to: previous, on: clip, by: flow)
    }
    for index in 0..<clip.count {
      if isStopped() { return }
      let (sample, decode) = try read(index)
      let ready = try stream.add(sample, decode: decode, to: &measurement, motion: motion)
      for (sample, result) in ready where try !each(sample, result) { return }
    }
    for (sample, result) in try stream.finish(in: &measurement, motion: motion)
    where try !each(sample, result) { return }
  }

  /// Networks compile on their first frames, and first touches of memory are slow: a stream of its
  /// own, forgotten afterwards, takes all that.
  private func warmUp(
    _ pipeline: some StreamPipeline<Image>, isStopped: () -> Bool
  ) throws {
    let frames = try (0..<min(2, clip.count)).map { try clip.frame(at: $0) }
    for _ in 0..<warmUpRounds {
      var scratch = pipeline.start()
      for frame in frames where !isStopped() {
        _ = try pipeline.add(frame, before: nil, to: &scratch)
      }
    }
  }

  private func read(_ index: Int) throws -> (LabelledSample, decode: Duration?) {
    guard clip.isStored else { return (try clip.sample(at: index), nil) }
    let clock = ContinuousClock()
    let begin = clock.now
    let frame = try clip.frame(at: index)
    let decode = clock.now - begin
    let labels = try clip.labels(at: index)
    return (try LabelledSample(frame: frame, labels: labels), decode)
  }
}
