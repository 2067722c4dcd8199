// SPDX-License-Identifier: Apache-2.0

internal import Datasets
internal import Evaluation
internal import Recipes
internal import Specification
internal import Video

extension Tuning.Expected {
  /// Where the frames that were held out do not bear the choice out.
  func warnings(against goal: Tuning.Goal) -> [String] {
    switch goal {
    case .score(let wanted):
      guard let score, score.high < wanted else { return [] }
      return ["the frames that were held out do not reach \(wanted): \(score.estimate) in the mean"]
    case .latency(let wanted):
      guard let time, time.milliseconds > 1.1 * wanted else { return [] }
      return [
        "the frames that were held out take \(time.milliseconds) ms in the mean, not \(wanted)"
      ]
    case .rate(let wanted):
      guard rate > 1.25 * wanted + 0.02 else { return [] }
      return ["of the frames that were held out, \(rate) are key frames, not \(wanted)"]
    }
  }
}

// The frames that are held out.
extension Tuning {
  func held(
    _ choice: Candidate, _ plan: SweepPlan, from first: Int, to end: Int, _ work: SharedWork
  ) throws -> Expected {
    let points = [
      plan.points.first { $0.isBaseline },
      plan.points.first { $0.specification == choice.specification },
    ].compactMap(\.self)
    var members = try members(of: points, work)
    for index in first..<end {
      try check()
      work.begin()
      var samples: [Bool: LabelledSample] = [:]
      for place in members.indices {
        try members[place].add(frame: index, sharing: work, samples: &samples)
      }
    }
    let records = members.map(\.measurement.records)
    let bootstrap = MovingBlockBootstrap()
    let counts = records.map { $0.counts(of: FrameRecord.labels) }
    func interval(_ place: Int) -> Interval? {
      bootstrap.intervals(of: counts[place], named: FrameRecord.labels)[FrameRecord.labels]
    }
    let last = members.count - 1
    let isPaired = counts[0].count == counts[last].count
    return Expected(
      score: interval(last), perFrame: interval(0),
      difference: isPaired
        ? bootstrap.differences(from: counts[0], to: counts[last], named: FrameRecord.labels)[
          FrameRecord.labels] : nil,
      rate: members[last].measurement.speed.keyframeRatio,
      time: try time(points, from: first, to: end, work), frames: end - first)
  }

  /// Seven rounds in turn over the frames that are held out.
  private func time(
    _ points: [SweepPoint], from first: Int, to end: Int, _ work: SharedWork
  ) throws -> TimeRatio? {
    let begin = ContinuousClock.now
    func runner(_ point: SweepPoint, _ count: Int) throws -> TimedRunner {
      let run = try EvaluationRun(
        point.specification, in: registries, threads: threads, sharing: work)
      return try TimedRunner(
        point.id, run, frames: first..<min(end, first + count), sharing: work)
    }
    for point in points { _ = try runner(point, 4).run(frames: nil, isStopped) }
    // Seven rounds take a fifth of the time that was given; all frames of per-frame inference are
    // alike, so that fewer do.
    let frame = (ContinuousClock.now - begin) / .seconds(4)
    let affordable = max(
      12, min(24, Int(0.2 * (budget / .seconds(1)) / (7 * max(frame, 1e-6)))))
    let runners = try points.map {
      try runner($0, $0.isBaseline && points.count > 1 ? affordable / 3 : affordable)
    }
    let rounds = try (0..<7).map { round in
      tell("timing, round \(round + 1) of 7")
      var entries: [String: TimingRound.Entry] = [:]
      for runner in round % 2 == 0 ? runners : runners.reversed() {
        guard let entry = try runner.run(frames: nil, isStopped) else { throw CancellationError() }
        entries[runner.id] = entry
      }
      return TimingRound(entries: entries, environment: [:])
    }
    return TimeRatio(of: points[points.count - 1].id, against: points[0].id, in: rounds)
  }
}

