// SPDX-License-Identifier: Apache-2.0

internal import Datasets
public import Evaluation
internal import Foundation
internal import Outputs
internal import Pipeline
public import Recipes
internal import Scheduler
internal import Video

/// The times of one round: every point of a group ran over the same frames, one after the other.
public struct TimingRound: Sendable, Codable, Hashable {
  /// What a point took.
  public struct Entry: Sendable, Codable, Hashable {
    /// Frames that were timed, and key frames among them.
    public var frames: Int, keyFrames: Int
    /// Milliseconds of all frames together from memory to labels, optical flow included; and those
    /// of decoding.
    public var pipeline: Double, decoding: Double
    /// Milliseconds of key frames and of all others together.
    public var key: Double, nonKey: Double

    /// Times of so many frames.
    public init(
      frames: Int, keyFrames: Int, pipeline: Double, decoding: Double, key: Double, nonKey: Double
    ) {
      (self.frames, self.keyFrames, self.pipeline) = (frames, keyFrames, pipeline)
      (self.decoding, self.key, self.nonKey) = (decoding, key, nonKey)
    }

    /// Milliseconds of a frame, decoding included.
    public var perFrame: Double { frames == 0 ? 0 : (pipeline + decoding) / Double(frames) }

    enum CodingKeys: String, CodingKey {
      case frames, keyFrames = "key_frames", pipeline = "pipeline_ms", decoding = "decoding_ms"
      case key = "key_ms", nonKey = "non_key_ms"
    }
  }

  /// By the point's id.
  public var entries: [String: Entry]
  /// The machine: processor, instructions, threads.
  public var environment: [String: String]

  /// What each point took on this machine.
  public init(entries: [String: Entry], environment: [String: String]) {
    (self.entries, self.environment) = (entries, environment)
  }
}

/// Times a sweep's points alone on the machine, in turn with per-frame inference, again and again.
///
/// In each round every point of a clip runs over the same frames once, beginning with another point
/// each time, so that whatever slows the machine down slows all. Decoding and optical flow are
/// within. A round that is interrupted is done again.
public struct SweepTiming {
  private let folder: SweepFolder
  private let registries: Registries
  private let threads: Int
  private let environment: [String: String]

  /// Timing of a sweep whose points are finished.
  public init(
    _ folder: SweepFolder, in registries: Registries, threads: Int, environment: [String: String]
  ) {
    (self.folder, self.registries, self.threads) = (folder, registries, threads)
    self.environment = environment
  }

  /// Rounds that are left to do, of groups that have a point to time.
  public static func missing(_ plan: SweepPlan, in folder: SweepFolder) -> Int {
    Dictionary(grouping: plan.points, by: \.group).reduce(0) { sum, group in
      guard group.value.contains(where: { folder.state(of: $0) == .finished }) else { return sum }
      return sum + max(0, plan.rounds - folder.rounds(of: group.key).count)
    }
  }

  /// Runs what rounds are missing; `advance` is called after each.
  ///
  /// - Returns: Whether it came to its end.
  public func run(isStopped: @escaping () -> Bool, advance: () -> Void) throws -> Bool {
    let plan = try folder.plan()
    let groups = Dictionary(grouping: plan.points, by: \.group).sorted { $0.key < $1.key }
    for (group, points) in groups {
      let done = folder.rounds(of: group).count
      guard done < plan.rounds else { continue }
      try makeFolder("\(folder.path)/timing/\(group)")
      let runners = try runners(
        points.filter { folder.state(of: $0) == .finished }, limit: plan.timedFrames)
      guard !runners.isEmpty else { continue }
      for runner in runners where !isStopped() { _ = try runner.run(frames: 6, isStopped) }
      for round in done..<plan.rounds {
        var entries: [String: TimingRound.Entry] = [:]
        let first = round * max(1, runners.count / plan.rounds) % runners.count
        for runner in runners[first...] + runners[..<first] {
          guard let entry = try runner.run(frames: nil, isStopped) else { return false }
          entries[runner.id] = entry
        }
        try RunFolder.write(
          json: TimingRound(entries: entries, environment: environment),
          to: folder.roundPath(group, round + 1))
        advance()
      }
    }
    return !isStopped()
  }

  private func runners(_ points: [SweepPoint], limit: Int?) throws -> [TimedRunner] {
    let work = SharedWork()
    return try points.map { point in
      let run = try EvaluationRun(
        point.specification, in: registries, threads: threads, sharing: work)
      let frames = 0..<min(limit ?? run.clip.count, run.clip.count)
      guard let task = try run.task() else {
        return try TimedRunner(point.id, run, frames: frames, sharing: work)
      }
      return try Self.runner(point.id, run, task, frames, work)
    }
  }

  private static func runner(
    _ id: String, _ run: EvaluationRun, _ task: some PredictionTask, _ frames: Range<Int>,
    _ work: SharedWork
  ) throws -> TimedRunner {
    TimedRunner(
      id, try run.resolved(for: task, sharing: work).streaming(), on: run.clip, frames: frames)
  }
}

