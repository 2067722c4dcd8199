// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Datasets
internal import Foundation
internal import Layers
public import Specification
public import Tensors
internal import Video

/// A segmentation network and how it is trained, as one YAML file says.
///
/// Beside the keys of `NetworkSpecification`:
/// ```yaml
/// name: camvid-resnet18
/// base: ../other-network      # begins with its weights; what no stage trains stays there; behind
///                             # the encoder, what has another shape there is drawn
/// training:
///   seed: 1
///   batch: 4
///   crop: [240, 320]          # height, width
///   scale: [0.6, 1.8]         # how much larger things become
///   rotation: 3                   # degrees either way
///   colour: 0.3               # how far brightness, contrast and saturation stray from 1
///   focus: 0.5                # share of crops laid around a pixel of a class drawn evenly
///   classmix: 0.5               # share of crops onto which classes of another are pasted
///   class_weights: sqrt-median   # or none, median, log
///   relaxed: 0                # pixels from a boundary within which its classes are as good
///   ohem: 16384            # count only unlearned pixels, but at least so many; all if left out
///   soft_iou: 0.5              # weight of 1 - soft IoU beside the cross-entropy
///   teacher: {network: ../camvid-resnet18, weight: 1, temperature: 1}   # beside this one; of
///                             # pairs of frames: neighbours: 0.4, pairwise: 1, multi_frame: 1
///   consistency: 0.1          # weight of what changes along the motion of pairs of frames
///   pair_batch: 2             # pairs a step; as many as crops if left out
///   pairs: 128                # how many are made of each source, and then seen again and again
///   gaps: [1, 6]              # frames from one to the other
///   flow: dis:medium          # their motion, where it is not known
///   degradation: {noise: 3}   # of each of their frames, as for parts that propagate features
///   stages:
///     - name: all
///       steps: 14000
///       optimizer: adamw      # or adam, sgd
///       decay: 0.02
///       rate: 0.001
///       shape: cosine         # or polynomial, constant
///       warmup: 300
///       clip: 5               # largest norm of the gradient
///       ema_decay: 0.999      # how much of the averaged weights a step keeps
///       precision: bfloat16   # or float32
///       frozen: [encoder.stem]
///       rates: {encoder: 0.1}
///       from: weights.safetensors   # beside the specification
///       crop: [360, 480]      # and any other of the keys above: for this stage
/// ```
public struct SegmentationSpecification: Sendable {
  /// What the network is called.
  public let name: String
  /// What the network consists of.
  public let network: NetworkSpecification
  /// The stages and the seed.
  public var plan: TrainingPlan
  /// What each stage of the plan sees and brings down, but for the weights of classes, which the
  /// data give, and the teacher, which is read when a task is made.
  public let lessons: [StageConfiguration]
  /// How rare classes count in each stage.
  public let weightings: [ClassWeighting]
  /// How many pairs of frames are made of each source, and how many frames lie between.
  public let pairCount: Int, gaps: ClosedRange<Int>
  /// What finds the motion of pairs that were filmed, by its short text.
  public let flow: String
  /// What each frame of a pair suffers on its own.
  public let degradation: Degradation
  /// The folder of the network that it begins with; nil where it is drawn.
  private let base: String?
  /// Who teaches in each stage.
  private let teachers: [Teacher?]
  /// Tells this specification from any other.
  public let fingerprint: TrainingFingerprint

  /// How rare classes are made to count.
  public enum ClassWeighting: String, CaseIterable, Sendable {
    /// All alike, or by `LabelFrequencies.medianWeights` as they are.
    case none, median
    /// By the square roots of `medianWeights`.
    case squareRootMedian = "sqrt-median"
    /// By `LabelFrequencies.logarithmicWeights`.
    case logarithmic = "log"
  }

