// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Recipes
public import Specification
public import Training

/// What `train` can train, by the top-level key that tells it in a specification: this package's
/// kinds and anyone's.
///
/// ```swift
/// var kinds = TrainingKinds.standard
/// kinds.register("mine") { request in
///   let (yaml, folder) = (request.model.specification, request.model.path)
///   let plan = request.seeded(try TrainingPlan(yaml: yaml, folder: folder))
///   return PreparedTraining(
///     MyTask(seed: plan.seed), plan: plan,
///     fingerprint: try TrainingFingerprint(yaml: yaml, stages: plan.stages.count))
/// }
/// ```
public struct TrainingKinds: Sendable {
  /// Makes what is trained; nil where it was stopped before that was done.
  public typealias Maker = @Sendable (TrainingRequest) throws -> PreparedTraining?

  private var makers: [(section: String, make: Maker)] = []

  /// Without any kind.
  public init() {}

  /// The top-level keys, in the order in which they were registered.
  public var sections: [String] { makers.map(\.section) }

  /// Adds what is trained where a specification has `section` as a top-level key.
  ///
  /// - Precondition: no kind has that key yet.
  public mutating func register(_ section: String, make: @escaping Maker) {
    precondition(!sections.contains(section), "two kinds of training are told by \(section)")
    makers.append((section, make))
  }

  /// What a specification wants trained.
  ///
  /// - Throws: `SpecificationError` where it has none of the keys.
  func maker(for model: ModelFolder) throws(SpecificationError) -> Maker {
    guard let found = makers.first(where: { model.has($0.section) }) else {
      throw SpecificationError(
        .badDescription,
        "\(model.specificationPath): nothing to train; there must be one of "
          + sections.joined(separator: ", "))
    }
    return { request in
      do { return try found.make(request) } catch let error as SpecificationError
        where error.isOfDescription && !error.message.hasPrefix(model.specificationPath)
      {
        throw error.located(in: model.specificationPath)
      } catch let error as BackboneError where error.code == .noSuchStage {
        throw SpecificationError(.badDescription, error.message)
          .located(in: model.specificationPath)
      }
    }
  }

  /// What this package ships.
  public static let standard: TrainingKinds = {
    var kinds = TrainingKinds()
    kinds.register("propagation") { request in
      let known = request.sources.registries.trainablePropagations
      let spec = try request.read {
        try PropagationTrainingSpecification(yaml: $0, folder: $1, in: known)
      }
      return request.prepared(spec, task: try request.sources.task(for: spec))
    }
    kinds.register("change_score") { request in
      let spec = try request.read { try ChangeScoreTrainingSpecification(yaml: $0, folder: $1) }
      return request.prepared(spec, task: try request.sources.task(for: spec))
    }
    kinds.register("policy") { request in
      let spec = try request.read { try PolicyTrainingSpecification(yaml: $0, folder: $1) }
      let task = try request.sources.task(
        for: spec, keeping: "\(request.folder)/episodes", isStopped: request.isStopped,
        advance: request.advance)
      return task.map { request.prepared(spec, task: $0) }
    }
    kinds.register("head") { request in
      let spec = try request.read { try HeadTrainingSpecification(yaml: $0, folder: $1) }
      switch spec.head.kind {
      case .depth:
        return request.prepared(spec, task: try request.sources.depthTask(for: spec))
      case .detection:
        return request.prepared(spec, task: try request.sources.detectionTask(for: spec))
      }
    }
    kinds.register("network") { request in
      if try request.model.hasFlowNetwork() {
        let spec = try request.read { try FlowTrainingSpecification(yaml: $0, folder: $1) }
        return request.prepared(spec, task: try request.sources.task(for: spec))
      }
      let spec = try request.read { try SegmentationSpecification(yaml: $0, folder: $1) }
      let task = try request.sources.task(for: spec)
      return request.prepared(
        spec, task: task,
        warnings: try request.sources.labelWarnings(isStopped: request.isStopped))
    }
    return kinds
  }()
}

extension SpecificationError {
  /// Whether it tells of what a description says, not of a file that it names or of data.
  fileprivate var isOfDescription: Bool { code == .badDescription || code == .incompatible }
}

/// What a kind of training is asked for.
public struct TrainingRequest {
  /// The specification and where it lies.
  public let model: ModelFolder
  /// The data, the device, the threads.
  public let sources: TrainingSources
  /// Where what is made before the first step may be kept.
  public let folder: String
  /// Whether the training is to end, asked before long work.
  public let isStopped: () -> Bool
  /// Tells that one step of what comes before the training is done.
  public let advance: () -> Void
  let seed: UInt64?

  /// The plan with the seed that was asked for, if one was.
  public func seeded(_ plan: TrainingPlan) -> TrainingPlan {
    var plan = plan
    if let seed { plan.seed = seed }
    return plan
  }

  /// What `body` reads of the specification's text and folder, with the seed that was asked for;
  /// its complaints are told with the file's name.
  fileprivate func read<Read: PlannedTraining>(
    _ body: (_ yaml: String, _ folder: String) throws -> Read
  ) throws -> Read {
    do {
      var specification = try body(model.specification, model.path)
      specification.plan = seeded(specification.plan)
      return specification
    } catch let error as SpecificationError { throw error.located(in: model.specificationPath) }
  }

  fileprivate func prepared(
    _ specification: some PlannedTraining, task: any TrainingTask, warnings: [String] = []
  ) -> PreparedTraining {
    PreparedTraining(
      task, plan: specification.plan, fingerprint: specification.fingerprint, warnings: warnings)
  }
}

/// A task, the stages in which it is trained, and what tells it from any other.
public struct PreparedTraining: Sendable {
  let task: any TrainingTask
  let plan: TrainingPlan
  let fingerprint: TrainingFingerprint
  let warnings: [String]

  /// A training that is ready; `warnings` are what is odd about it and is said before the first
  /// step.
  public init(
    _ task: any TrainingTask, plan: TrainingPlan, fingerprint: TrainingFingerprint,
    warnings: [String] = []
  ) {
    (self.task, self.plan, self.fingerprint) = (task, plan, fingerprint)
    self.warnings = warnings
  }
}

/// A specification of a training, whose plan has a seed.
private protocol PlannedTraining {
  var plan: TrainingPlan { get set }
  var fingerprint: TrainingFingerprint { get }
}

extension PropagationTrainingSpecification: PlannedTraining {}
extension ChangeScoreTrainingSpecification: PlannedTraining {}
extension PolicyTrainingSpecification: PlannedTraining {}
extension HeadTrainingSpecification: PlannedTraining {}
extension FlowTrainingSpecification: PlannedTraining {}
extension SegmentationSpecification: PlannedTraining {}
