// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Flow
internal import Foundation
internal import Scheduler
internal import Tensors
public import Video

/// A grid of regions, each a stream of its own: what changes in one corner of the picture refreshes
/// that corner (DVSNet; Xu et al., CVPR 2018, section 3).
///
/// Regions reach over into their neighbours; where they overlap, the label counts whose score is
/// higher. Regions that differ in their key frames differ in their scores' age, so that fresh ones
/// and propagated ones are compared, as in DVSNet's program. What the backbone makes of several
/// keys of one frame, it makes of those of one size at once. A threshold that moves towards a rate
/// is one for all regions, as in the paper, so that busy ones have more keys than quiet ones.
public struct RegionPipeline<Prediction: Sendable>: PredictionPipeline {
  /// What each region goes through.
  public let pipeline: KeyframePipeline<Prediction>
  private let head: any DenseHead<Prediction>
  /// How many regions there are one above the other, and side by side.
  public let rows: Int, columns: Int
  /// Pixels of the frame by which a region reaches over its inner borders.
  public let overlap: Int

  /// What the regions' streams remember, row by row.
  public struct State: Sendable {
    var streams: [StreamState]
  }

  /// The same pipeline for each region.
  ///
  /// - Throws: `IncompatibleParts` where a part of it needs whole frames.
  /// - Precondition: there is a row and a column; the overlap is not negative.
  public init(
    _ pipeline: KeyframePipeline<Prediction>, rows: Int, columns: Int, overlap: Int = 16
  ) throws(IncompatibleParts) {
    precondition(rows >= 1 && columns >= 1 && overlap >= 0, "\(rows)×\(columns) regions")
    guard let head = pipeline.head.dense else {
      throw IncompatibleParts("regions need a head that gives scores, by which they are merged")
    }
    guard pipeline.parts.backbone.inputSize == nil else {
      throw IncompatibleParts(
        "regions need a backbone that takes pictures of any size; this one takes one size only")
    }
    guard !pipeline.parts.flow.needsMotionVectors else {
      throw IncompatibleParts(
        "regions need motion between pictures, not the codec's, whose vectors lead out of a region")
    }
    (self.pipeline, self.head) = (pipeline, head)
    (self.rows, self.columns, self.overlap) = (rows, columns, overlap)
  }

  /// A new stream: a state of its own for each region.
  public func start() -> State {
    var stream = pipeline.start()
    stream.times.parts = rows * columns
    return State(streams: .init(repeating: stream, count: rows * columns))
  }

  /// What the regions' predictions come to; it throws with the stage that failed and leaves the
  /// state.
  public func predict(
    _ frame: Frame, in state: inout State
  ) throws(PipelineError) -> FramePrediction<Prediction> {
    let size = frame.pixels.size
    var (next, canvas, traces) = (state, Canvas(size), [FrameTrace]())
    let (clock, begin) = (ContinuousClock(), ContinuousClock.now)
    var merging = Duration.zero
    let regions = regions(of: size)
    var steps: [Step] = []
    for (region, stream) in zip(regions, state.streams) {
      let part = frame.with(
        pixels: frame.pixels.cropped(
          x: region.x.lowerBound, y: region.y.lowerBound, width: region.x.count,
          height: region.y.count))
      steps.append(try pipeline.begin(part, in: stream))
    }
    let made = try pipeline.parts.featuresOfKeyframes(among: steps)
    for (index, step) in steps.enumerated() {
      let done = try pipeline.finish(step, with: made[index], giving: .maps)
      let trace = step.clock.trace(
        of: frame, step.decision, framesSinceKeyframe: done.state.framesSinceKeyframe, apart: false)
      next.streams[index] = done.state
      next.streams[index].times.add(trace)
      traces.append(trace)
      let start = clock.now
      do { try canvas.lay(done.result, over: regions[index], by: head) } catch {
        throw PipelineError(stage: .head, frame: frame.index, underlying: error)
      }
      merging += clock.now - start
    }
    next.shareThreshold()
    state = next
    let trace = FrameTrace(joining: traces, merging: merging, total: clock.now - begin)
    do {
      return FramePrediction(
        prediction: try head.prediction(of: canvas.labels()), size: size, trace: trace)
    } catch { throw PipelineError(stage: .head, frame: frame.index, underlying: error) }
  }

