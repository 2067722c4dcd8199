// SPDX-License-Identifier: Apache-2.0

internal import Evaluation
internal import Experiments
internal import Foundation
internal import Pipeline

/// What a run took from its first frame to the end of its last file, decoding and outputs included.
struct WallTime: Encodable {
  /// Frames whose time is left out: networks still compile.
  private static let warmUp = 10

  /// What several sources side by side took together; nil where it was one.
  struct Group: Encodable, CustomStringConvertible {
    let streams: Int
    let frames: Int
    let seconds: Double

    var rate: Double { seconds > 0 ? Double(frames) / seconds : 0 }

    var description: String {
      String(
        format: "%d sources together: %d frames in %.1f s, %.1f a second", streams, frames, seconds,
        rate)
    }

    private enum CodingKeys: String, CodingKey {
      case streams, frames, seconds
      case rate = "frames_per_second"
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(streams, forKey: .streams)
      try container.encode(frames, forKey: .frames)
      try container.encode(seconds, forKey: .seconds)
      try container.encode(rate, forKey: .rate)
    }
  }

  /// Of several sources.
  var group: Group?

  /// Whether stages ran side by side.
  private let overlaps: Bool
  private let clock = ContinuousClock()
  private var begin: ContinuousClock.Instant
  private var steady: (start: ContinuousClock.Instant, processor: Duration, output: Duration)?
  private var end: (at: ContinuousClock.Instant, processor: Duration, output: Duration)?
  private var (frames, decoding, pipeline, flow) = (0, Duration.zero, Duration.zero, Duration.zero)

  init(overlaps: Bool) {
    self.overlaps = overlaps
    begin = clock.now
  }

  /// Counts a frame that was labelled and handed to the outputs, which took `output` until then.
  mutating func add(_ trace: FrameTrace, decode: Duration, output: Duration) {
    frames += 1
    if frames == Self.warmUp { steady = (clock.now, Self.processorTime, output) }
    guard frames > Self.warmUp else { return }
    decoding += decode
    pipeline += trace.total
    flow += trace.stages[.flow] ?? .zero
  }

  /// Notes that the last file is closed.
  mutating func finish(output: Duration) { end = (clock.now, Self.processorTime, output) }

  private static var processorTime: Duration {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  private enum CodingKeys: String, CodingKey {
    case overlaps = "overlap", frames, seconds
    case rate = "frames_per_second", stages = "stages_ms", processor = "processor_ms"
    case warmUp = "warmup"
    case group = "together"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(overlaps, forKey: .overlaps)
    try container.encodeIfPresent(group, forKey: .group)
    guard let end else { return }
    let first = steady?.start ?? begin
    let (left, seconds) = (steady == nil ? 0 : Self.warmUp, (end.at - first) / .seconds(1))
    let count = frames - left
    try container.encode(count, forKey: .frames)
    try container.encode(left, forKey: .warmUp)
    try container.encode(seconds, forKey: .seconds)
    guard count > 0, seconds > 0, let steady else { return }
    try container.encode(Double(count) / seconds, forKey: .rate)
    func mean(_ duration: Duration) -> Double { duration.milliseconds / Double(count) }
    try container.encode(mean(end.processor - steady.processor), forKey: .processor)
    let stages = [
      "decode": mean(decoding), "flow": mean(flow), "pipeline": mean(pipeline - flow),
      "output": mean(end.output - steady.output),
    ]
    try container.encode(stages, forKey: .stages)
  }
}

/// The result of a run, and what else a command tells of it, in one object.
struct ExtendedResult<Key: CodingKey, Value: Encodable>: Encodable {
  let result: RunResult
  let key: Key
  let value: Value

  func encode(to encoder: any Encoder) throws {
    try result.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(value, forKey: key)
  }
}
