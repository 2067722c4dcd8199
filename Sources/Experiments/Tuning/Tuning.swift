// SPDX-License-Identifier: Apache-2.0

internal import Datasets
public import Evaluation
internal import Foundation
internal import Pipeline
public import Recipes
internal import Specification
internal import Video

/// The search for the pipeline that serves a user's own clip on their own machine best.
///
/// Those that cannot meet the goal, since already their frames' times or the longest interval that
/// their scheduler promises say so, are left out. Then successive halving: candidates run over the
/// first frames in step, which share frames, flow and the backbone's work; the better half goes on
/// where it stopped, over as many frames again, and so on. Times are those of key frames and of
/// non-key frames, each kind of pipeline timed alone for a few frames, in the share that a
/// candidate has of them; those near a goal of latency are then timed as they are. What is chosen
/// is measured on the second half of the clip, which nothing was chosen on.
public struct Tuning {
  /// What is wanted.
  public enum Goal: Sendable, Hashable, Codable {
    /// The best score of those whose mean frame takes at most so many milliseconds.
    case latency(milliseconds: Double)
    /// The best score of those that run the backbone on at most this share of the frames.
    case rate(Double)
    /// The fastest of those whose score, mIoU against labels or per-frame inference, is at least
    /// this.
    case score(Double)
  }

  /// A candidate and what is known of it.
  public struct Candidate: Sendable, Codable, Hashable {
    /// The pipeline in a few words.
    public let name: String
    /// All that it is run from.
    public let specification: ExperimentSpec
    /// mIoU over the frames that it has run on, and how many these are.
    public internal(set) var score: Double, frames: Int
    /// The share of frames that the backbone ran on.
    public internal(set) var rate: Double
    /// Milliseconds of a frame in the mean, decoding left out: predicted while searching, timed
    /// where that is near a goal.
    public internal(set) var milliseconds: Double
  }

  /// What the search came to.
  public struct Outcome: Sendable, Codable {
    /// What was wanted.
    public let goal: Goal
    /// The candidate that was chosen; nil where none meets the goal.
    public let choice: Candidate?
    /// Those that no other beats in score and time, fastest first: what the choice was made from.
    public let front: [Candidate]
    /// How many there were at the beginning, and how many of these could meet the goal by their
    /// times and intervals alone.
    public let candidates: Int, tried: Int
    /// The choice on the frames that were held out; nil without one.
    public let expected: Expected?
    /// What is odd about it.
    public let warnings: [String]
  }

  /// What a pipeline does on frames that nothing was chosen on.
  public struct Expected: Sendable, Codable {
    /// mIoU with its interval, and that of per-frame inference (1 where that is the reference).
    public let score: Interval?, perFrame: Interval?
    /// The difference from per-frame inference.
    public let difference: Interval?
    /// The share of frames that the backbone ran on.
    public let rate: Double
    /// Milliseconds of a frame, and the ratio to per-frame inference, timed in turn.
    public let time: TimeRatio?
    /// How many frames were held out.
    public let frames: Int
  }

  let registries: Registries
  let threads: Int
  let budget: Duration
  private let begin = ContinuousClock.now
  let isStopped: () -> Bool
  let tell: (String) -> Void

  /// A search that ends within about `budget`; `tell` is called with how far it is.
  public init(
    in registries: Registries, threads: Int, budget: Duration, isStopped: @escaping () -> Bool,
    tell: @escaping (String) -> Void
  ) {
    (self.registries, self.threads, self.budget) = (registries, threads, budget)
    (self.isStopped, self.tell) = (isStopped, tell)
  }

  /// Searches among the points of a plan, all on one clip.
  ///
  /// - Throws: `CancellationError` where it was stopped; `SpecificationError` where the clip is too
  ///   short to hold a part of it out.
  public func run(_ plan: SweepPlan, for goal: Goal) throws -> Outcome {
    let work = SharedWork()
    let length = try length(plan.points[0], work)
    guard length >= 16 else {
      throw SpecificationError(
        .badInput, "the clip has \(length) frames; half of them are held out: 16 are the least")
    }
    let times = try PathTimes(self, plan, for: goal, work)
    var warnings: [String] = []
    let all = try members(of: plan.points, work)
    let able = all.filter { times.mayMeet(goal, $0) }
    var members = able.isEmpty ? all : able
    let tried = members.count
    try halve(&members, over: length / 2, times, work, &warnings)
    var candidates = members.map { candidate($0, times) }
    if case .latency(let milliseconds) = goal {
      try timeThose(near: milliseconds, among: &candidates, members, over: length / 2, work)
    }
    let front = Self.front(of: candidates)
    let choice = Self.choice(for: goal, among: candidates)
    var expected: Expected?
    if let choice {
      tell("\(choice.name) on the frames held out")
      let found = try held(choice, plan, from: length / 2, to: length, work)
      warnings += found.warnings(against: goal)
      expected = found
    } else {
      warnings.append("no candidate meets the goal; the front is what there is to choose from")
    }
    return Outcome(
      goal: goal, choice: choice, front: front, candidates: plan.points.count, tried: tried,
      expected: expected, warnings: warnings)
  }