  /// Columns and rows of each region, row by row.
  func regions(of size: PixelSize) -> [(x: Range<Int>, y: Range<Int>)] {
    func spans(_ length: Int, _ count: Int) -> [Range<Int>] {
      // No more regions than there are pixels.
      let count = min(count, length)
      return (0..<count).map { index in
        max(
          0, length * index / count - (index > 0 ? overlap : 0))..<min(
            length, length * (index + 1) / count + (index + 1 < count ? overlap : 0))
      }
    }
    return spans(size.height, rows).flatMap { y in spans(size.width, columns).map { ($0, y) } }
  }
}

/// Parts that cannot work together, and why.
public struct IncompatibleParts: Error, Hashable, CustomStringConvertible {
  /// Why the parts cannot work together, in one clause.
  public let description: String
  /// An error told in one clause.
  public init(_ description: String) { self.description = description }
}

extension RegionPipeline.State {
  /// The threshold of all regions becomes the geometric mean of theirs: what each one's frame moved
  /// it by, moves all by its part.
  fileprivate mutating func shareThreshold() {
    let own = streams.compactMap(\.scheduler.movingThreshold).filter { $0 > 0 }
    guard !own.isEmpty else { return }
    let mean = exp(own.reduce(0) { $0 + log($1) } / Double(own.count))
    for index in streams.indices { streams[index].scheduler.movingThreshold = mean }
  }
}

/// Labels laid over each other by their scores.
private struct Canvas {
  private let size: PixelSize
  private var best: [Float]
  private var classes: [UInt8]

  init(_ size: PixelSize) {
    self.size = size
    best = [Float](repeating: -.infinity, count: size.width * size.height)
    classes = [UInt8](repeating: 0, count: size.width * size.height)
  }

  func labels() throws -> Tensor {
    try Tensor(classes, shape: [1, size.height, size.width])
  }

  /// What the head makes of one region's maps.
  mutating func lay(
    _ maps: FeatureMaps, over region: (x: Range<Int>, y: Range<Int>), by head: any DenseHead
  ) throws {
    let (labels, scores) = try head.best(
      of: maps, size: PixelSize(width: region.x.count, height: region.y.count))
    let (given, highest) = (try labels.bytes(), try scores.contiguous().floats())
    var from = 0
    best.withUnsafeMutableBufferPointer { best in
      classes.withUnsafeMutableBufferPointer { classes in
        for y in region.y {
          for to in (y * size.width + region.x.lowerBound)..<(y * size.width + region.x.upperBound)
          {
            if highest[from] > best[to] { (best[to], classes[to]) = (highest[from], given[from]) }
            from += 1
          }
        }
      }
    }
  }
}

extension FrameTrace {
  /// One frame of several regions: key where any is, as old as the oldest.
  ///
  /// - Precondition: there is a region.
  fileprivate init(joining parts: [FrameTrace], merging: Duration, total: Duration) {
    let keys = parts.filter(\.startsBackbone)
    let waiting = parts.first { $0.role == .key } ?? keys.first ?? parts[0]
    var stages = parts.reduce(into: [PipelineStage: Duration]()) { sums, part in
      sums.merge(part.stages) { $0 + $1 }
    }
    stages[.head, default: .zero] += merging
    let decision = waiting.decision
    let rule =
      keys.isEmpty || parts.count == 1
      ? decision.reason.rule : "\(keys.count) of \(parts.count) regions: \(decision.reason.rule)"
    self.init(
      index: waiting.index, time: waiting.time,
      decision: decision.with(
        because: Reason(
          rule, score: decision.reason.score, threshold: decision.reason.threshold)),
      streamBreak: waiting.streamBreak,
      framesSinceKeyframe: parts.map(\.framesSinceKeyframe).max() ?? 0,
      stages: stages, total: total,
      keyShare: parts.reduce(0) { $0 + $1.keyShare } / Double(parts.count),
      macs: parts.reduce(0) { $0 + $1.macs })
  }
}
