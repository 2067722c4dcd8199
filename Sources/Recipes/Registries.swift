// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Flow
public import Propagation
public import Scheduler
public import Specification

/// Every kind of part that can be named on a command line or in YAML: this package's and anyone's.
///
/// ```swift
/// var registries = Registries.standard
/// registries.schedulers.register("mine", "key frames of my own") { _, _ in MyScheduler() }
/// ```
///
/// What is registered appears beside the package's own parts in `run`, `eval`, `train`, `list`,
/// help, shell completion, YAML and recipes.
public struct Registries: Sendable {
  /// What decides which frames are key.
  public var schedulers = PartRegistry<any KeyframeScheduler>("scheduler")
  /// What schedulers compare with a threshold; `register(changeScore:)` adds to them.
  public private(set) var changeScores = PartRegistry<any ChangeScore>("change score")
  /// What propagates features to non-key frames.
  public var propagators = PartRegistry<PropagationStrategy>("propagator")
  /// What `train` can train to propagate features, and `trained` then runs.
  public var trainablePropagations = TrainablePropagations()
  /// What joins propagated features with what is seen of a frame.
  public var fusions = PartRegistry<any Fusion>("fusion")
  /// What estimates optical flow.
  public var flows = PartRegistry<any FlowEstimator>("flow")
  /// Heavy networks, opened and not loaded.
  public var backbones = PartRegistry<any NetworkSource>("backbone")
  /// What reads boxes off a detector's outputs.
  public var decoders = DetectionDecoders.registry
  /// Which kind of backbone opens a file or a folder that is named by its path alone.
  public var engines: [Engine] = []
  /// Heads for another task than the backbone's own.
  public var heads = PartRegistry<any PredictionTask>("head")
  /// Figures that a run can be measured by beside the usual ones.
  public var metrics = PartRegistry<MetricFactory>("metric")
  /// Data sets and videos that clips come from.
  public var datasets = PartRegistry<DataSource>("data set")
  /// Published systems as pipelines of such parts.
  public var recipes = RecipeBook()

  /// Registries without any part.
  public init() {}

  /// What this package ships.
  public static var standard: Registries {
    var registries = Registries()
    registries.registerChangeScores()
    registries.registerSchedulers()
    registries.registerFlows()
    registries.registerPropagators()
    registries.trainablePropagations = .standard
    registries.registerBackbones()
    registries.registerHeads()
    registries.registerMetrics()
    registries.registerDatasets()
    registries.recipes = .standard
    return registries
  }

  /// What parts are built in, with so many threads each.
  public func context(threads: Int) -> BuildContext {
    var context = BuildContext(threads: threads)
    context[Registries.self] = self
    return context
  }

  /// What short texts are read and printed by.
  public var grammar: Grammar {
    var grammar = Grammar()
    grammar.add(schedulers)
    grammar.add(propagators)
    grammar.add(fusions)
    grammar.add(flows)
    grammar.add(backbones)
    grammar.add(decoders)
    grammar.add(heads)
    grammar.add(metrics)
    grammar.add(datasets)
    return grammar
  }
}

extension Registries {
  /// Registers a change score, and the scheduler that compares it with a threshold.
  ///
  /// The scheduler bears the same name: `kind:THRESHOLD`, `kind:rate=R` or `kind:latency=MS`.
  ///
  /// - Precondition: neither is registered yet.
  public mutating func register(
    changeScore kind: String, _ summary: String, options: [OptionSpec] = [],
    unit: String = "THRESHOLD", requires: Set<PartRequirement> = [],
    build: @escaping PartRegistry<any ChangeScore>.Builder
  ) {
    changeScores.register(kind, summary, options: options, requires: requires, build: build)
    let before = options.map { "\($0.placeholder)," }.joined()
    schedulers.register(
      kind, summary, options: options + KeyframeTarget.options(unit: unit),
      usage: "\(kind):\(before)\(unit)|\(before)rate=R|\(before)latency=MS", requires: requires,
      validate: KeyframeTarget.validate
    ) { options, context in
      let score = try build(options, context)
      if score.dependsOnMotion { context.warnOfMissingMotion("the score \(kind)") }
      if let target = KeyframeTarget(options) {
        return TargetRateScheduler(score, target: target)
      }
      return ThresholdScheduler(score, threshold: options.number("threshold"))
    }
  }
}

extension KeyframeTarget {
  /// The options of a scheduler that compares a score: a threshold, a rate, or a latency in
  /// milliseconds.
  static func options(unit: String) -> [OptionSpec] {
    [
      .optional(
        "threshold", .number(0...Double.greatestFiniteMagnitude, above: true), placeholder: unit),
      .optional("rate", .share, positional: false, placeholder: "R"),
      .optional("latency", .number(1e-6...1e9), positional: false, placeholder: "MS"),
    ]
  }

  static let validate: @Sendable (ResolvedOptions) throws(InvalidOption) -> Void = {
    (options) throws(InvalidOption) in
    let given = ["threshold", "rate", "latency"].count { options[$0] != nil }
    guard given == 1 else {
      throw InvalidOption("needs either a threshold, or rate=R, or latency=MS")
    }
  }

  /// The rate or the latency among options; nil where a threshold is given.
  init?(_ options: ResolvedOptions) {
    if let rate = options.numberIfGiven("rate") {
      self = .rate(rate)
    } else if let latency = options.numberIfGiven("latency") {
      self = .latency(.seconds(latency / 1000))
    } else {
      return nil
    }
  }
}
