// SPDX-License-Identifier: Apache-2.0

internal import Datasets
public import Evaluation
internal import Flow
internal import Frames
public import Pipeline
internal import Propagation
public import Recipes
internal import Scheduler
internal import Specification
internal import Video

/// What an experiment with a head of its own came to: depth, boxes, anything.
public struct TaskEvaluation: Sendable {
  /// The specification, with the flow that is used.
  public let spec: ExperimentSpec
  /// The task's name: `depth`.
  public let task: String
  /// The clip's name.
  public let clip: String
  /// Speed and MACs.
  public let costs: RunCosts
  /// Every figure of every metric, by name.
  public let scores: [String: Double]
  /// What is kept of each frame, from which intervals are computed.
  public let frames: [FrameRecord]
  /// Every file that was read.
  public let files: [String]
  /// What is odd, and to be said once.
  public let warnings: [String]
}

extension EvaluationRun {
  /// The task of the experiment's head, or the network's own; nil where labels are measured.
  public func task() throws -> (any PredictionTask)? {
    try spec.pipeline.head.map { try registries.heads.build($0, in: context) } ?? source.task
  }

  /// Measures the predictions of a task's head on ground truth of its own kind.
  ///
  /// `each` is called after every frame with its prediction drawn over it, where `isDrawn`, and
  /// false stops the run there.
  ///
  /// - Throws: `SpecificationError` where the data set has no such ground truth, or agreement is
  ///   asked for.
  public func measure<Prediction, Target>(
    _ task: some PredictionTask<Prediction, Target>, isTimed: Bool = true,
    each: (FrameTrace) throws -> Bool = { _ in true }
  ) throws -> TaskEvaluation {
    let resolved = try resolved(for: task, sharing: nil)
    let clip = try spec.agreement ? agreed(task, resolved) : truth(of: task)
    let task = clip.objectClasses.map { task.matched(to: $0) } ?? task
    let metrics =
      try (spec.agreement ? task.agreementMetrics() : task.metrics())
      + metrics(of: Prediction.self, against: Target.self)
    let evaluator = TaskEvaluator(
      try resolved.streaming(), on: clip, by: metrics, warmsUp: spec.warmsUp, isTimed: isTimed,
      resized: task.resized)
    let measured = try evaluator.run { try each($1.trace) }
    var used = spec
    used.pipeline = resolved.spec
    return TaskEvaluation(
      spec: used, task: task.name, clip: clip.name, costs: measured.costs,
      scores: measured.scores, frames: measured.records,
      files: inputs + task.files + resolved.files,
      warnings: source.remarks + resolved.warnings + task.remarks)
  }

  /// The clip with ground truth of a task's kind.
  private func truth<Prediction, Target>(
    of task: some PredictionTask<Prediction, Target>
  ) throws -> any Clip<Target> {
    let request = ClipRequest(split: spec.split, limit: spec.frames, threads: context.threads)
    guard let found = try dataset.clip(of: Target.self, request) else {
      throw SpecificationError(
        .incompatible,
        "\(clip.name) has no ground truth for \(task.name): street:SEED has, and --agreement needs "
          + "none")
    }
    return found
  }

  /// The clip with what per-frame inference predicts as its ground truth.
  private func agreed<Prediction, Target>(
    _ task: some PredictionTask<Prediction, Target>, _ resolved: ResolvedPipeline<Prediction>
  ) throws -> any Clip<Target> {
    guard spec.pipeline.regions == nil else {
      throw SpecificationError(.incompatible, "--agreement of \(task.name) is of whole frames")
    }
    let everyFrame = resolved.pipeline.with(scheduler: .every(1))
    return AgreedClip(
      clip: clip,
      target: { frame in
        var state = everyFrame.start()
        let alone = try everyFrame.predict(frame, in: &state)
        let prediction = task.resized(
          alone.prediction, from: alone.size, to: frame.pixels.size)
        guard let truth = task.truth(of: prediction) else {
          throw SpecificationError(.incompatible, "agreement of \(task.name) is not measured")
        }
        return truth
      })
  }

  /// The pipeline with a task's head; its network is taken from `work` where that has it.
  func resolved<Prediction, Target>(
    for task: some PredictionTask<Prediction, Target>, sharing work: SharedWork?
  ) throws -> ResolvedPipeline<Prediction> {
    let (backbone, _) = try work?.network(of: source) ?? source.load()
    let resolved = try spec.pipeline.resolve(
      around: backbone, head: task.head(behind: backbone), path: source.path, in: registries,
      threads: context.threads, usual: task.usualPropagator)
    guard !resolved.pipeline.flow.needsMotionVectors else {
      throw SpecificationError(
        .incompatible, "codec motion is measured on label maps; take another --flow with --head")
    }
    return resolved
  }

  /// The metrics that the experiment names, for predictions and ground truth of these types.
  ///
  /// - Throws: `SpecificationError` for a metric of other types.
  public func metrics<Prediction, Target>(
    of _: Prediction.Type, against _: Target.Type
  ) throws -> [any Metric<Prediction, Target>] {
    try registries.metrics(spec.metrics, of: Prediction.self, against: Target.self, in: context)
  }
}

/// A clip with what is predicted of each frame alone as its ground truth.
private struct AgreedClip<Target: Sendable>: Clip {
  let clip: any LabelledClip
  let target: @Sendable (Frame) throws -> Target

  var name: String { clip.name }
  var count: Int { clip.count }
  var isStored: Bool { clip.isStored }
  var files: [String] { clip.files }
  var warnings: [String] { clip.warnings }
  var groundTruthMotion: (any MotionProvider)? { clip.groundTruthMotion }
  func frame(at index: Int) throws -> Frame { try clip.frame(at: index) }
  func target(at index: Int) throws -> Target? { try target(clip.frame(at: index)) }
  func sample(at index: Int) throws -> Sample<Target> {
    let frame = try clip.frame(at: index)
    return Sample(frame: frame, target: try target(frame))
  }
}

extension Registries {
  /// Metrics by their specs, for predictions and ground truth of these types.
  ///
  /// - Throws: `SpecificationError` for a metric of other types.
  func metrics<Prediction, Target>(
    _ specs: [PartSpec], of _: Prediction.Type, against _: Target.Type, in context: BuildContext
  ) throws -> [any Metric<Prediction, Target>] {
    try specs.map { part in
      guard
        let metric = try metrics.build(part, in: context).metric(
          of: Prediction.self, against: Target.self)
      else {
        throw SpecificationError(
          .incompatible,
          "the metric \(grammar.text(of: part, as: metrics.role)) is for other predictions")
      }
      return metric
    }
  }
}
