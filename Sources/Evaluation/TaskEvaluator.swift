// SPDX-License-Identifier: Apache-2.0

public import Datasets
public import Pipeline
public import Video

/// Runs a pipeline of any prediction over a clip with ground truth, and measures it.
public struct TaskEvaluator<Prediction: Sendable, Target: Sendable>: Sendable {
  private let pipeline: any StreamPipeline<Prediction>
  private let clip: any Clip<Target>
  private let metrics: [any Metric<Prediction, Target>]
  private let resized: Resizing
  private let warmUpRounds: Int
  private let isTimed: Bool

  /// A prediction of a frame of one size, for the same frame at another.
  public typealias Resizing =
    @Sendable (_ prediction: Prediction, _ from: PixelSize, _ to: PixelSize) -> Prediction

  /// What a run came to.
  public struct Measurement: Sendable {
    /// Speed and MACs.
    public var costs = RunCosts(warmUp: 0)
    /// Every figure of every metric, by name.
    public var scores: [String: Double] = [:]
    /// What is kept of each frame, from which intervals are computed.
    public var records: [FrameRecord] = []
  }

  /// Measures `pipeline` on `clip` by these metrics; `warmsUp` as in `Evaluator`.
  ///
  /// Where others run beside it, its times say nothing: it is not timed then. Predictions are made
  /// at the pipeline's working size; `resized` brings them to that of the clip's frames.
  public init(
    _ pipeline: some StreamPipeline<Prediction>, on clip: some Clip<Target>,
    by metrics: [any Metric<Prediction, Target>], warmsUp: Bool = true, isTimed: Bool = true,
    resized: @escaping Resizing = { prediction, _, _ in prediction }
  ) {
    (self.pipeline, self.clip, self.metrics) = (pipeline, clip, metrics)
    (self.isTimed, self.resized) = (isTimed, resized)
    warmUpRounds = warmsUp && isTimed ? Evaluator.warmUpRounds(of: clip.count) : 0
  }

  /// Runs over the whole clip; `each` is called after every frame, and false stops the run there.
  public func run(
    each: (Sample<Target>, FramePrediction<Prediction>) throws -> Bool = { _, _ in true }
  ) throws -> Measurement {
    try run(pipeline, each: each)
  }

  private func run(
    _ pipeline: some StreamPipeline<Prediction>,
    each: (Sample<Target>, FramePrediction<Prediction>) throws -> Bool
  ) throws -> Measurement {
    try warmUp(pipeline)
    var (measurement, metrics, state) = (Measurement(), metrics, pipeline.start())
    var waiting: [(sample: Sample<Target>, decode: Duration?)] = []
    func count(_ result: FramePrediction<Prediction>) throws -> Bool {
      let (sample, decode) = waiting.removeFirst()
      measurement.costs.add(result.trace, decode: decode, isTimed: isTimed)
      var record = FrameRecord(result.trace, decode: decode, isTimed: isTimed)
      let prediction = resized(result.prediction, result.size, sample.frame.pixels.size)
      for place in metrics.indices {
        let counts = try metrics[place].counts(
          adding: prediction, target: sample.target, trace: result.trace)
        record.counts.merge(counts) { first, _ in first }
      }
      measurement.records.append(record)
      return try each(sample, result)
    }
    var goesOn = true
    for index in 0..<clip.count where goesOn {
      let (sample, decode) = try read(index)
      waiting.append((sample, decode))
      for result in try pipeline.add(sample.frame, before: nil, to: &state) where goesOn {
        goesOn = try count(result)
      }
    }
    for result in goesOn ? try pipeline.finish(&state) : [] where goesOn {
      goesOn = try count(result)
    }
    for metric in metrics { measurement.scores.merge(metric.values) { _, new in new } }
    return measurement
  }

  /// As `Evaluator` does: a stream of its own, forgotten afterwards.
  private func warmUp(_ pipeline: some StreamPipeline<Prediction>) throws {
    let frames = try (0..<min(2, clip.count)).map { try clip.frame(at: $0) }
    for _ in 0..<warmUpRounds {
      var scratch = pipeline.start()
      for frame in frames { _ = try pipeline.add(frame, before: nil, to: &scratch) }
    }
  }

  private func read(_ index: Int) throws -> (Sample<Target>, decode: Duration?) {
    guard clip.isStored else { return (try clip.sample(at: index), nil) }
    let begin = ContinuousClock.now
    let frame = try clip.frame(at: index)
    let decode = ContinuousClock.now - begin
    return (Sample(frame: frame, target: try clip.target(at: index)), decode)
  }
}
