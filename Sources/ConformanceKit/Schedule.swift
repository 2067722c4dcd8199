// SPDX-License-Identifier: Apache-2.0

internal import Flow
public import Scheduler
internal import Tensors
internal import Video

/// Draws a schedule as text: `K` for a key frame, `.` for a propagated one.
///
/// The first frame is key without the scheduler being asked, as in a pipeline. `motion` says how many
/// pixels frame `i` moved to the right since the frame before it, 0 past its end; what a scheduler
/// sees is the sum since the last key frame.
public func drawn(
  _ scheduler: any KeyframeScheduler, frames: Int, motion: [Float] = []
) throws -> String {
  var stream = ScheduledStream(scheduler)
  return try (0..<frames).map { frame in
    try stream.role(moving: motion.indices.contains(frame) ? motion[frame] : 0) == .key ? "K" : "."
  }.joined()
}

/// The names of the laws of scheduling that `scheduler` breaks; empty when it keeps them all.
///
/// The laws: *same input, same schedule*; *copies fork*; *asks at most once*, a law that a `Moment`
/// keeps for it and a scheduler breaks only by going round it; *decides without error*.
public func brokenLaws(of scheduler: some KeyframeScheduler) -> [String] {
  let motion: [Float] = [0, 1, 3, 0, 0, 9, 2, 2, 2, 0, 0, 0, 30, 1, 1, 1]
  guard let solo = try? drawn(scheduler, frames: motion.count, motion: motion) else {
    return ["decides without error"]
  }
  var broken: [String] = []
  if (try? drawn(scheduler, frames: motion.count, motion: motion)) != solo {
    broken.append("same input, same schedule")
  }
  if (try? interleaved(scheduler, motion: motion)) != [solo, solo] { broken.append("copies fork") }
  return broken
}

/// Two streams that begin from copies of one scheduler and take turns, the second half way behind.
private func interleaved(_ scheduler: some KeyframeScheduler, motion: [Float]) throws -> [String] {
  var streams = [ScheduledStream(scheduler), ScheduledStream(scheduler)]
  var drawings = ["", ""]
  let lag = motion.count / 2
  for step in 0..<motion.count + lag {
    for (which, frame) in [(0, step), (1, step - lag)] where motion.indices.contains(frame) {
      drawings[which] += try streams[which].role(moving: motion[frame]) == .key ? "K" : "."
    }
  }
  return drawings
}

/// A stream in which everything moves alike, as a scheduler sees it.
private struct ScheduledStream {
  private var scheduler: any KeyframeScheduler
  private var framesSinceKey: Int?
  private var moved: Float = 0
  private var index = 0

  init(_ scheduler: any KeyframeScheduler) { self.scheduler = scheduler }

  mutating func role(moving pixels: Float) throws -> FrameRole {
    defer { index += 1 }
    guard let since = framesSinceKey else {
      framesSinceKey = 0
      return .key
    }
    moved += pixels
    var moment = moment(after: since + 1, moving: pixels)
    let role = try scheduler.decision(at: &moment).role
    framesSinceKey = role == .key ? 0 : since + 1
    if role == .key { moved = 0 }
    return role
  }

  private func moment(after frames: Int, moving pixels: Float) -> Moment {
    let moved = self.moved
    return Moment(
      frame: grey(index), key: grey(index - frames), framesSinceKey: frames,
      motionToKey: { shift(moved) }, motionToPrevious: { shift(pixels) },
      features: { _ in try Tensor.zeros([1, 1, 2, 2]) },
      keyFeatures: { _ in try Tensor.zeros([1, 1, 2, 2]) },
      scores: { try Tensor.zeros([1, 2, 2, 2]) }, keyScores: { try Tensor.zeros([1, 2, 2, 2]) })
  }
}

/// A frame of a stream of 25 frames a second.
private func grey(_ index: Int) -> Frame {
  let pixels = Image(width: 2, height: 2, channels: 3, repeating: 128)
  return Frame(index: index, time: Double(index) / 25, pixels: pixels)
}

private func shift(_ pixels: Float) -> MotionField {
  MotionField(
    width: 2, height: 2, displacements: (0..<8).map { $0.isMultiple(of: 2) ? -pixels : 0 })
}
