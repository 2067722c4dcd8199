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
import Video

/// Counts calls, from any thread.
final class Counter: Sendable {
  private let calls = Atomic(0)
  var count: Int { calls.load(ordering: .relaxed) }
  func tick() { calls.add(1, ordering: .relaxed) }
}

/// `Pixels`, counting how often each stage runs, and failing on one frame if told to.
struct CountedPixels: Backbone {
  let pixels = Pixels()
  let low = Counter(), high = Counter()
  var failsOn: Int?
  /// Which input, counted from one, fails.
  var failsAtInput: Int?
  let inputs = Counter()

  var stages: [Stage] { pixels.stages }
  var inputSize: PixelSize? { nil }

  func input(for frame: Frame) throws -> Tensor {
    inputs.tick()
    if frame.index == failsOn || inputs.count == failsAtInput { throw CancellationError() }
    return try pixels.input(for: frame)
  }

  func run(_ range: Range<Int>, on input: Features) -> Features {
    for stage in range { stage == 0 ? low.tick() : high.tick() }
    return input
  }
}

/// Three stages: pixels, twice the pixels, and the sum of both and of what is `added`.
struct SkippingPixels: Backbone {
  var added: Float = 0
  let runs = [Counter(), Counter(), Counter()]
  let stages = [Stage("low", stride: 1), Stage("middle", stride: 1), Stage("high", stride: 1)]
  var inputSize: PixelSize? { nil }

  func input(for frame: Frame) throws -> Tensor { try Pixels().input(for: frame) }

  func run(_ range: Range<Int>, on input: Features) throws -> Features {
    var features = input
    for stage in range {
      runs[stage].tick()
      switch stage {
      case 0: features = Features(features.main, skips: [features.main])
      case 1: features = Features(try features.main * 2, skips: features.skips)
      default: features = Features(try features.main + features.skips[0] + added)
      }
    }
    return features
  }
}

/// `SkippingPixels` that take several pictures at once, and note how many each stage was given.
final class BatchingPixels: Backbone {
  private let pixels = SkippingPixels()
  private let given = Mutex<[Int]>([])
  var counts: [Int] { given.withLock { $0 } }

  var stages: [Stage] { pixels.stages }
  var inputSize: PixelSize? { nil }
  var takesBatches: Bool { true }

  func input(for frame: Frame) throws -> Tensor { try pixels.input(for: frame) }

  func run(_ range: Range<Int>, on input: Features) throws -> Features {
    given.withLock { $0 += range.map { _ in input.main.shape[0] } }
    return try pixels.run(range, on: input)
  }
}

/// Copies, and wants features of the first stage kept.
struct KeepsLow: Propagator {
  var keptStages: [String] { ["low"] }
  private var maps = FeatureMaps()

  mutating func keyframe(_ features: FeatureMaps, in _: FrameContext) { maps = features }

  mutating func propagate(to context: FrameContext) throws -> FeatureMaps {
    let change =
      try context.features(after: "low") - context.features(after: "low", of: .keyframe)
    return try maps.mapped { try $0 + change }
  }
}

/// Everything moves by whole pixels a frame; counts how often it is asked.
struct Sliding: FlowEstimator {
  let dx: Int
  let counter = Counter()

  func motion(from current: Frame, to reference: Frame) -> MotionField {
    counter.tick()
    let (width, height) = (current.pixels.width, current.pixels.height)
    let shift = Float(-dx * (current.index - reference.index))
    let cells = (0..<2 * width * height).map { $0.isMultiple(of: 2) ? shift : 0 }
    return MotionField(width: width, height: height, displacements: cells)
  }
}

/// Asks for the features of the first stage, and makes every other frame key.
struct LooksAtFeatures: KeyframeScheduler {
  func decision(at context: FrameContext) throws -> Decision {
    _ = try context.features(after: "low")
    _ = try context.features(after: "low")
    return Decision(
      context.framesSinceKeyframe >= 2 ? .key : .propagated, because: Reason("every other"))
  }
}

/// Asks for the features of one stage and then of the next, and makes every frame key.
struct LooksDeeper: KeyframeScheduler {
  func decision(at context: FrameContext) throws -> Decision {
    _ = try context.features(after: "low")
    _ = try context.features(after: "high")
    return Decision(.key, because: Reason("every frame"))
  }
}

/// Tells, as its score, how far the middle of the picture moved since the frame before.
struct LooksAtPreviousMotion: KeyframeScheduler {
  func decision(at context: FrameContext) throws -> Decision {
    let motion = try context.flow(to: .previous)
    let (x, y) = (motion.width / 2, motion.height / 2)
    let moved = motion.isKnown(x: x, y: y) ? Double(motion[x: x, y: y].dx) : .nan
    return Decision(.propagated, because: Reason("pixels moved", score: moved))
  }
}

/// Ten more than what was propagated.
struct AddsTen: Fusion {
  func callAsFunction(_ propagated: FeatureMaps, in _: FrameContext) throws -> FeatureMaps {
    try propagated.mapped { try $0 + 10 }
  }
}

/// A copy that asks for the first stage's features of both frames, and that they differ as the
/// frames do.
struct ComparesFeatures: Propagator {
  let reference: FlowReference
  let keptStages = ["low"]
  private var maps = FeatureMaps()

  init(reference: FlowReference) { self.reference = reference }

  mutating func keyframe(_ features: FeatureMaps, in _: FrameContext) { maps = features }

  mutating func propagate(to context: FrameContext) throws -> FeatureMaps {
    for side in [FrameSide.current, .reference(reference)] {
      let features = try context.features(after: "low", of: side).floats()
      guard try features == context.image(side).floats() else {
        throw PropagationError("features of another frame")
      }
    }
    return maps
  }
}

/// A frame that its codec predicted, in one block, from `dx` pixels to the right in an earlier one.
func coded(_ index: Int, _ type: PictureType, dx: Int32) -> Frame {
  let block = MotionVector(
    source: -1, width: 16, height: 16, sourceX: Int16(6 + dx), sourceY: 2, x: 6, y: 2,
    motionX: 4 * dx, motionY: 0, scale: 4)
  return Frame(
    index: index, time: Double(index) / 25, pixels: slide(index, by: 1).pixels, pictureType: type,
    motionVectors: type == .intra ? [] : [block])
}

/// Frame `index` of a picture that slides to the right by `dx` pixels a frame, bright columns in
/// turn blue, green and red.
func slide(_ index: Int, by dx: Int, breaks: Bool = false) -> Frame {
  let (width, height) = (12, 4)
  let pixels = Image(width: width, height: height, channels: 3) { bytes in
    for y in 0..<height {
      for x in 0..<width {
        let column = ((x - dx * index) / 2 + 300) % 3
        for channel in 0..<3 {
          bytes[(y * width + x) * 3 + channel] = channel == column ? 200 : UInt8(10 * (y % 3))
        }
      }
    }
  }
  return Frame(index: index, time: Double(index) / 25, pixels: pixels, followsBreak: breaks)
}
