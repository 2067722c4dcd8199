// SPDX-License-Identifier: Apache-2.0

import Backbone
import ConformanceKit
import Flow
import Frames
import Pipeline
import Propagation
import Scheduler
import Synchronization
import Tensors
import Testing
import Video

/// A picture that has gone n² pixels to the right by frame n; counts how often it is asked.
private struct Accelerating: FlowEstimator {
  let counter = Counter()

  func motion(from current: Frame, to reference: Frame) -> MotionField {
    counter.tick()
    func place(_ frame: Frame) -> Int { frame.index * frame.index }
    let (width, height) = (current.pixels.width, current.pixels.height)
    let shift = Float(place(reference) - place(current))
    return MotionField(
      width: width, height: height,
      displacements: (0..<2 * width * height).map { $0.isMultiple(of: 2) ? shift : 0 })
  }
}

/// A copy that writes down the flow to the key frame before that key frames may expect.
private struct Expecting: Propagator {
  final class Notes: Sendable {
    let shifts = Mutex<[Float]>([])
  }

  let notes = Notes()
  private var maps = FeatureMaps()

  mutating func keyframe(_ features: FeatureMaps, in context: FrameContext) throws {
    maps = features
    guard context.keyframe.index != context.frame.index else { return }
    let shift = try context.expectedFlowToKeyframe(height: 2, width: 6).flow.floats()[0]
    notes.shifts.withLock { $0.append(shift) }
  }

  func propagate(to _: FrameContext) -> FeatureMaps { maps }
}

private struct AsksForFlow: KeyframeScheduler {
  func decision(at context: FrameContext) throws -> Decision {
    _ = try context.flow(to: .keyframe)
    return Decision(
      context.framesSinceKeyframe == 4 ? .key : .propagated, because: Reason("every fourth"))
  }
}

struct KeyframeFlowTests {
  private func pipeline(
    _ scheduler: some KeyframeScheduler, _ propagator: some Propagator, _ flow: some FlowEstimator
  ) throws -> KeyframePipeline<Image> {
    try KeyframePipeline(
      backbone: Pixels(), head: Pixels().head, scheduler: scheduler, propagator: propagator,
      flow: flow)
  }

  private func run(_ pipeline: KeyframePipeline<Image>, frames: Int) throws {
    var state = pipeline.start()
    for index in 0..<frames { _ = try pipeline.label(slide(index, by: 2), in: &state) }
  }

  // Of nine frames three are key frames, whose steps nobody wants.
  @Test func noStepIsEstimatedToAKeyFrameUnlessItIsAskedFor() throws {
    let flow = Accelerating()
    try run(pipeline(FixedInterval(every: 4), .warp(), ChainedFlow(flow)), frames: 9)
    #expect(flow.counter.count == 6)
    let asked = Accelerating()
    try run(pipeline(AsksForFlow(), .warp(), ChainedFlow(asked)), frames: 9)
    #expect(asked.counter.count == 8)
  }

  // Frame 3 has gone 9 pixels since frame 0, so that frame 4 is expected to have gone 12, and has
  // gone 16; frame 8 is to be 33 · 4 / 3 = 44 pixels from frame 4, and is 48. On a grid of half the
  // size half of that.
  @Test func whatAKeyFrameMayExpectIsTheFlowOfTheFrameBeforeGoneOn() throws {
    let propagator = Expecting(), flow = Accelerating()
    try run(pipeline(FixedInterval(every: 4), propagator, ChainedFlow(flow)), frames: 9)
    #expect(propagator.notes.shifts.withLock(\.self) == [-6, -22])
    #expect(flow.counter.count == 6)
  }

  // What is known, or comes without the steps between, is not guessed.
  @Test func flowThatIsAtHandOrDirectIsTheFramesOwn() throws {
    let asked = Expecting(), direct = Expecting(), neighbours = Expecting()
    try run(
      pipeline(AsksForFlow(), asked, ChainedFlow(Accelerating())), frames: 9)
    #expect(asked.notes.shifts.withLock(\.self) == [-8, -24])
    try run(pipeline(FixedInterval(every: 4), direct, Accelerating()), frames: 9)
    #expect(direct.notes.shifts.withLock(\.self) == [-8, -24])
    // Where every frame is a key frame there is no flow of the frame before.
    try run(
      pipeline(FixedInterval(every: 1), neighbours, ChainedFlow(Accelerating())),
      frames: 3)
    #expect(neighbours.notes.shifts.withLock(\.self) == [-0.5, -1.5])
  }
}
