// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Datasets
internal import Evaluation
internal import Flow
internal import Foundation
internal import Pipeline
internal import Propagation
public import Recipes
internal import Scheduler
internal import Specification
internal import Synthesis
public import Tensors
internal import Training
internal import Video

/// The data that a training is given, as tasks take them.
public struct TrainingSources: Sendable {
  /// Data sets by their short texts.
  public let data: [String]
  /// What is measured on while training; nil for the validation part of the data.
  public let validation: String?
  /// Labels by the network of this folder where data have none, kept in a cache; nil: labels are
  /// their own.
  public let teacher: (folder: String, cache: String)?
  /// Threads that making data may take.
  public let threads: Int
  /// Where to compute.
  public let device: Device
  /// What names stand for.
  public let registries: Registries

  /// The data of a training, on a device.
  public init(
    data: [String], validation: String? = nil, teacher: (folder: String, cache: String)? = nil,
    threads: Int = 1, device: Device = .cpu, in registries: Registries = .standard
  ) {
    (self.data, self.validation, self.teacher) = (data, validation, teacher)
    (self.threads, self.device, self.registries) = (threads, device, registries)
  }

  func task(for specification: SegmentationSpecification) throws -> SegmentationTask {
    guard data.count == 1 || specification.wantsPairs else {
      throw SpecificationError(
        .badValue,
        "a segmentation network is trained on one --data, not \(data.count); others serve where "
          + "it learns from pairs of frames")
    }
    var clip = try clip(data[0], split: "train")
    if let teacher { clip = try taught(clip, by: teacher.folder, keeping: teacher.cache) }
    let samples = SegmentationSamples(clip)
    let wanted = specification.network.classes
    guard samples.classes.names == wanted.names else {
      throw SpecificationError(
        .badInput,
        "\(data[0]) has \(samples.classes.count) classes of its own, the network \(wanted.count)")
    }
    return try specification.task(
      on: samples, pairs: specification.wantsPairs ? pairs(for: specification) : nil,
      validation: try validationClip(), device: device)
  }

  /// Pairs of frames of all data.
  private func pairs(for specification: SegmentationSpecification) throws -> LearnedPairs {
    let sources = try data.map {
      try pairs(of: $0, count: specification.pairCount, gaps: specification.gaps)
    }
    return LearnedPairs(
      sources, along: try flow(specification.flow), degradation: specification.degradation,
      seed: specification.plan.seed)
  }

  /// Classes that never occur in the labels to train on; nothing where they are rendered.
  func labelWarnings(isStopped: () -> Bool) throws -> [String] {
    let clip = try clip(data[0], split: "train")
    guard teacher == nil, clip.isStored else { return [] }
    let (absent, maps) = try clip.absentClasses(in: 1000, isStopped: isStopped)
    guard maps > 0, !absent.isEmpty, !isStopped() else { return [] }
    let void = clip.classes.void.map { "; \($0) is void" } ?? ""
    return [
      "\(data[0]): no pixel of \(absent.joined(separator: ", ")) in the \(maps) label maps looked "
        + "at\(void)"
    ]
  }

  /// What weights are fitted to: clips by the names that results call them.
  var provenance: Provenance {
    Provenance(trainedOn: data.map { (try? clip($0, split: "train").name) ?? $0 })
  }

  /// What was taught has no truth of its own to be measured by.
  private func validationClip() throws -> (any LabelledClip)? {
    guard let name = validation ?? (teacher == nil ? data[0] : nil) else { return nil }
    return try clip(name, split: "val")
  }

  private func taught(
    _ clip: any LabelledClip, by folder: String, keeping cache: String
  ) throws -> any LabelledClip {
    let (backbone, head) = try network(at: folder).load()
    return try TeacherLabels(of: clip, by: backbone, head, cache: cache)
  }

  /// The network of a path, whichever engine runs it.
  func network(at path: String) throws -> any NetworkSource {
    let spec = try PipelineSpec(backbone: PartSpec(path)).canonical(in: registries)
    guard let backbone = spec.backbone else {
      throw SpecificationError(.badValue, "\(path) is no network")
    }
    return try registries.source(of: backbone, in: registries.context(threads: threads))
  }

  func task(for specification: FlowTrainingSpecification) throws -> FlowTask {
    let sources = try data.map { try pairs(of: $0, count: specification.pairCount) }
    let evaluation = FlowEvaluation(
      pairs: StreetPairs(seed: 0x5EED), clip: try validation.map { try clip($0, split: "val") })
    return try specification.task(on: sources, evaluation: evaluation, device: device)
  }

