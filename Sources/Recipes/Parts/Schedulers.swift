// SPDX-License-Identifier: Apache-2.0

internal import Layers
public import Scheduler
public import Specification

extension PartRequirement {
  /// A clock for stages in the middle, of which there is one.
  fileprivate static let middleClock = PartRequirement(rawValue: "a clock for middle stages")
}

extension Registries {
  mutating func registerSchedulers() {
    schedulers.register(
      "every",
      "a key frame every N frames, in the mean if N is not whole; every:1 is per-frame inference",
      options: [
        .required("interval", .number(1...1_000_000_000), placeholder: "N"),
        .optional("offset", .number(0...1_000_000_000), positional: false),
      ]
    ) { options, _ in
      let (interval, offset) = (
        options.number("interval"), options.numberIfGiven("offset") ?? 0
      )
      guard offset < interval else {
        throw SpecificationError(.badValue, "every takes an offset below its interval")
      }
      guard let whole = Int(exactly: interval), offset == 0 else {
        return MeanInterval(every: interval, offset: offset)
      }
      return FixedInterval(every: whole)
    }
    schedulers.register(
      "random", "each frame is a key frame with this probability: the honest baseline",
      options: [.required("rate", .share)]
    ) { options, _ in RandomKeyframes(rate: options.number("rate")) }
    schedulers.register(
      "oracle", "the best key frames at this rate, by the labels: the upper bound, in eval only",
      options: [.required("rate", .share)], requires: [.labels]
    ) { options, context in
      guard let oracle = context[Oracle.self] else {
        throw SpecificationError(
          .incompatible, "the scheduler oracle chooses by labels, which only eval has")
      }
      return try oracle.keyframes(options.number("rate"))
    }
    schedulers.register(
      "codec", "a key frame where the codec has one, and N frames after it at the latest",
      options: [.optional("longest", .count, placeholder: "N")], usage: "codec[:N]"
    ) { options, _ in
      options.integerIfGiven("longest").map { CodecKeyframes(longest: $0) } ?? CodecKeyframes()
    }
    registerTrainedSchedulers()
    registerWrappers()
    registerResolutions()
  }

  private mutating func registerTrainedSchedulers() {
    schedulers.register(
      "policy", "a budget of key frames spent as a trained policy says (Budget-Aware)",
      options: [
        .required("folder", .path),
        .optional("budget", .list(.count), placeholder: "KEYFRAMES/FRAMES"),
        .optional("rate", .share, positional: false, placeholder: "R"),
      ],
      usage: "policy:FOLDER,rate=R|policy:FOLDER,KEYFRAMES/FRAMES",
      validate: { (options) throws(InvalidOption) in _ = try KeyframeBudget.Terms(options) }
    ) { options, context in
      let folder = try ModelFolder(at: options.text("folder"))
      folder.files.forEach(context.note(file:))
      context.warnOfMissingMotion("the policy")
      let trained = try folder.read { (root) throws(SpecificationError) in
        try PolicySpecification(root, folder: folder.path)
      }
      try context.warn(folder.path, trainedBehind: trained.backbone, along: trained.flow)
      return BudgetPolicy(try PolicyNetwork(folder), within: try KeyframeBudget.Terms(options))
    }
    schedulers.register(
      "calibrated",
      "a key frame at the threshold that 'inbetween calibrate --keep FOLDER' found for a score",
      options: [.required("folder", .path)], slot: PartSlot("score", role: "scheduler"),
      usage: "calibrated:FOLDER,SCORE:rate=R"
    ) { options, context in
      try StoredThresholds.scheduler(options, in: context)
    }
  }

  private mutating func registerWrappers() {
    let base = PartSlot("base", role: "scheduler")
    wrap("shots", "another scheduler's key frames and one at each cut: shots:every:10", base) {
      _, other in ShotChange(other)
    }
    wrap(
      "budget", "another scheduler's key frames, but never more than a SHARE of the frames", base,
      [.required("share", .share)]
    ) { options, other in BudgetedScheduler(other, share: options.number("share")) }
    wrap(
      "within", "another scheduler's key frames, and one N frames after the last at the latest",
      base, [.required("frames", .count, placeholder: "N")]
    ) { options, other in LongestInterval(other, frames: options.integer("frames")) }
    wrap(
      "background",
      "another scheduler's key frames, in the background and used N frames later: no frame waits",
      base, [.required("frames", .count, placeholder: "N")], requires: [.directPropagation]
    ) { options, other in BackgroundRefresh(other, frames: options.integer("frames")) }
    wrap(
      "shallow",
      "another scheduler's key frames; between them stages after the tap run on every Nth frame",
      base, [.required("interval", .count, placeholder: "N")],
      requires: [.stagesAfterTap, .directPropagation]
    ) { options, other in ShallowClock(other, every: options.integer("interval")) }
    registerMiddleClock(base)
  }

