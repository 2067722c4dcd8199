// SPDX-License-Identifier: Apache-2.0

internal import Datasets
internal import Evaluation
internal import Flow
internal import Pipeline
public import Recipes
internal import Scheduler
internal import Specification
internal import Synchronization
internal import Video

/// Label maps that anyone saved, measured against a clip's truth with the figures of `eval`.
public struct SavedLabels: Sendable {
  /// The folder of the maps.
  public let path: String
  /// The clip and how it is measured; its pipeline says nothing.
  public let spec: ExperimentSpec
  private let registries: Registries
  private let context: BuildContext
  private let clip: any LabelledClip
  private let flow: (any FlowEstimator)?

  /// Opens the clip that a specification names.
  ///
  /// - Throws: `SpecificationError` where it is not named or wrong, `DatasetError` for the data.
  public init(
    in path: String, against spec: ExperimentSpec, in registries: Registries = .standard,
    threads: Int = 1
  ) throws {
    var spec = try spec.canonical(in: registries)
    guard let data = spec.data else {
      throw SpecificationError(.badValue, "data must be given: camvid:DIR, street:SEED, folder:DIR")
    }
    var context = registries.context(threads: threads)
    let dataset = try registries.datasets.build(data, in: context)
    guard dataset.isLabelled else {
      let text = registries.grammar.text(of: data, as: registries.datasets.role)
      throw SpecificationError(.incompatible, "\(text) has no labels to measure against")
    }
    try spec.checkSplit(of: dataset, in: registries)
    clip = try dataset.clip(
      ClipRequest(split: spec.split, limit: spec.frames, threads: threads))
    context[LabelledTruth.self] = LabelledTruth(clip: clip)
    context[MeasuredClasses.self] = MeasuredClasses(clip.classes)
    spec.consistency =
      try spec.consistency
      ?? .along(registries.grammar.parse("farneback", as: registries.flows.role))
    flow = try spec.consistency?.flow.map { try registries.flows.build($0, in: context) }
    guard flow?.needsMotionVectors != true else {
      throw SpecificationError(
        .incompatible, "--consistency needs motion between pictures, not the codec's")
    }
    (self.path, self.spec, self.registries, self.context) = (path, spec, registries, context)
  }

  /// Every file that is read but the maps.
  public var files: [String] { clip.files + context.files }

  /// The clip's name.
  public var clipName: String { clip.name }

  /// Reads and counts every frame; `isStopped` is asked before each.
  ///
  /// Nobody knows which frames were key: figures by distance, and at key frames, are left out.
  public func measure(
    environment: ([String]) -> [String: String], isStopped: () -> Bool = { false },
    advance: () -> Void = {}
  ) throws -> StoredRun {
    let pipeline = try SavedLabelPipeline(
      LabelMaps(path, classes: clip.classes, count: clip.count))
    let evaluator = Evaluator(pipeline, on: clip, consistency: flow, warmsUp: false)
    var measurement = evaluator.emptyMeasurement(keeping: .untimedRecords)
    var metrics = try registries.metrics(
      spec.metrics, of: Image.self, against: Image.self, in: context)
    var counted: [[String: FigureCounts]] = []
    do {
      try evaluator.run(into: &measurement) { sample, result in
        advance()
        counted.append([:])
        for place in metrics.indices {
          let counts = try metrics[place].counts(
            adding: result.labels, target: sample.labels, trace: result.trace)
          counted[counted.count - 1].merge(counts) { first, _ in first }
        }
        return true
      } isStopped: {
        isStopped()
      }
    } catch let error as PipelineError { throw error.underlying }
    measurement.keep(counted)
    return result(of: measurement, metrics, environment, isStopped: isStopped())
  }

  private func result(
    of measurement: RunMeasurement, _ metrics: [any Metric<Image, Image>],
    _ environment: ([String]) -> [String: String], isStopped: Bool
  ) -> StoredRun {
    var records = measurement.records
    for place in records.indices {
      records[place].counts[FrameRecord.consistencyAtKeys] = nil
      records[place].counts[FrameRecord.consistencyBetween] = nil
    }
    let scores = metrics.reduce(into: [String: Double]()) { $0.merge($1.values) { $1 } }
    var names = ["labels": path]
    names["consistency"] = spec.name(of: measurement.consistencyFlow, in: registries)
    let result = RunResult(
      status: isStopped ? .cancelled : .ok, specification: spec, pipeline: names,
      accuracy: measurement.accuracy, against: .labels, scores: scores.isEmpty ? nil : scores,
      intervals: records.intervals(), speed: measurement.speed, cost: .init(peakRSSBytes: nil),
      input: .init(
        path: spec.data.map { registries.grammar.text(of: $0, as: registries.datasets.role) } ?? "",
        framesDecoded: records.count, breaks: measurement.breaks),
      environment: environment(files),
      warnings: clip.warnings + [measurement.absenceWarning].compactMap(\.self))
    return StoredRun(path: path, result: result, frames: records)
  }
}

/// What was saved, in the place of what a pipeline predicts.
private struct SavedLabelPipeline: PredictionPipeline {
  private let maps: LabelMaps

  init(_ maps: LabelMaps) { self.maps = maps }

  func start() -> LabelMaps { maps }

  func predict(
    _ frame: Frame, in state: inout LabelMaps
  ) throws(PipelineError) -> FramePrediction<Image> {
    let labels: Image
    do { labels = try state.next(frame) } catch {
      throw PipelineError(stage: .head, frame: frame.index, underlying: error)
    }
    let decision = Decision(.propagated, because: Reason("saved labels"))
    return FramePrediction(
      prediction: labels, size: labels.size,
      trace: FrameTrace(
        index: frame.index, time: frame.time, decision: decision, streamBreak: frame.streamBreak,
        framesSinceKeyframe: 0, stages: [:], total: .zero, keyShare: 0, macs: 0))
  }
}