  /// What is left of the time.
  var left: Duration { budget - (ContinuousClock.now - begin) }

  func check() throws { if isStopped() { throw CancellationError() } }

  private func length(_ point: SweepPoint, _ work: SharedWork) throws -> Int {
    try EvaluationRun(point.specification, in: registries, threads: threads, sharing: work)
      .clip.count
  }

  func members(of points: [SweepPoint], _ work: SharedWork) throws -> [SweepMember] {
    try points.map { point in
      try check()
      return try SweepMember(
        point,
        EvaluationRun(point.specification, in: registries, threads: threads, sharing: work),
        sharing: work)
    }
  }

  /// Lets all run on, and half of them stop, until the rest has run over all `frames`.
  private func halve(
    _ members: inout [SweepMember], over frames: Int, _ times: PathTimes, _ work: SharedWork,
    _ warnings: inout [String]
  ) throws {
    let rungs = max(1, min(4, Int(log2(Double(members.count)))))
    var done = 0
    for rung in 1...rungs {
      let end = rung == rungs ? frames : max(8, frames * rung * rung / (rungs * rungs))
      let started = ContinuousClock.now
      while done < min(end, frames) {
        try check()
        work.begin()
        var samples: [Bool: LabelledSample] = [:]
        for place in members.indices {
          try members[place].add(frame: done, sharing: work, samples: &samples)
        }
        done += 1
        tell("\(members.count) candidates, frame \(done) of \(frames)")
      }
      guard rung < rungs else { break }
      let took = ContinuousClock.now - started
      let kept = Self.better(half: members.map { candidate($0, times) })
      members = kept.sorted().map { members[$0] }
      if took > left {
        warnings.append(
          "the time was spent after \(done) of \(frames) frames; --budget gives more")
        break
      }
    }
  }

  private func candidate(_ member: SweepMember, _ times: PathTimes) -> Candidate {
    let rate = member.measurement.speed.keyframeRatio
    return Candidate(
      name: member.point.name, specification: member.point.specification,
      score: member.measurement.accuracy?.mIoU ?? 0, frames: member.measurement.records.count,
      rate: rate, milliseconds: times.predicted(member.point, rate: rate))
  }

  /// The places of the better half: those that fewest others beat in both score and time.
  static func better(half candidates: [Candidate]) -> Set<Int> {
    func beaten(_ place: Int) -> Int {
      candidates.count { Self.beats($0, candidates[place]) }
    }
    let order = candidates.indices.sorted {
      let (one, two) = (beaten($0), beaten($1))
      return one == two ? candidates[$0].score > candidates[$1].score : one < two
    }
    return Set(order.prefix(max(1, (candidates.count + 1) / 2)))
  }

  static func beats(_ one: Candidate, _ other: Candidate) -> Bool {
    one.score >= other.score && one.milliseconds <= other.milliseconds
      && (one.score > other.score || one.milliseconds < other.milliseconds)
  }

  static func front(of candidates: [Candidate]) -> [Candidate] {
    candidates.filter { one in !candidates.contains { beats($0, one) } }
      .sorted { $0.milliseconds < $1.milliseconds }
  }

  static func choice(for goal: Goal, among candidates: [Candidate]) -> Candidate? {
    switch goal {
    case .latency(let milliseconds):
      candidates.filter { $0.milliseconds <= milliseconds }.max { $0.score < $1.score }
    case .rate(let rate):
      candidates.filter { $0.rate <= rate + 1e-9 }.max { $0.score < $1.score }
    case .score(let score):
      candidates.filter { $0.score >= score }.min { $0.milliseconds < $1.milliseconds }
    }
  }
}