  /// Reads a description; `folder` is where the files it names lie.
  ///
  /// - Throws: `SpecificationError` with the key that is missing, unknown or of the wrong type.
  public init(yaml: String, folder: String) throws(SpecificationError) {
    let root = try DescriptionReader(yaml: yaml)
    try root.allow(["name", "base", "input", "classes", "network", "training", "about"])
    name = try root.string("name")
    base = root.has("base") ? try root.path("base", in: folder) : nil
    network = try NetworkSpecification(root)
    let training = try root.group("training")
    try training.allow(
      StageConfiguration.keys + ["seed", "stages", "pairs", "gaps", "flow", "degradation"])
    pairCount = try training.integer("pairs", in: 1...1_000_000, usual: 128)
    gaps = try training.gaps(usual: 1...6)
    flow = training.has("flow") ? try training.string("flow") : "dis:medium"
    degradation = try training.degradation()
    let stages = try training.groups("stages")
    plan = TrainingPlan(
      stages: try stages.map { (stage) throws(SpecificationError) in
        try TrainingStage(stage, folder: folder, otherKeys: StageConfiguration.keys)
      },
      seed: UInt64(training.has("seed") ? try training.integer("seed", in: 0...Int.max) : 1))
    guard !plan.stages.isEmpty else { throw training.complaint("stages", "must name at least one") }
    lessons = try stages.map { (stage) throws(SpecificationError) in
      try StageConfiguration(stage, usually: training)
    }
    weightings = try stages.map { (stage) throws(SpecificationError) in
      try ClassWeighting(stage.has("class_weights") ? stage : training)
    }
    teachers = try stages.map { (stage) throws(SpecificationError) in
      try Teacher(stage.has("teacher") ? stage : training, folder: folder)
    }
    fingerprint = try TrainingFingerprint(of: root, stages: stages.count)
  }

  /// The task that this describes, with weights drawn by the plan's seed.
  ///
  /// - Precondition: there are pairs where `wantsPairs`.
  public func task(
    on samples: SegmentationSamples, pairs: LearnedPairs? = nil,
    validation: (any LabelledClip)? = nil, device: Device = .cpu
  ) throws -> SegmentationTask {
    let parameters = Parameters(seed: plan.seed, device: device)
    if let base {
      // Of what comes behind the encoder, and is trained, the base may have another kind.
      try parameters.base(on: trained(base), under: "") { [stages = plan.stages] name in
        !name.hasPrefix("encoder.") && stages.contains { $0.trains(name) }
      }
    }
    let network = try SegmentationNetwork(network, parameters: parameters)
    guard !network.specification.learnsVoid || samples.classes.void == network.head.classes.void
    else {
      throw SpecificationError(
        .badDescription, "void cannot be learned: the data mark it otherwise than the network")
    }
    let course = try plan.stages.indices.map { index in
      var lesson = lessons[index]
      let weights = try weightings[index].weights(for: samples)
      // Void, where it is learned, counts as it is.
      lesson.objective.crossEntropy.classWeights = weights.map {
        $0 + [Float](repeating: 1, count: network.specification.scoreCount - $0.count)
      }
      lesson.objective.teaching = try teachers[index]?.teaching(
        for: network.specification, device: device)
      return (steps: plan.stages[index].steps, lesson: lesson)
    }
    return SegmentationTask(
      network, on: samples, pairs: pairs, validation: validation, lessons: course,
      seed: plan.seed)
  }

  private func trained(_ path: String) throws(SpecificationError) -> ModelFolder {
    let folder = try ModelFolder(at: path)
    guard folder.isTrained else {
      throw SpecificationError(.badWeights, "\(path), the base of \(name), is not trained")
    }
    return folder
  }

  /// Whether a stage learns from pairs of frames, so that a task wants them.
  public var wantsPairs: Bool {
    lessons.contains { $0.objective.wantsPairs } || teachers.contains { $0?.wantsPairs ?? false }
  }
}

extension StageConfiguration {
  static let keys = [
    "batch", "crop", "scale", "rotation", "colour", "focus", "classmix", "class_weights", "relaxed",
    "ohem", "soft_iou", "teacher", "consistency", "pair_batch",
  ]