  private mutating func registerMiddleClock(_ base: PartSlot) {
    schedulers.register(
      "middle",
      "another scheduler's key frames; between them the stages up to a TAP run on every Nth frame",
      options: [
        .required("stage", .text, placeholder: "TAP"),
        .required("interval", .count, placeholder: "N"),
      ], slot: base, requires: [.stagesAfterTap, .directPropagation, .middleClock]
    ) { options, context in
      let stage = options.text("stage"), taps = context[TapsInUse.self] ?? TapsInUse([])
      guard taps.stages.dropLast().contains(stage), !taps.idle.contains(stage) else {
        throw SpecificationError(
          .incompatible,
          "a clock of its own for '\(stage)' needs it among the taps (--tap; here "
            + "\(taps.stages.joined(separator: ", "))), before the last, and read by later stages")
      }
      let (grammar, role) = (context.registries.grammar, context.registries.schedulers.role)
      guard !grammar.requirements(of: options.part("base"), as: role).contains(.middleClock) else {
        throw SpecificationError(
          .incompatible, "there is one clock for stages in the middle: leave out one 'middle:'")
      }
      return MiddleClock(
        try context.scheduler(options.part("base")), through: stage,
        every: options.integer("interval"))
    }
  }

  /// Registers a scheduler around another one.
  private mutating func wrap(
    _ kind: String, _ summary: String, _ base: PartSlot, _ options: [OptionSpec] = [],
    requires: Set<PartRequirement> = [],
    make: @escaping @Sendable (ResolvedOptions, any KeyframeScheduler) -> any KeyframeScheduler
  ) {
    schedulers.register(kind, summary, options: options, slot: base, requires: requires) {
      options, context in
      make(options, try context.scheduler(options.part("base")))
    }
  }

  private mutating func registerResolutions() {
    schedulers.register(
      "ladder",
      "another scheduler's key frames, most of smaller pictures, or as large as a budget allows",
      options: [
        .required("scales", .list(.share), placeholder: "SCALE"),
        .optional("interval", .count, placeholder: "N"),
        .optional("budget", .share, positional: false, placeholder: "SHARE"),
      ], slot: PartSlot("base", role: "scheduler"),
      usage: "ladder:SCALE,N,SCHEDULER|ladder:SCALE/SCALE,budget=SHARE,SCHEDULER",
      validate: { (options) throws(InvalidOption) in
        guard (options["interval"] == nil) != (options["budget"] == nil) else {
          throw InvalidOption("needs either an interval or budget=SHARE")
        }
        guard options["budget"] != nil || options.numbers("scales").count == 1 else {
          throw InvalidOption("takes several scales with budget=SHARE only")
        }
      }
    ) { options, context in
      let (other, scales) = (try context.scheduler(options.part("base")), options.numbers("scales"))
      if let share = options.numberIfGiven("budget") {
        return BudgetedResolution(other, scales: scales, share: share)
      }
      return AlternatingResolution(
        other, scale: scales[0], fullEvery: options.integer("interval"))
    }
  }
}

/// What finds the best key frames of a labelled clip for the pipeline that is being made.
package struct Oracle: Sendable {
  /// The key frames where a share of the frames is to be one.
  package let keyframes: @Sendable (_ rate: Double) throws -> any KeyframeScheduler

  package init(
    keyframes: @escaping @Sendable (_ rate: Double) throws -> any KeyframeScheduler
  ) { self.keyframes = keyframes }
}

extension BuildContext {
  /// The registries that the part is made out of.
  ///
  /// - Precondition: the context was made by registries.
  public var registries: Registries {
    guard let registries = self[Registries.self] else {
      preconditionFailure("parts of parts are built in the context of registries")
    }
    return registries
  }

  /// The scheduler that another one is made around.
  public func scheduler(_ spec: PartSpec) throws -> any KeyframeScheduler {
    try registries.schedulers.build(spec, in: self)
  }
}

extension KeyframeBudget.Terms {
  /// A budget as `rate=R` or KEYFRAMES/FRAMES name one.
  fileprivate init(_ options: ResolvedOptions) throws(InvalidOption) {
    let block = options.numbers("budget").map { Int($0) }
    if let rate = options.numberIfGiven("rate"), block.isEmpty {
      self = .rate(rate)
    } else if options["rate"] == nil, block.count == 2, block[0] <= block[1] {
      self = .block(keys: block[0], frames: block[1])
    } else {
      throw InvalidOption("needs either rate=R or KEYFRAMES/FRAMES, such as 20/100")
    }
  }
}