/// A pipeline that is timed over and over again, on some frames of a clip.
struct TimedRunner {
  let id: String
  private let frames: Range<Int>
  private typealias Each = (FrameTrace, _ decoding: Double) -> Void
  private let pass: (Range<Int>, () -> Bool, Each) throws -> Bool

  init(
    _ id: String, _ pipeline: some StreamPipeline, on clip: some LabelledClip,
    frames: Range<Int>
  ) {
    (self.id, self.frames) = (id, frames)
    pass = { frames, isStopped, each in
      var (state, decoded) = (pipeline.start(), [Double]())
      for index in frames {
        if isStopped() { return false }
        let begin = ContinuousClock.now
        let frame = try clip.frame(at: index)
        let read = ContinuousClock.now - begin
        let decoding = clip.decodingTime(at: index) ?? (clip.isStored ? read : .zero)
        decoded.append(decoding.milliseconds)
        for ready in try pipeline.add(frame, before: nil, to: &state) {
          each(ready.trace, decoded.removeFirst())
        }
      }
      for ready in try pipeline.finish(&state) { each(ready.trace, decoded.removeFirst()) }
      return true
    }
  }

  /// The label maps of a run, on the clip that it measures.
  init(
    _ id: String, _ run: EvaluationRun, frames: Range<Int>, sharing work: SharedWork
  ) throws {
    let loaded = try run.load(sharing: work, sharesFrames: false)
    self.init(id, loaded.pipeline, on: loaded.clip, frames: frames)
  }

  /// Runs over its frames, or the first so many of them.
  ///
  /// - Returns: Nil where it was stopped.
  func run(frames count: Int?, _ isStopped: () -> Bool) throws -> TimingRound.Entry? {
    var entry = TimingRound.Entry(
      frames: 0, keyFrames: 0, pipeline: 0, decoding: 0, key: 0, nonKey: 0)
    let isWhole = try pass(frames.prefixed(count), isStopped) { trace, decoding in
      entry.frames += 1
      entry.decoding += decoding
      entry.pipeline += trace.total.milliseconds
      if trace.role == .key {
        entry.keyFrames += 1
        entry.key += trace.total.milliseconds
      } else {
        entry.nonKey += trace.total.milliseconds
      }
    }
    return isWhole ? entry : nil
  }

  /// Milliseconds of each key frame and of each other one.
  func times(_ isStopped: () -> Bool) throws -> (key: [Double], nonKey: [Double]) {
    var times = (key: [Double](), nonKey: [Double]())
    _ = try pass(frames, isStopped) { trace, _ in
      if trace.role == .key {
        times.key.append(trace.total.milliseconds)
      } else {
        times.nonKey.append(trace.total.milliseconds)
      }
    }
    return times
  }
}

extension Range<Int> {
  /// The first so many; all where nil.
  fileprivate func prefixed(_ length: Int?) -> Range<Int> {
    lowerBound..<Swift.min(upperBound, lowerBound + (length ?? count))
  }
}

/// How long a pipeline takes beside per-frame inference, over rounds in which both took turns.
public struct TimeRatio: Sendable, Codable, Hashable {
  /// Milliseconds of a frame: the median of the rounds, decoding and optical flow included.
  public let milliseconds: Double
  /// The ratio to per-frame inference of the same round, with Student's interval over rounds.
  public let ratio: Interval?
  /// How many rounds there were.
  public let rounds: Int

  /// Of a point and the baseline of its group; nil where there is no round with both.
  public init?(of id: String, against baseline: String, in rounds: [TimingRound]) {
    self.init(overClips: [(id, baseline, rounds)])
  }

  /// Of the points that a pipeline has on several clips: the mean of their times, the geometric
  /// mean of their ratios in each round; nil where there is no round with all.
  public init?(overClips clips: [(id: String, baseline: String, rounds: [TimingRound])]) {
    let shared = clips.map(\.rounds.count).min() ?? 0
    let pairs = (0..<shared).compactMap { round -> (time: Double, logarithm: Double)? in
      var (time, logarithm) = (0.0, 0.0)
      for clip in clips {
        let entries = clip.rounds[round].entries
        guard let one = entries[clip.id]?.perFrame, let two = entries[clip.baseline]?.perFrame,
          one > 0, two > 0
        else { return nil }
        time += one / Double(clips.count)
        // Ratios multiply: their logarithms are what is averaged.
        logarithm += log(one / two) / Double(clips.count)
      }
      return (time, logarithm)
    }
    guard !pairs.isEmpty else { return nil }
    self.rounds = pairs.count
    let times = pairs.map(\.time).sorted()
    milliseconds = (times[(times.count - 1) / 2] + times[times.count / 2]) / 2
    ratio = Interval(meanOf: pairs.map(\.logarithm)).map {
      Interval(estimate: exp($0.estimate), low: exp($0.low), high: exp($0.high))
    }
  }
}
