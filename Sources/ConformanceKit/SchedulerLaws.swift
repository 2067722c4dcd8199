// SPDX-License-Identifier: Apache-2.0

internal import Flow
internal import Frames
public import Scheduler
internal import Tensors
internal import Video

/// The names of the laws of scheduling that `scheduler` breaks; empty when it keeps them all.
///
/// The laws: *same input, same decisions*; *copies fork*; *decides without error*, in motion, at
/// rest and at a cut; *keeps its longest interval*, where it promises one.
public func brokenLaws(
  of scheduler: some KeyframeScheduler, on scene: MovingScene = .usual
) -> [String] {
  guard let solo = try? decisions(of: scheduler, on: scene) else {
    return ["decides without error"]
  }
  var broken: [String] = []
  if (try? decisions(of: scheduler, on: scene)) != solo {
    broken.append("same input, same decisions")
  }
  if (try? interleaved(scheduler, on: scene)) != [solo, solo] { broken.append("copies fork") }
  if let promised = scheduler.longestInterval, longestInterval(of: solo) > promised {
    broken.append("keeps its longest interval")
  }
  return broken
}

/// The most frames from one key frame to the next, the first frame and the end being some.
private func longestInterval(of decisions: [Decision]) -> Int {
  var (longest, since) = (0, 0)
  for decision in decisions {
    since += 1
    longest = max(longest, since)
    if decision.role == .key { since = 0 }
  }
  return longest
}

private func decisions(
  of scheduler: some KeyframeScheduler, on scene: MovingScene
) throws -> [Decision] {
  var stream = SceneStream(scheduler)
  return try scene.frames.indices.dropFirst().map { try stream.decision(at: $0, of: scene) }
}

/// Two streams that begin from copies of one scheduler and take turns, the second half way behind.
private func interleaved(
  _ scheduler: some KeyframeScheduler, on scene: MovingScene
) throws -> [[Decision]] {
  var streams = [SceneStream(scheduler), SceneStream(scheduler)]
  var found: [[Decision]] = [[], []]
  let frames = scene.frames.indices.dropFirst(), lag = scene.frames.count / 2
  for step in 1..<scene.frames.count + lag {
    for (which, frame) in [(0, step), (1, step - lag)] where frames.contains(frame) {
      found[which].append(try streams[which].decision(at: frame, of: scene))
    }
  }
  return found
}

/// A stream of a scene's frames, the first of which is a key frame without the scheduler being
/// asked.
private struct SceneStream {
  private var scheduler: any KeyframeScheduler
  private var keyframe = 0

  init(_ scheduler: any KeyframeScheduler) { self.scheduler = scheduler }

  mutating func decision(at index: Int, of scene: MovingScene) throws -> Decision {
    let decision = try scheduler.decision(at: scene.context(of: index, keyframe: keyframe))
    if decision.role == .key { keyframe = index }
    return decision
  }
}

/// Draws a schedule as text: `K` for a key frame, `.` for a propagated one.
///
/// The first frame is a keyframe without the scheduler being asked, as in a pipeline. `motion` says
/// how many pixels frame `i` moved to the right since the frame before it, 0 past its end; what a
/// scheduler sees is the sum since the last key frame. Pictures are grey and tiny, so that long
/// schedules can be drawn.
public func drawn(
  _ scheduler: any KeyframeScheduler, frames: Int, motion: [Float] = []
) throws -> String {
  var stream = GreyStream(scheduler)
  return try (0..<frames).map { frame in
    try stream.role(moving: motion.indices.contains(frame) ? motion[frame] : 0) == .key ? "K" : "."
  }.joined()
}

/// A stream in which everything moves alike, as a scheduler sees it.
private struct GreyStream {
  private var scheduler: any KeyframeScheduler
  private var framesSinceKeyframe: Int?
  private var moved: Float = 0
  private var index = 0

  init(_ scheduler: any KeyframeScheduler) { self.scheduler = scheduler }

  mutating func role(moving pixels: Float) throws -> FrameRole {
    defer { index += 1 }
    guard let since = framesSinceKeyframe else {
      framesSinceKeyframe = 0
      return .key
    }
    moved += pixels
    let role = try scheduler.decision(at: context(after: since + 1, moving: pixels)).role
    framesSinceKeyframe = role == .key ? 0 : since + 1
    if role == .key { moved = 0 }
    return role
  }

  private func context(after frames: Int, moving pixels: Float) -> FrameContext {
    let moved = self.moved
    let answers = GivenAnswers(
      flow: { shift($0 == .keyframe ? moved : pixels) },
      features: { _, _ in try Tensor.zeros([1, 1, 2, 2]) },
      scores: { try Tensor.zeros([1, 2, 2, 2]) },
      keyframeScores: { try Tensor.zeros([1, 2, 2, 2]) })
    return FrameContext(
      frame: grey(index), keyframe: grey(index - frames), framesSinceKeyframe: frames,
      from: answers)
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