  func task(for specification: PropagationTrainingSpecification) throws -> PropagationTask {
    let backbone = try backbone(in: specification.part.backbone)
    let flow = try flow(specification.part.flow)
    let classes = backbone.head.classes
    let sources = try data.map {
      try pairs(
        of: $0, count: specification.pairCount, gaps: specification.gaps, labelledAs: classes)
    }
    var task = try specification.task(
      behind: backbone, on: sources, along: flow, device: device)
    if let clip = try validation.map({ try clip($0, split: "val") }) {
      let part = task.part, propagator = part.propagator, backbone = task.backbone
      task.evaluation = { [tap = specification.part.tap] in
        var scores: [String: Double] = [:]
        for interval in [5, 10] {
          let pipeline = try KeyframePipeline(
            backbone: backbone, head: backbone.head, scheduler: .every(interval),
            propagator: propagator, fusion: part.fusion, decoder: part.decoder, flow: flow,
            tap: tap)
          let measured = try Evaluator(pipeline, on: clip, consistency: nil).run()
          scores["val/miou/\(interval)"] = measured.accuracy?.mIoU
        }
        return scores
      }
    }
    return task
  }

  func task(for specification: ChangeScoreTrainingSpecification) throws -> ChangeScoreTask {
    let measured = try validation.map {
      PairSource(ClipPairs(try clip($0, split: "val"), gaps: specification.gaps), count: 100)
    }
    return try specification.task(
      behind: backbone(in: specification.changeScore.backbone),
      on: data.map {
        try pairs(of: $0, count: specification.pairCount, gaps: specification.gaps)
      },
      along: flow(specification.changeScore.flow), validation: measured, device: device)
  }

  /// A task on clips that are measured first, by agreement with the backbone, which takes longer
  /// than the training.
  ///
  /// What was measured is kept in `folder`. Nil where `isStopped` said so.
  func task(
    for specification: PolicyTrainingSpecification, keeping folder: String,
    isStopped: () -> Bool, advance: () -> Void
  ) throws -> PolicyTask? {
    let measuring = EpisodeMeasuring(specification, folder: folder, sources: self)
    func episodes(_ names: [String], split: String) throws -> [PolicyEpisode]? {
      var found: [PolicyEpisode] = []
      for name in names {
        let request = ClipRequest(split: split, limit: specification.frames, threads: threads)
        let clip = try dataset(name).clip(request)
        guard
          let episode = try measuring.episode(
            of: clip, named: name, isStopped: isStopped, advance: advance)
        else { return nil }
        found.append(episode)
      }
      return found
    }
    guard let played = try episodes(data, split: "train"),
      let measured = try episodes(validation.map { [$0] } ?? [], split: "val")
    else { return nil }
    return try specification.task(on: played, validation: measured, device: device)
  }

  func backbone(in folder: String) throws -> SegmentationNetwork {
    try NetworkFolder(at: folder).network(on: device).folded()
  }

  private func flow(_ name: String) throws -> any FlowEstimator {
    try registries.flows.build(
      registries.grammar.parse(name, as: registries.flows.role),
      in: registries.context(threads: threads))
  }

  /// Pairs of a data set: streets are rendered, what was filmed is taken as it is, other pictures
  /// are set in motion.
  ///
  /// Labels of other classes than those asked for are left out.
  private func pairs(
    of name: String, count: Int, gaps: ClosedRange<Int> = 1...6,
    labelledAs classes: ClassList? = nil
  ) throws -> PairSource {
    func labels(of found: ClassList) -> Bool { classes.map { $0.names == found.names } ?? true }

    let source = try dataset(name)
    if case .rendered(let seed) = source.pairing {
      return PairSource(
        StreetPairs(seed: seed, gaps: gaps), count: count, isLabelled: labels(of: .camVid))
    }
    let clip = try clip(name, split: "train")
    let isLabelled = source.isLabelled && labels(of: clip.classes)
    guard source.pairing == .filmed else {
      return PairSource(
        StillPairs(StillsInMotion(stills: clip, seed: 1), gaps: gaps), count: count,
        isLabelled: isLabelled)
    }
    guard clip.count > gaps.lowerBound else {
      throw SpecificationError(
        .badInput, "\(name) has only \(clip.count) frames, too few for pairs")
    }
    return PairSource(ClipPairs(clip, gaps: gaps), count: count, isLabelled: isLabelled)
  }

  func dataset(_ name: String) throws -> DataSource {
    try registries.datasets.build(
      registries.grammar.parse(name, as: registries.datasets.role),
      in: registries.context(threads: threads))
  }

  /// A part of a data set: `train` or `val`.
  ///
  /// - Throws: `SpecificationError` where there is no such data set, `DatasetError` for its files.
  public func clip(_ name: String, split: String) throws -> any LabelledClip {
    try dataset(name).clip(ClipRequest(split: split, threads: threads))
  }
}
