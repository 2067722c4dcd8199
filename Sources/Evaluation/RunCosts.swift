// SPDX-License-Identifier: Apache-2.0

public import Pipeline
internal import Scheduler

/// Gathers speed and MACs over the frames of a run, whatever they predict: add, then ask.
public struct RunCosts: Sendable {
  /// The share of each frame that the backbone ran on, and of that which waited for it.
  private var shares: [(key: Double, waiting: Double)] = []
  private var timings: Timings
  /// MACs of all frames, of those that were keyframes as a whole, and whether any such counted
  /// none.
  private var work = (all: 0, key: 0, keys: 0, isUncounted: false)
  /// Whether any part of the pipeline asked for optical flow.
  public private(set) var usesFlow = false

  /// No costs yet.
  ///
  /// The first `warmUp` frames of each role are not timed: networks still compile then.
  public init(warmUp: Int = 3) { timings = Timings(warmUp: warmUp) }

  /// Counts one frame; `decode` is the time it took to get it into memory, nil where that says
  /// nothing.
  public mutating func add(_ trace: FrameTrace, decode: Duration?) {
    shares.append((trace.keyShare, trace.role == .key ? 1 : 0))
    timings.add(trace, decode: decode)
    usesFlow = usesFlow || trace.stages[.flow] != nil
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

  /// Latency by role and stage, throughput and keyframe rate.
  public var speed: Speed {
    Speed(
      frames: shares.count, keyFrames: shares.reduce(0) { $0 + $1.key },
      waitingFrames: shares.reduce(0) { $0 + $1.waiting }, intervals: intervals,
      latency: timings.latency, endToEnd: timings.endToEnd, warmUp: timings.left)
  }

  /// How often each distance between frames that the backbone ran on occurred; the last one is not
  /// counted.
  private var intervals: [Int: Int] {
    let keys = shares.indices.filter { shares[$0].key > 0 }
    return zip(keys, keys.dropFirst()).reduce(into: [:]) { $0[$1.1 - $1.0, default: 0] += 1 }
  }
}

/// The durations of a run, split by role and by stage, its first frames left out.
private struct Timings: Sendable {
  private let warmUp: Int
  private(set) var left = 0
  private var seen = (key: 0, propagated: 0)
  private var all = Latency(), key = Latency(), propagated = Latency(), whole = Latency()
  private var stages: [String: Latency] = [:]

  init(warmUp: Int) { self.warmUp = warmUp }

  mutating func add(_ trace: FrameTrace, decode: Duration?) {
    let isKey = trace.role == .key
    if isKey { seen.key += 1 } else { seen.propagated += 1 }
    guard (isKey ? seen.key : seen.propagated) > warmUp else {
      left += 1
      return
    }
    all.add(trace.total)
    if isKey { key.add(trace.total) } else { propagated.add(trace.total) }
    if let decode {
      whole.add(trace.total + decode)
      stages["decode", default: Latency()].add(decode)
    }
    for (stage, duration) in trace.stages {
      stages[stage.rawValue, default: Latency()].add(duration)
    }
  }

  var latency: Speed.LatencyByRole {
    Speed.LatencyByRole(
      all: all.summary, key: key.summary, propagated: propagated.summary,
      byStage: stages.compactMapValues(\.summary))
  }

  var endToEnd: LatencySummary? { whole.summary }
}
