// SPDX-License-Identifier: Apache-2.0

public import Flow
internal import Frames
public import Propagation
public import Scheduler
internal import Tensors

extension [Card<any KeyframeScheduler>] {
  /// The schedulers this package ships.
  public static let schedulers: Self = [
    Card("every", setting: "N", "a key frame every N frames; every:1 is the per-frame baseline") {
      FixedInterval(every: try positiveInteger($0))
    },
    Card(
      "moved", setting: "PIXELS|rate=R|latency=MS",
      "a key frame once the picture has moved PIXELS on average; as any score below, or such a threshold that a "
        + "share R of the frames is key, or that a frame takes MS on average"
    ) { setting in
      if let target = try Self.target(setting) {
        return TargetRateScheduler(MotionMagnitude(), target: target)
      }
      return ThresholdScheduler.whenMoved(pixels: try positiveNumber(setting))
    },
    Card(
      "spread", setting: "PIXELS|rate=R|latency=MS",
      "a key frame once parts of the picture have moved PIXELS apart"
    ) { try scored(MotionDeviation(), $0) },
    Card(
      "warp-error", setting: "LEVELS|rate=R|latency=MS",
      "a key frame once the key, brought here along the motion, differs by LEVELS of 255"
    ) { try scored(WarpError(), $0) },
    Card(
      "unknown", setting: "SHARE|rate=R|latency=MS",
      "a key frame once the motion of a SHARE is unknown: of codec motion, what was coded on its own"
    ) { try scored(UnknownFraction(), $0) },
    Card(
      "confidence", setting: "LOSS|rate=R|latency=MS",
      "a key frame once the mean probability of the best class has fallen by LOSS since the key"
    ) { try scored(UncertaintyIncrease(.confidence), $0) },
    Card(
      "entropy", setting: "RISE|rate=R|latency=MS",
      "a key frame once the mean entropy of the classes, 0 to 1, has risen by RISE since the key"
    ) { try scored(UncertaintyIncrease(.entropy), $0) },
    Card(
      "features", setting: "STAGE,CHANGE|STAGE,rate=R|STAGE,latency=MS",
      "a key frame once features after STAGE have changed by CHANGE of their norm"
    ) {
      let (stage, rest) = try Self.halves($0, "a stage")
      return try scored(FeatureChange(after: stage), rest)
    },
    Card(
      "labels", setting: "STAGE,SHARE|STAGE,rate=R|STAGE,latency=MS",
      "a key frame once a SHARE of places has another best channel after STAGE (Clockwork)"
    ) {
      let (stage, rest) = try Self.halves($0, "a stage")
      return try scored(LabelChange(after: stage), rest)
    },
    Card(
      "learned", setting: "FOLDER,CHANGE|FOLDER,rate=R|FOLDER,latency=MS",
      "a key frame once a trained network says that so much has changed: a folder with spec.yaml and weights"
    ) {
      let (folder, rest) = try Self.halves($0, "a folder")
      return try scored(LearnedChangeScore(contentsOf: folder), rest)
    },
    Card(
      "calibrated", setting: "FOLDER,SCORE:rate=R",
      "a key frame at the threshold that 'inbetween calibrate --keep FOLDER' found for a score at a rate or a latency"
    ) {
      let (folder, rest) = try Self.halves($0, "a folder")
      guard let rest, let held = try base(rest) as? TargetRateScheduler else {
        throw Misfit("needs a score at a rate or a latency, such as moved:rate=0.1")
      }
      let threshold = try StoredThresholds(contentsOf: folder).threshold(of: rest, in: folder)
      return ThresholdScheduler(held.changeScore, threshold: threshold)
    },
    Card(
      "policy", setting: "FOLDER,rate=R|FOLDER,KEYS/FRAMES",
      "a budget of keys spent as a trained policy says (Budget-Aware): a share R, or so many KEYS of every so many "
        + "FRAMES"
    ) {
      let (folder, rest) = try Self.halves($0, "a folder")
      return BudgetPolicy(try PolicyNetwork(contentsOf: folder), within: try terms(rest))
    },
    Card("random", setting: "RATE", "each frame is key with this probability: the honest baseline")
    {
      RandomKeyframes(rate: try share($0))
    },
    Card(
      "oracle", setting: "RATE",
      "the best keys there are at this share, chosen by the labels: the upper bound, in eval only"
    ) { OracleKeyframes(rate: try share($0)) },
    Card(
      "codec", setting: "N",
      "a key frame where the codec has one, and N frames after it at the latest"
    ) {
      try $0.map { CodecKeyframes(longest: try positiveInteger($0)) } ?? CodecKeyframes()
    },
    Card(
      "shots", setting: "SCHEDULER", "another scheduler's keys and one at each cut: shots:every:10"
    ) { ShotChange(try base($0)) },
    Card(
      "budget", setting: "SHARE,SCHEDULER",
      "another scheduler's keys, but never more than a SHARE of the frames: budget:0.1,moved:10"
    ) {
      let (limit, rest) = try Self.halves($0, "a share")
      return BudgetedScheduler(try base(rest), share: try share(limit))
    },
    Card(
      "background", setting: "N,SCHEDULER",
      "another scheduler's keys, computed on another thread and used from N frames later on: no frame waits"
    ) {
      let (frames, rest) = try Self.halves($0, "a number of frames")
      return BackgroundRefresh(try base(rest), frames: try positiveInteger(frames))
    },
    Card(
      "shallow", setting: "N,SCHEDULER",
      "another scheduler's keys; between them what comes after the tap runs on every Nth frame, whose scores the "
        + "others borrow: shallow:3,every:10"
    ) {
      let (interval, rest) = try Self.halves($0, "a number of frames")
      return ShallowClock(try base(rest), every: try positiveInteger(interval))
    },
    Card(
      "ladder", setting: "SCALE,N,SCHEDULER|SCALE/SCALE...,budget=SHARE,SCHEDULER",
      "another scheduler's keys, all but every Nth of pictures SCALE as large (ladder:0.5,3,every:4), or each of as "
        + "large a one as the work of a SHARE of whole keys affords (ladder:0.5/0.7/1,budget=0.1,moved:8)"
    ) {
      let (scale, rest) = try Self.halves($0, "a scale")
      let (count, scheduler) = try Self.halves(rest, "how many keys to a full one, or budget=SHARE")
      if count.hasPrefix("budget=") {
        let scales = scale.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        return BudgetedResolution(
          try base(scheduler), scales: try scales.map { try share($0) },
          share: try share(String(count.dropFirst(7))))
      }
      return AlternatingResolution(
        try base(scheduler), scale: try share(scale), fullEvery: try positiveInteger(count))
    },
  ]

