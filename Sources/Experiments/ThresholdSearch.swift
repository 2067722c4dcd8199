// SPDX-License-Identifier: Apache-2.0

internal import Datasets
internal import Evaluation
internal import Flow
internal import Pipeline
public import Recipes
internal import Scheduler
public import Specification

/// The threshold of a scheduler's score at which it meets its rate or its latency on a clip.
public struct ThresholdSearch: Sendable {
  /// What was found, to be kept.
  public let entry: StoredThresholds.Entry
  /// The scheduler with that threshold in the place of its rate or latency.
  public let scheduler: PartSpec
  /// What is odd about it, and to be said once.
  public let warnings: [String]

  /// Searches the threshold for the scheduler of an experiment, which holds a score at a rate or a
  /// latency; `progress` is called after each run over the clip and stops the search by false.
  ///
  /// - Returns: Nil where it was stopped, or where nothing ever changes.
  /// - Throws: `SpecificationError` for another scheduler, for codec motion, and for a latency that
  ///   non-key frames exceed already.
  public init?(
    _ run: EvaluationRun, in registries: Registries, threads: Int,
    progress: (_ threshold: Double, _ share: Double) -> Bool = { _, _ in true }
  ) throws {
    let loaded = try run.load(readLabels: false)
    let held = run.spec.pipeline.scheduler
    let context = registries.context(threads: threads)
    guard let target = registries.target(of: held),
      let score = try registries.score(heldBy: held, in: context)
    else {
      throw SpecificationError(.badValue, "calibration needs a score at a rate or a latency")
    }
    guard !loaded.whole.flow.needsMotionVectors else {
      throw SpecificationError(
        .incompatible, "calibrate needs motion between pictures, not the codec's")
    }
    let rate: Double
    switch target {
    case .rate(let wanted): rate = wanted
    case .latency(let latency):
      guard
        let found = try ThresholdCalibration.rate(
          for: latency, in: loaded.whole, on: loaded.clip)
      else {
        throw SpecificationError(
          .badInput,
          "\(loaded.clip.name): non-key frames take longer than \(latency) already")
      }
      rate = found
    }
    let found = try ThresholdCalibration(
      of: score, rate: rate, in: loaded.whole, on: loaded.clip, progress: progress)
    guard let found else { return nil }
    entry = StoredThresholds.Entry(
      scheduler: held, threshold: found.threshold, share: found.share, clip: loaded.clip.name,
      frames: loaded.clip.count, pipeline: loaded.spec.pipeline)
    var scheduler = held
    (scheduler.options["rate"], scheduler.options["latency"]) = (nil, nil)
    scheduler.options["threshold"] = OptionValue(found.threshold.roundedToSevenDigits)
    self.scheduler = scheduler
    let warning = registries.rateWarning(
      of: held, share: found.share, frames: loaded.clip.count, wanted: rate)
    warnings = [warning].compactMap(\.self)
  }
}

extension Double {
  /// Seven digits, which is more than a threshold means.
  fileprivate var roundedToSevenDigits: Double {
    guard self != 0, isFinite else { return self }
    var scale = 1.0
    while abs(self) * scale < 1e6 { scale *= 10 }
    while abs(self) * scale >= 1e7 { scale /= 10 }
    return (self * scale).rounded() / scale
  }
}
