// SPDX-License-Identifier: Apache-2.0

package import Backbone
public import Datasets
public import Evaluation
public import Flow
internal import Frames
public import Pipeline
internal import Propagation
public import Recipes
internal import Scheduler
internal import Specification
public import Video

/// An experiment whose data set and backbone were found, and nothing loaded yet.
public struct EvaluationRun: Sendable {
  /// The specification in its one form.
  public let spec: ExperimentSpec
  /// The network, opened.
  public let source: any NetworkSource
  let registries: Registries
  let context: BuildContext
  let dataset: DataSource
  let clip: any LabelledClip

  /// Opens the data set and the network that a specification names.
  ///
  /// - Throws: `SpecificationError` where either is not named or wrong, `DatasetError` for the
  ///   data.
  public init(
    _ spec: ExperimentSpec, in registries: Registries = .standard, threads: Int = 1
  ) throws {
    try self.init(spec, in: registries, threads: threads, sharing: nil)
  }

  /// The same; the clip is taken from `work` where it has it.
  init(
    _ spec: ExperimentSpec, in registries: Registries, threads: Int, sharing work: SharedWork?
  ) throws {
    let spec = try spec.canonical(in: registries)
    guard let data = spec.data else {
      throw SpecificationError(.badValue, "data must be given: camvid:DIR, street:SEED, video:FILE")
    }
    guard let backbone = spec.pipeline.backbone else {
      throw SpecificationError(
        .badValue, "--backbone must be given, or a --recipe that has one")
    }
    try spec.checkAgreement(in: registries)
    var context = registries.context(threads: threads)
    dataset = try registries.datasets.build(data, in: context)
    try spec.checkSplit(of: dataset, in: registries)
    let (source, request) = (
      dataset, ClipRequest(split: spec.split, limit: spec.frames, threads: threads)
    )
    let clip = try work?.clip("source", { try source.clip(request) }) ?? source.clip(request)
    context[LabelledTruth.self] = LabelledTruth(clip: clip)
    let network = try registries.source(of: backbone, in: context)
    context[MeasuredClasses.self] = MeasuredClasses(network.classes)
    self.source = network
    (self.spec, self.registries, self.context, self.clip) = (spec, registries, context, clip)
  }

  /// The files that are read before and while it runs.
  public var inputs: [String] { context.files }

  /// Every file that is read: that of each part, frames and ground truth.
  public var allInputs: [String] { inputs + spec.files(in: registries) + clip.files }

  /// Loads what is needed and makes the pipeline; `isStopped` ends a search for the best keyframes,
  /// and `advance` is called after each step of it.
  ///
  /// Where it does not `readLabels`, the clip's may be of other classes than the network's.
  ///
  /// - Throws: `CancellationError` where it was stopped.
  public func load(
    readLabels: Bool = true,
    isStopped: @escaping @Sendable () -> Bool = { false },
    advance: @escaping @Sendable () -> Void = {}
  ) throws -> LoadedEvaluation {
    try load(sharing: nil, readLabels: readLabels, isStopped: isStopped, advance: advance)
  }

  /// The same; networks and clips that `work` has are taken from there.
  func load(
    sharing work: SharedWork?, sharesFrames: Bool = true, readLabels: Bool = true,
    isStopped: @escaping @Sendable () -> Bool = { false },
    advance: @escaping @Sendable () -> Void = {}
  ) throws -> LoadedEvaluation {
    let (network, head) = try work?.network(of: source) ?? source.load()
    let clip = try truth(by: network, head, work, readLabels: readLabels)
    // Of a region the number of its frame does not tell its picture.
    let shared = sharesFrames && spec.pipeline.regions == nil ? work : nil
    let backbone = shared?.sharing(network, of: source) ?? network
    var encoded = clip
    var resolved = try spec.pipeline.resolve(
      around: backbone, head: head, path: source.path, in: registries, threads: context.threads
    ) { context, pipeline in
      if pipeline.flow.needsMotionVectors {
        let threads = context.threads
        let encode = {
          try EncodedClip(clip, group: spec.group, threads: threads) as any LabelledClip
        }
        encoded = try work?.clip("encoded \(spec.group)", encode) ?? encode()
      }
      let measured = encoded
      context[Oracle.self] = Oracle { rate in
        let schedule = try OracleSchedule(pipeline, on: measured) { _ in
          advance()
          shared?.begin()
          return !isStopped()
        }
        guard let schedule else { throw CancellationError() }
        return schedule.keys(rate: rate)
      }
    }
    if let shared, let flow = resolved.spec.flow {
      let name = registries.grammar.text(of: flow, as: registries.flows.role)
      resolved = resolved.along { SharedFlow($0, name: name, work: shared) }
    }
    var loaded = try LoadedEvaluation(
      spec, resolved, on: encoded, inputs: context.files, registries, threads: context.threads)
    loaded.warnings += source.remarks
    loaded.warnings += try provenanceWarnings(resolved.chosen, of: context.files + resolved.files)
    if !dataset.isLabelled && !spec.agreement {
      loaded.warnings.append(
        "\(clip.name) has no labels, so that no accuracy is measured; --agreement measures "
          + "agreement with per-frame inference")
    }
    return loaded
  }