  private static func base(_ name: String?) throws -> any KeyframeScheduler {
    guard let name, !name.isEmpty else { throw Misfit("needs a scheduler") }
    let scheduler = try schedulers.part(name)
    guard !(scheduler is OracleKeyframes) else {
      throw Misfit("cannot take an oracle's keys, which are chosen for a run as a whole")
    }
    return scheduler
  }

  private static func scored(
    _ changeScore: some ChangeScore, _ setting: String?
  ) throws -> any KeyframeScheduler {
    if let target = try target(setting) { return TargetRateScheduler(changeScore, target: target) }
    return ThresholdScheduler(changeScore, threshold: try positiveNumber(setting))
  }

  /// The target that `rate=R` or `latency=MS` names; nil where the setting is another.
  private static func target(_ setting: String?) throws -> KeyframeTarget? {
    guard let setting else { return nil }
    if setting.hasPrefix("rate=") { return .rate(try share(String(setting.dropFirst(5)))) }
    guard setting.hasPrefix("latency=") else { return nil }
    return .latency(.seconds(try positiveNumber(String(setting.dropFirst(8))) / 1000))
  }

  /// A budget as `rate=R` or `KEYS/FRAMES` name one.
  private static func terms(_ setting: String?) throws -> KeyframeBudget.Terms {
    if let setting, setting.hasPrefix("rate=") {
      return .rate(try share(String(setting.dropFirst(5))))
    }
    let numbers = (setting ?? "").split(separator: "/", omittingEmptySubsequences: false)
      .map { Int($0) }
    guard numbers.count == 2, let keys = numbers[0], let frames = numbers[1], keys >= 1,
      frames >= keys
    else { throw Misfit("needs rate=R or KEYS/FRAMES, such as 20/100") }
    return .block(keys: keys, frames: frames)
  }

