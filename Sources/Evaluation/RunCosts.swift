// SPDX-License-Identifier: Apache-2.0

public import Pipeline
internal import Scheduler
public import Video

/// Gathers speed and MACs over the frames of a run, whatever they predict: add, then ask.
public struct RunCosts: Sendable {
  /// The share of each frame that the backbone ran on.
  private var shares: [Double] = []
  private var timings: Timings
  /// MACs of all frames, of those that were key frames as a whole, and whether any such counted
  /// none.
  private var work = (all: 0, key: 0, keys: 0, isUncounted: false)
  /// Whether any part of the pipeline asked for optical flow.
  public private(set) var usesFlow = false
  /// How often the stream broke, by why.
  public private(set) var breaks: [StreamBreak: Int] = [:]
  /// Frames of each role that are not timed where nothing was warmed up.
  public static let usualWarmUp = 3

  /// No costs yet.
  ///
  /// The first `warmUp` frames of each role are not timed, since networks still compile then; but
  /// at least as many are timed as are left out, and the role's share of the run stays what it was.
  public init(warmUp: Int = usualWarmUp) { timings = Timings(warmUp: warmUp) }

  /// Counts one frame.
  ///
  /// `decode` is the time it took to get it into memory, nil where that says nothing. Where others
  /// ran beside it, its times say nothing and it is not timed.
  public mutating func add(_ trace: FrameTrace, decode: Duration?, isTimed: Bool = true) {
    shares.append(trace.keyShare)
    if isTimed { timings.add(trace, decode: decode) }
    usesFlow = usesFlow || trace.stages[.flow] != nil
    if let kind = trace.streamBreak { breaks[kind, default: 0] += 1 }
    work.all += trace.macs
    guard trace.role == .key, trace.keyShare == 1 else { return }
    (work.key, work.keys) = (work.key + trace.macs, work.keys + 1)
    if trace.macs == 0 { work.isUncounted = true }
  }

  /// The mean MACs of a frame and of a keyframe: see `FrameTrace.macs`; nil where the backbone's
  /// are not counted.
  public var macs: (frame: Double, key: Double)? {
    guard work.keys > 0, !work.isUncounted else { return nil }
    return (Double(work.all) / Double(shares.count), Double(work.key) / Double(work.keys))
  }

  /// Latency by role and stage, throughput and key frame rate.
  public var speed: Speed {
    Speed(
      frames: shares.count, keyFrames: shares.reduce(0, +), intervals: intervals,
      latency: timings.latency, endToEnd: timings.endToEnd, warmUp: timings.left)
  }

  /// How often each distance between frames that the backbone ran on occurred; the last one is not
  /// counted.
  private var intervals: [Int: Int] {
    let keys = shares.indices.filter { shares[$0] > 0 }
    return zip(keys, keys.dropFirst()).reduce(into: [:]) { $0[$1.1 - $1.0, default: 0] += 1 }
  }
}

/// The durations of a run, split by role and by stage.
private struct Timings: Sendable {
  private var key: RoleTimings, propagated: RoleTimings

  init(warmUp: Int) {
    (key, propagated) = (RoleTimings(warmUp: warmUp), RoleTimings(warmUp: warmUp))
  }

  mutating func add(_ trace: FrameTrace, decode: Duration?) {
    if trace.role == .key {
      key.add(trace, decode: decode)
    } else {
      propagated.add(trace, decode: decode)
    }
  }

  private var settled: [RoleTimings.Settled] { [key.settled, propagated.settled] }

  /// Frames that were labelled and not timed.
  var left: Int { settled.reduce(0) { $0 + $1.left } }

  var latency: Speed.LatencyByRole {
    let settled = settled
    let stages = Set(settled.flatMap(\.stages.keys))
    return Speed.LatencyByRole(
      all: Latency.summary(of: settled.map { ($0.total, $0.weight) }),
      key: settled[0].total.summary, propagated: settled[1].total.summary,
      byStage: stages.reduce(into: [:]) { summaries, stage in
        summaries[stage] = Latency.summary(
          of: settled.compactMap { role in role.stages[stage].map { ($0, role.weight) } })
      })
  }

  var endToEnd: LatencySummary? { Latency.summary(of: settled.map { ($0.whole, $0.weight) }) }
}

/// The durations of the frames of one role.
///
/// Its first frames are held back until it is known how many there are of it: a role of few frames
/// loses at most half of them.
private struct RoleTimings: Sendable {
  /// What is timed, and how many frames of the run each that is timed stands for.
  struct Settled: Sendable {
    var total = Latency(), whole = Latency()
    var stages: [String: Latency] = [:]
    var (left, weight) = (0, 1.0)

    mutating func add(_ frame: Durations) {
      total.add(frame.total)
      for (stage, duration) in frame.stages {
        stages[stage.rawValue, default: Latency()].add(duration)
      }
      guard let decode = frame.decode else { return }
      whole.add(frame.total + decode)
      stages["decode", default: Latency()].add(decode)
    }
  }

  struct Durations: Sendable {
    let total: Duration, decode: Duration?
    let stages: [PipelineStage: Duration]
  }

  private let warmUp: Int
  private var count = 0
  private var first: [Durations] = []
  private var others = Settled()

  init(warmUp: Int) { self.warmUp = warmUp }

  mutating func add(_ trace: FrameTrace, decode: Duration?) {
    let frame = Durations(total: trace.total, decode: decode, stages: trace.stages)
    count += 1
    if count <= warmUp { first.append(frame) } else { others.add(frame) }
  }

  var settled: Settled {
    var settled = others
    settled.left = min(warmUp, count / 2)
    for frame in first.dropFirst(settled.left) { settled.add(frame) }
    settled.weight = count == 0 ? 1 : Double(count) / Double(count - settled.left)
    return settled
  }
}