  /// What a stage says or, where it says nothing, the whole training.
  init(_ stage: DescriptionReader, usually training: DescriptionReader) throws(SpecificationError) {
    func teller(of key: String) -> DescriptionReader { stage.has(key) ? stage : training }
    func number(_ key: String, in range: ClosedRange<Double>) throws(SpecificationError) -> Double {
      try teller(of: key).number(key, in: range, usual: 0)
    }
    func integer(_ key: String, in range: ClosedRange<Int>) throws(SpecificationError) -> Int? {
      teller(of: key).has(key) ? try teller(of: key).integer(key, in: range) : nil
    }
    let crop = try teller(of: "crop").integers("crop", in: 8...8192)
    guard crop.count == 2 else {
      throw teller(of: "crop").complaint("crop", "must be [height, width]")
    }
    let scales = teller(of: "scale")
    let scale = scales.has("scale") ? try scales.numbers("scale", count: 2) : [1, 1]
    guard scale[0] > 0.05, scale[0] <= scale[1], scale[1] < 20 else {
      throw scales.complaint("scale", "must be a range within 0.05…20, smallest first")
    }
    self.init(
      augmentation: Augmentation(
        crop: PixelSize(width: crop[1], height: crop[0]), scale: scale[0]...scale[1],
        rotation: try number("rotation", in: 0...180), colour: try number("colour", in: 0...1)),
      batchSize: try teller(of: "batch").integer("batch", in: 1...1024),
      pairBatchSize: try integer("pair_batch", in: 1...1024),
      objective: SegmentationObjective(
        crossEntropy: CrossEntropyLoss(
          relaxedPixels: try integer("relaxed", in: 0...16) ?? 0,
          hardExamples: try integer("ohem", in: 0...1_000_000_000).map {
            HardExamples(leastKept: $0)
          }),
        overlap: try number("soft_iou", in: 0...100),
        consistency: try number("consistency", in: 0...1000)),
      focus: try number("focus", in: 0...1), classmix: try number("classmix", in: 0...1))
  }
}

extension SegmentationSpecification.ClassWeighting {
  init(_ reader: DescriptionReader) throws(SpecificationError) {
    let name = reader.has("class_weights") ? try reader.string("class_weights") : "none"
    guard let known = Self(rawValue: name) else {
      let names = Self.allCases.map(\.rawValue).joined(separator: ", ")
      throw reader.complaint("class_weights", "must be one of \(names)")
    }
    self = known
  }

  func weights(for samples: SegmentationSamples) throws -> [Float]? {
    switch self {
    case .none: nil
    case .median: try samples.frequencies().medianWeights()
    case .squareRootMedian: try samples.frequencies().medianWeights(exponent: 0.5)
    case .logarithmic: try samples.frequencies().logarithmicWeights()
    }
  }
}

extension TrainingStage {
  /// Reads a stage; `otherKeys` are what else it may say, of no concern to the plan.
  init(
    _ reader: DescriptionReader, folder: String, otherKeys: [String] = []
  ) throws(SpecificationError) {
    try reader.allow(
      [
        "name", "steps", "optimizer", "decay", "momentum", "rate", "shape", "warmup", "clip",
        "ema_decay", "precision", "frozen", "rates", "from",
      ] + otherKeys)
    try reader.check("optimizer", isOneOf: ["sgd", "adam", "adamw"])
    let decay = try reader.number("decay", in: 0...10, usual: 0)
    let shape = reader.has("shape") ? try reader.string("shape") : "cosine"
    let shapes: [String: LearningRateSchedule.Shape] = [
      "cosine": .cosine, "polynomial": .polynomial(power: 0.9), "constant": .constant,
    ]
    guard let shape = shapes[shape] else {
      throw reader.complaint("shape", "must be cosine, polynomial or constant")
    }
    let optimizer: OptimizerKind =
      switch try reader.string("optimizer") {
      case "sgd":
        .sgd(
          momentum: try reader.number("momentum", in: 0...0.9999, usual: 0.9), decay: decay,
          nesterov: false)
      case "adam": .adam(betas: [0.9, 0.999], decay: decay)
      default: .adamW(betas: [0.9, 0.999], decay: decay)
      }
    self.init(
      try reader.string("name"), steps: try reader.integer("steps", in: 1...100_000_000),
      optimizer: optimizer,
      rate: LearningRateSchedule(
        peak: try reader.number("rate", in: 0...1000), shape: shape,
        warmUp: reader.has("warmup") ? try reader.integer("warmup", in: 0...10_000_000) : 0))
    averaging = try reader.number("ema_decay", in: 0...0.999999, usual: 0)
    if reader.has("clip") { largestGradient = try reader.number("clip", in: 0...1e9) }
    if reader.has("precision") {
      try reader.check("precision", isOneOf: ["float32", "bfloat16"])
      precision = ElementType(rawValue: try reader.string("precision")) ?? .float32
    }
    frozen = reader.strings("frozen") ?? []
    if reader.has("rates") { rateScales = try reader.group("rates").allNumbers() }
    if reader.has("from") {
      let file = try reader.string("from")
      startingWeights = file.hasPrefix("/") ? file : "\(folder.isEmpty ? "." : folder)/\(file)"
    }
  }
}