  /// What to say where weights were fitted to the clip that is measured, or a setting was chosen on
  /// it.
  private func provenanceWarnings(
    _ chosen: [ChosenSetting], of files: [String]
  ) throws -> [String] {
    let name = spec.recipe.map { String($0.prefix { $0 != ":" }) }
    let recipes = registries.recipes.all.filter {
      $0.name == name && $0.chosenOn.contains(clip.name)
    }
    let specifications = Set(files).filter { ModelFolder.isSpecification($0) }.sorted()
    let models = try specifications.compactMap { file in
      try Provenance(besideSpecification: file).map { (ModelFolder.folder(of: file), $0) }
    }
    let chosen =
      recipes.map { "the settings of the recipe \($0.name)" }
      + chosen.filter { $0.clip == clip.name }.map(\.setting)
      + models.filter { $0.1.chosenOn.contains(clip.name) }.map { "those of \($0.0)" }
    let trained = models.filter { $0.1.trainedOn.contains(clip.name) }.map(\.0)
    var warnings: [String] = []
    if !trained.isEmpty {
      warnings.append(
        "\(trained.joined(separator: " and ")): trained on \(clip.name), which is measured: its "
          + "figures say nothing of other clips")
    }
    if !chosen.isEmpty {
      warnings.append(
        "settings were chosen on \(clip.name), which is measured, so that its figures are no test "
          + "of them: \(chosen.joined(separator: ", "))")
    }
    return warnings
  }

  /// The clip with its labels, or with what the network says of each frame by itself.
  private func truth(
    by network: some Backbone, _ head: any SegmentationHead, _ work: SharedWork?, readLabels: Bool
  ) throws -> any LabelledClip {
    if spec.agreement {
      let teach = { try TeacherLabels(of: clip, by: network, head) as any LabelledClip }
      return try work?.clip("taught \(source.path)", teach) ?? teach()
    }
    guard readLabels, dataset.isLabelled, source.classes.names != clip.classes.names else {
      return clip
    }
    throw SpecificationError(
      .badInput,
      "\(source.path) tells \(source.classes.fewNames) apart, \(clip.name) is labelled with "
        + clip.classes.fewNames)
  }
}

/// An experiment that is ready to be measured.
public struct LoadedEvaluation: Sendable {
  /// The specification, with the flow and the tap that are used and the flow of temporal
  /// consistency.
  public let spec: ExperimentSpec
  /// The clip that is measured on, encoded where codec motion is used.
  public let clip: any LabelledClip
  /// What labels the frames: one pipeline for whole frames, one of regions, or one that waits for
  /// the next key frame.
  public let pipeline: any StreamPipeline<Image>
  /// The pipeline of frames as a whole.
  public let whole: KeyframePipeline<Image>
  /// The optical flow used for temporal consistency where the exact motion is not known; nil where
  /// temporal consistency is not measured.
  public let consistency: (any FlowEstimator)?
  /// Every file that is read.
  public let files: [String]
  /// What is odd, and to be said once.
  public internal(set) var warnings: [String]

  init(
    _ given: ExperimentSpec, _ resolved: ResolvedPipeline<Image>, on clip: any LabelledClip,
    inputs: [String], _ registries: Registries, threads: Int
  ) throws {
    var spec = given
    spec.pipeline = resolved.spec
    let judge = try spec.consistency ?? .along(Self.usualConsistency(resolved.spec, registries))
    spec.consistency = judge
    (self.spec, self.clip) = (spec, clip)
    consistency = try judge.flow.map {
      try registries.flows.build($0, in: registries.context(threads: threads))
    }
    guard consistency?.needsMotionVectors != true else {
      throw SpecificationError(
        .incompatible, "--consistency needs motion between pictures, not the codec's")
    }
    (pipeline, whole) = (try resolved.streaming(), resolved.pipeline)
    files = inputs + resolved.files
    warnings = clip.warnings + resolved.warnings
    if let flow = judge.flow, resolved.spec.flow?.contains(flow) == true {
      let text = registries.grammar.text(of: flow, as: registries.flows.role)
      warnings.append(
        "temporal consistency is measured along \(text), which labels are propagated along too: "
          + "it flatters them")
    }
  }