  /// What is before the first comma, which is to be `what`, and after it.
  private static func halves(
    _ setting: String?, _ what: String
  ) throws -> (String, rest: String?) {
    let parts = (setting ?? "").split(separator: ",", maxSplits: 1).map(String.init)
    guard let first = parts.first else { throw Misfit("needs \(what)") }
    return (first, parts.count > 1 ? parts[1] : nil)
  }
}

extension [Card<any Propagator>] {
  /// The propagators this package ships.
  public static let propagators: Self = [
    Card("copy", "features stay where they were: the baseline") { _ in Copy() },
    Card(
      "warp", setting: "previous,zero",
      "features follow the motion from the key frame; 'previous' chains frame to frame, "
        + "'zero' reads zeros outside instead of the nearest cell"
    ) { setting in
      let words = Set((setting ?? "").split(separator: ",").map(String.init))
      guard words.isSubset(of: ["key", "previous", "clamp", "zero"]) else {
        throw Misfit("needs words among key, previous, clamp, zero")
      }
      return Warp(
        from: words.contains("previous") ? .previous : .keyframe,
        border: words.contains("zero") ? .zero : .clamp)
    },
  ]
}

extension [Card<any FlowEstimator>] {
  /// The flow estimators this package ships, taking `threads` each.
  ///
  /// OpenCV's take what its own setting says.
  public static func flows(threads: Int) -> Self {
    [
      Card("dis", setting: "PRESET", "dense inverse search: ultrafast, fast or medium") {
        DISFlow(preset: try preset($0, or: .medium), threads: threads)
      },
      Card("opencv-dis", setting: "PRESET", "the same by OpenCV: several times as slow") {
        OpenCVDISFlow(preset: try preset($0, or: .medium))
      },
      Card("farneback", "polynomial expansion") { _ in Farneback() },
      Card(
        "codec", setting: "filled,rounded",
        "the video's own motion vectors: H.264, MPEG-4 part 2, MPEG-1/2; 'filled' closes the holes "
          + "that blocks coded on their own leave, 'rounded' composes as AR-Seg does"
      ) { setting in
        let words = Set((setting ?? "").split(separator: ",").map(String.init))
        guard words.isSubset(of: ["filled", "rounded"]) else {
          throw Misfit("takes the words filled and rounded")
        }
        return CodecMotion(
          fillsHoles: words.contains("filled"), sampling: words.contains("rounded") ? .rounded : .exact,
          threads: threads)
      },
      Card(
        "flownet", setting: "FOLDER", "a trained network: a folder with spec.yaml and its weights"
      ) {
        guard let folder = $0, !folder.isEmpty else { throw Misfit("needs a folder") }
        return try NetworkFlow(folder: folder)
      },
      Card(
        "chained", setting: "FLOW",
        "another estimator's motion from each frame to the one before, composed: chained:dis:fast"
      ) {
        guard let flow = $0, !flow.isEmpty else { throw Misfit("needs an estimator") }
        return ChainedFlow(try flows(threads: threads).part(flow))
      },
      Card("zero", "no motion at all") { _ in ZeroFlow() },
    ]
  }
}

private func preset<Preset: RawRepresentable & CaseIterable>(
  _ name: String?, or usual: Preset
) throws -> Preset where Preset.RawValue == String {
  guard let name else { return usual }
  guard let preset = Preset(rawValue: name) else {
    throw Misfit("needs one of \(Preset.allCases.map(\.rawValue).joined(separator: ", "))")
  }
  return preset
}

private func positiveInteger(_ text: String?) throws -> Int {
  guard let value = text.flatMap({ Int($0) }), value >= 1 else {
    throw Misfit("needs a whole number of at least 1")
  }
  return value
}

private func share(_ text: String?) throws -> Double {
  guard let value = text.flatMap({ Double($0) }), value > 0, value <= 1 else {
    throw Misfit("needs a share above 0 and not above 1")
  }
  return value
}

private func positiveNumber(_ text: String?) throws -> Double {
  guard let value = text.flatMap({ Double($0) }), value > 0, value.isFinite else {
    throw Misfit("needs a number above 0")
  }
  return value
}
