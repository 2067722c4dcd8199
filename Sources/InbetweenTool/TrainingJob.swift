// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Datasets
internal import Evaluation
internal import Flow
internal import Foundation
internal import Pipeline
internal import Propagation
internal import Recipes
internal import Scheduler
internal import Tensors
internal import Training
internal import Video

/// What a specification describes.
enum TrainingJob {
  case segmentation(SegmentationSpecification)
  case flow(FlowTrainingSpecification)
  case propagation(PropagationTrainingSpecification)
  case changeScore(ChangeScoreTrainingSpecification)
  case policy(PolicyTrainingSpecification)
  case head(HeadTrainingSpecification)

  /// What the file at `path` says, with another seed where one is given.
  ///
  /// - Throws: `BackboneError` for a file that is missing or says nothing that can be trained.
  init(specification path: String, seed: UInt64? = nil) throws {
    guard FileManager.default.fileExists(atPath: path) else {
      throw BackboneError(.missingFile, "\(path): there is no such specification")
    }
    let bytes = try readBytes(of: path, limit: 1 << 20)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw BackboneError(.badDescription, "\(path) is no YAML text")
    }
    let folder = (path as NSString).deletingLastPathComponent
    do throws(BackboneError) {
      if FlowTrainingSpecification.describes(text) {
        var flow = try FlowTrainingSpecification(yaml: text, folder: folder)
        if let seed { flow.plan.seed = seed }
        self = .flow(flow)
      } else if PropagationTrainingSpecification.describes(text) {
        var propagation = try PropagationTrainingSpecification(yaml: text, folder: folder)
        if let seed { propagation.plan.seed = seed }
        self = .propagation(propagation)
      } else if ChangeScoreSpecification.describes(text) {
        var changeScore = try ChangeScoreTrainingSpecification(yaml: text, folder: folder)
        if let seed { changeScore.plan.seed = seed }
        self = .changeScore(changeScore)
      } else if PolicySpecification.describes(text) {
        var policy = try PolicyTrainingSpecification(yaml: text, folder: folder)
        if let seed { policy.plan.seed = seed }
        self = .policy(policy)
      } else if HeadSpecification.describes(text) {
        var head = try HeadTrainingSpecification(yaml: text, folder: folder)
        if let seed { head.plan.seed = seed }
        self = .head(head)
      } else {
        var network = try SegmentationSpecification(yaml: text, folder: folder)
        if let seed { network.plan.seed = seed }
        self = .segmentation(network)
      }
    } catch {
      throw BackboneError(error.code, "\(path): \(error.message)")
    }
  }
}

/// The data that the command line names, as tasks take them.
struct TrainingSources {
  let data: [String]
  let validation: String?
  let threads: Int
  let device: Device

  /// Labels by this network where data have none, kept in a folder; nil: labels are the data's own.
  let teacher: (folder: String, cache: String)?

  func task(for specification: SegmentationSpecification) throws -> SegmentationTask {
    guard data.count == 1 else {
      throw Failure(.usage, "a segmentation network is trained on one --data, not \(data.count)")
    }
    var clip = try clip(data[0], split: "train")
    if let teacher { clip = try taught(clip, by: teacher.folder, keeping: teacher.cache) }
    let samples = SegmentationSamples(clip)
    let wanted = specification.network.classes
    guard samples.classes.names == wanted.names else {
      throw Failure(
        .badInput,
        "\(data[0]) has \(samples.classes.count) classes of its own, the network \(wanted.count)")
    }
    return try specification.task(
      on: samples, pairs: specification.wantsPairs ? pairs(of: data[0], count: 128) : nil,
      validation: try validationClip(), device: device)
  }

  /// What was taught has no truth of its own to be measured by.
  private func validationClip() throws -> (any Clip)? {
    guard let name = validation ?? (teacher == nil ? data[0] : nil) else { return nil }
    return try clip(name, split: "val")
  }

  private func taught(
    _ clip: any Clip, by folder: String, keeping cache: String
  ) throws -> any Clip {
    let (backbone, head) = try StoredNetwork(at: folder).load()
    let pipeline = try KeyframePipeline(
      backbone: backbone, head: head, scheduler: .every(1), propagator: .copy,
      flow: DISFlow(preset: .fast))
    return try TeacherLabels(of: clip, classes: head.classes, cache: cache) { image in
      var state = pipeline.start()
      return try pipeline.label(Frame(index: 0, time: 0, pixels: image), in: &state).labels
    }
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
      let part = task.part, propagator = part.propagator
      task.evaluation = { [tap = specification.part.tap] in
        var scores: [String: Double] = [:]
        for interval in [5, 10] {
          let pipeline = try KeyframePipeline(
            backbone: backbone, head: backbone.head, scheduler: .every(interval),
            propagator: propagator, fusion: part.fusion, flow: flow, tap: tap)
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

  /// A task on clips that are measured first, by agreement with the backbone, which takes longer than the training.
  ///
  /// What was measured is kept in `folder`. Nil where `isStopped` said so.
  func task(
    for specification: PolicyTrainingSpecification, keeping folder: String,
    isStopped: () -> Bool
  ) throws -> PolicyTask? {
    let measuring = EpisodeMeasuring(specification, folder: folder, threads: threads)
    func episodes(_ names: [String], split: String) throws -> [PolicyEpisode]? {
      var found: [PolicyEpisode] = []
      for name in names {
        let request = ClipRequest(split: split, limit: specification.frames, threads: threads)
        let clip = try [Card<ClipMaker>].clips.part(name)(request)
        guard let episode = try measuring.episode(of: clip, named: name, isStopped: isStopped)
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
    try [Card<any FlowEstimator>].flows(threads: threads).part(name)
  }

  /// Pairs of a data set: streets are rendered, what was filmed is taken as it is, other pictures are set in motion.
  ///
  /// Labels of other classes than those asked for are left out.
  private func pairs(
    of name: String, count: Int, gaps: ClosedRange<Int> = 1...6,
    labelledAs classes: ClassList? = nil
  ) throws -> PairSource {
    func labels(of found: ClassList) -> Bool { classes.map { $0.names == found.names } ?? true }

    let parts = name.split(separator: ":", maxSplits: 1)
    if parts.count == 2, parts[0] == "streets", let seed = UInt64(parts[1]) {
      return PairSource(
        StreetPairs(seed: seed, gaps: gaps), count: count, isLabelled: labels(of: .camVid))
    }
    let clip = try clip(name, split: "train")
    if ["video", "davis", "cityscapes"].contains(parts[0]) {
      guard clip.count > gaps.lowerBound else {
        throw Failure(.badInput, "\(name) has only \(clip.count) frames, too few for pairs")
      }
      return PairSource(
        ClipPairs(clip, gaps: gaps), count: count,
        isLabelled: parts[0] != "video" && labels(of: clip.classes))
    }
    return PairSource(
      StillPairs(StillsInMotion(stills: clip, seed: 1), gaps: gaps), count: count,
      isLabelled: labels(of: clip.classes))
  }

  private func clip(_ name: String, split: String) throws -> any Clip {
    try [Card<ClipMaker>].clips.part(name)(ClipRequest(split: split, threads: threads))
  }
}