// Candidates whose predicted time is so near the goal that a few frames do not tell.
extension Tuning {
  /// Times them as they are, in turn, the best first, for as long as half of the budget is left.
  func timeThose(
    near goal: Double, among candidates: inout [Candidate], _ members: [SweepMember],
    over frames: Int, _ work: SharedWork
  ) throws {
    let near = candidates.indices
      .filter { (0.8...1.25).contains(candidates[$0].milliseconds / goal) }
      .sorted { candidates[$0].score > candidates[$1].score }
    var runners: [(place: Int, runner: TimedRunner)] = []
    for place in near.prefix(Self.timedAtMost) where left > budget / 2 || runners.isEmpty {
      try check()
      let point = members[place].point
      tell("timing \(point.name)")
      let run = try EvaluationRun(
        point.specification, in: registries, threads: threads, sharing: work)
      let runner = try TimedRunner(
        point.id, run, frames: 0..<min(frames, Self.timedFrames), sharing: work)
      _ = try runner.run(frames: 4, isStopped)
      runners.append((place, runner))
    }
    var rounds: [Int: [Double]] = [:]
    for round in 0..<3 {
      for (place, runner) in round % 2 == 0 ? runners : runners.reversed() {
        guard let entry = try runner.run(frames: nil, isStopped) else { throw CancellationError() }
        rounds[place, default: []].append(entry.pipeline / Double(entry.frames))
      }
    }
    for (place, times) in rounds { candidates[place].milliseconds = times.sorted()[1] }
  }

  private static var timedAtMost: Int { 6 }
  private static var timedFrames: Int { 21 }
}

/// What key frames and non-key frames take in each kind of pipeline: schedulers are left out, which
/// cost next to nothing beside the flow that they may ask for.
struct PathTimes {
  private var times: [String: (key: Double, nonKey: Double)] = [:]

  init(
    _ tuning: Tuning, _ plan: SweepPlan, for goal: Tuning.Goal, _ work: SharedWork
  ) throws {
    let kinds = Dictionary(grouping: plan.points, by: Self.kind)
    for (kind, points) in kinds.sorted(by: { $0.key < $1.key }) {
      try tuning.check()
      times[kind] = try tuning.times(of: points[0], for: goal, work)
    }
  }

  private static func kind(_ point: SweepPoint) -> String {
    var pipeline = point.specification.pipeline
    pipeline.scheduler = "every:4"
    var spec = point.specification
    (spec.pipeline, spec.recipe) = (pipeline, nil)
    return spec.fingerprint
  }

  /// Whether a candidate may meet a goal, as far as times and a promised interval tell; with a
  /// quarter to spare, since times are of a few frames.
  func mayMeet(_ goal: Tuning.Goal, _ member: SweepMember) -> Bool {
    switch goal {
    case .latency(let milliseconds):
      predicted(member.point, rate: member.leastRate) <= 1.25 * milliseconds
    case .rate(let rate): member.leastRate <= rate + 1e-9
    case .score: true
    }
  }

  func predicted(_ point: SweepPoint, rate: Double) -> Double {
    guard let time = times[Self.kind(point)] else { return .infinity }
    return rate * time.key + (1 - rate) * time.nonKey
  }
}

extension Tuning {
  /// Medians over eight frames, alone, with a key frame every third, after four that warm up.
  fileprivate func times(
    of point: SweepPoint, for goal: Goal, _ work: SharedWork
  ) throws -> (key: Double, nonKey: Double) {
    var spec = point.specification
    spec.pipeline.scheduler = "every:3"
    let run = try EvaluationRun(spec, in: registries, threads: threads, sharing: work)
    func times(_ frames: Int) throws -> (key: [Double], nonKey: [Double]) {
      try TimedRunner(
        point.id, run, frames: 0..<min(frames, run.clip.count), sharing: work
      ).times(isStopped)
    }
    tell("timing \(point.name)")
    var traces = try times(4)
    // What is far too slow is not looked at more closely.
    let isHopeless =
      if case .latency(let wanted) = goal { (traces.nonKey.min() ?? 0) > 1.5 * wanted } else {
        false
      }
    if !isHopeless { traces = try times(8) }
    func median(_ values: [Double]) -> Double {
      values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }
    return (median(traces.key), median(traces.nonKey))
  }
}