  /// Farnebäck's or, where the pipeline runs along that, however it is composed, dense inverse
  /// search.
  private static func usualConsistency(
    _ pipeline: PipelineSpec, _ registries: Registries
  ) throws -> PartSpec {
    let role = registries.flows.role
    let candidates = try ["farneback", "dis:medium"].map {
      try registries.grammar.parse($0, as: role)
    }
    return candidates.first { pipeline.flow?.contains($0) != true } ?? candidates[0]
  }

  /// The parts as short texts, as they were used.
  public func names(
    in registries: Registries, usesFlow: Bool, consistency: ConsistencyFlow?
  ) -> [String: String] {
    var names = spec.pipeline.names(in: registries)
    if !usesFlow { names["flow"] = nil }
    names["recipe"] = spec.recipe
    names["consistency"] = spec.name(of: consistency, in: registries)
    return names
  }
}

extension ExperimentSpec {
  /// Refuses agreement with the truth, which agrees with itself whatever is propagated.
  ///
  /// - Throws: `SpecificationError` where the backbone is the clip's labels.
  public func checkAgreement(in registries: Registries) throws {
    guard agreement, let backbone = pipeline.backbone else { return }
    let needs = registries.grammar.requirements(of: backbone, as: registries.backbones.role)
    guard needs.contains(.labels) else { return }
    throw SpecificationError(.badValue, "--agreement needs a network, not the truth")
  }

  /// Refuses a split that the data set does not have.
  func checkSplit(of dataset: DataSource, in registries: Registries) throws {
    guard let data, let splits = dataset.splits, split != "val", !splits.contains(split) else {
      return
    }
    let text = registries.grammar.text(of: data, as: registries.datasets.role)
    throw SpecificationError(
      .badValue,
      splits.isEmpty
        ? "\(text) has no splits; leave out --split"
        : "\(text) has no split '\(split)'; \(suggestion(for: split, among: splits))")
  }

  /// The motion that temporal consistency was measured along, as a short text.
  func name(of used: ConsistencyFlow?, in registries: Registries) -> String? {
    switch used {
    case .groundTruth: ConsistencyFlow.groundTruth.rawValue
    case .estimated:
      consistency?.flow.map { registries.grammar.text(of: $0, as: registries.flows.role) }
    case nil: nil
    }
  }
}

extension PipelineSpec {
  /// The parts as short texts, by the keys of a specification.
  public func names(in registries: Registries) -> [String: String] {
    let grammar = registries.grammar
    var names = [
      "scheduler": grammar.text(of: scheduler, as: registries.schedulers.role),
      "propagator": grammar.text(
        of: propagator ?? Self.usualPropagator, as: registries.propagators.role),
    ]
    names["backbone"] = backbone.map {
      $0.options["path"]?.text ?? grammar.text(of: $0, as: registries.backbones.role)
    }
    names["fusion"] = fusion.map { grammar.text(of: $0, as: registries.fusions.role) }
    names["flow"] = flow.map { grammar.text(of: $0, as: registries.flows.role) }
    (names["tap"], names["regions"]) = (tap, regions?.description)
    names["temporal_smoothing"] = smoothing?.description
    names["bidirectional"] = bidirectional?.description
    return names
  }
}

extension TeacherLabels {
  /// A clip with what a network says of each frame by itself in the place of labels.
  ///
  /// In the folder `cache`, where there is one, the maps are kept.
  package init(
    of clip: some LabelledClip, by backbone: any Backbone, _ head: any SegmentationHead,
    cache: String? = nil
  ) throws {
    let pipeline = try KeyframePipeline(
      backbone: backbone, head: head, scheduler: .every(1), propagator: .copy, flow: .zero)
    try self.init(of: clip, classes: head.classes, cache: cache) { pixels in
      var state = pipeline.start()
      return try pipeline.label(Frame(index: 0, time: 0, pixels: pixels), in: &state).labels
    }
  }
}

extension ClassList {
  /// The first few classes, and how many there are.
  fileprivate var fewNames: String {
    let few = names.prefix(3).joined(separator: ", ")
    return count > 3 ? "\(few), … (\(count) classes)" : few
  }
}
