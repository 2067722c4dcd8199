// SPDX-License-Identifier: Apache-2.0

public import Flow
public import Tensors
public import Video

/// Everything that is known about one frame of a stream, and all that can be asked about it.
///
/// Schedulers, propagators, fusions and heads share one context. What they ask for is computed on
/// the first request and remembered, so a scheduler that looks at the optical flow which
/// propagation needs anyway is free. What nobody asks for is not computed. A failure is not
/// remembered.
///
/// In a pipeline N is 1. In training it is a batch: gradients flow through what is given, and
/// `frame` and `keyframe` are stand-ins without a picture.
public final class FrameContext {
  /// The frame in question, at the pipeline's working size.
  public let frame: Frame
  /// The last key frame, at the same size; of the first frame of a stream it is the frame itself.
  public let keyframe: Frame
  /// How many frames have passed since the last key frame; 1 for the frame right after it.
  public let framesSinceKeyframe: Int
  /// How many frames have passed since the last one whose scores were made, not propagated.
  public let framesSinceScores: Int
  /// How many frames have passed since the last one on which stages with a clock of their own ran.
  public let framesSinceRefresh: Int
  /// The mean time that a stream's frames of either role have taken, from the frame in memory to
  /// its prediction.
  ///
  /// Nil before there was one of each. Unlike all else here it is another each time.
  public let usualTimes: (keyframe: Duration, propagated: Duration)?

  private let provider: any FrameProvider
  private var flows: [FlowReference: MotionField] = [:]
  private var gridFlows: [Grid: (flow: Tensor, valid: Tensor?)] = [:]
  private var images: [FrameSide: Tensor] = [:]
  private var features: [Place: Tensor] = [:]
  private var ownScores: Tensor?
  private var scoresOfKeyframe: Tensor?
  private var changeOfObjects: ObjectChange??
  /// What was made of this frame by parts of their own, by name.
  package private(set) var made: [String: Tensor] = [:]

  /// A frame to which `provider` gives the answers.
  ///
  /// Where nothing is said of `framesSinceScores`, the key frame's are the last scores; and so with
  /// `framesSinceRefresh`.
  public init(
    frame: Frame, keyframe: Frame, framesSinceKeyframe: Int, framesSinceScores: Int? = nil,
    framesSinceRefresh: Int? = nil, usualTimes: (keyframe: Duration, propagated: Duration)? = nil,
    from provider: some FrameProvider
  ) {
    (self.frame, self.keyframe) = (frame, keyframe)
    self.framesSinceKeyframe = framesSinceKeyframe
    self.framesSinceScores = framesSinceScores ?? framesSinceKeyframe
    self.framesSinceRefresh = framesSinceRefresh ?? framesSinceKeyframe
    (self.usualTimes, self.provider) = (usualTimes, provider)
  }

  /// The frames of a batch, that many after their key frames; `frame` and `keyframe` are stand-ins
  /// of one pixel.
  public convenience init(
    ofBatch framesSinceKeyframe: Int = 1, from provider: some FrameProvider
  ) {
    let pixel = Image(width: 1, height: 1, channels: 3, repeating: 0)
    self.init(
      frame: Frame(index: framesSinceKeyframe, time: Double(framesSinceKeyframe), pixels: pixel),
      keyframe: Frame(index: 0, time: 0, pixels: pixel),
      framesSinceKeyframe: framesSinceKeyframe, from: provider)
  }

  /// Seconds since the last key frame.
  public var secondsSinceKeyframe: Double { frame.time - keyframe.time }
}

// What can be asked for.
extension FrameContext {
  /// The optical flow: where each pixel of this frame reads in an earlier one.
  public func flow(to reference: FlowReference) throws -> MotionField {
    let reference = resolved(reference)
    return try remembered(reference, in: \.flows) { try provider.flow(to: reference) }
  }

  /// The optical flow on any grid, N × 2 × height × width in cells of it, and where it is valid, N
  /// × height × width bytes; nil where it is everywhere.
  public func flow(
    to reference: FlowReference, height: Int, width: Int
  ) throws -> (flow: Tensor, valid: Tensor?) {
    let reference = resolved(reference)
    return try remembered(Grid(reference, height, width), in: \.gridFlows) {
      if let given = try provider.flow(to: reference, height: height, width: width) {
        return given
      }
      let (flow, valid) = try flow(to: reference).resized(width: width, height: height).tensors()
      return (flow, valid)
    }
  }

  /// The optical flow to the last key frame as it is to be expected, on any grid, and where it is
  /// valid, as `flow(to:height:width:)` gives them.
  ///
  /// It is for parts that learn on key frames, which need no flow of their own. Where flow is put
  /// together of steps and nobody has asked for this frame's, it is that of the frame before, as
  /// much longer as this frame is farther from the last keyframe: nothing is estimated. Else it is
  /// the frame's own.
  public func expectedFlowToKeyframe(
    height: Int, width: Int
  ) throws -> (flow: Tensor, valid: Tensor?) {
    let isKnown = flows[.keyframe] != nil || gridFlows[Grid(.keyframe, height, width)] != nil
    guard !isKnown, framesSinceKeyframe > 1, let before = try provider.keyframeFlowOfFrameBefore()
    else { return try flow(to: .keyframe, height: height, width: width) }
    let (flow, valid) = try before.resized(width: width, height: height).tensors()
    let distance = Float(framesSinceKeyframe)
    return (try flow * (distance / (distance - 1)), valid)
  }

  /// A map of an earlier frame, N × C × height × width, where the optical flow says: what is here
  /// was there.
  ///
  /// It is `map.warped(along:border:known:)` along the flow on the map's grid.
  public func warped(
    _ map: Tensor, from reference: FlowReference, border: Border = .clamp
  ) throws -> Tensor {
    let (height, width) = (map.shape[2], map.shape[3])
    if border == .clamp, map.shape[0] == 1, map.shape[1] == 1,
      try provider.flow(to: resolved(reference), height: height, width: width) == nil,
      let warped = try flow(to: reference).warping(map)
    {
      return warped
    }
    let (flow, valid) = try flow(to: reference, height: height, width: width)
    return try map.warped(along: flow, border: border, known: valid)
  }

  /// A frame's pixels, N × 3 × H × W: blue, green and red from 0 to 255, whatever the backbone
  /// reads.
  public func image(_ side: FrameSide) throws -> Tensor {
    let side = resolved(side)
    return try remembered(side, in: \.images) { try provider.image(side) }
  }

  /// A frame's picture with a cell for every `cell` pixels each way, N × 3 × H / cell × W / cell,
  /// rounded down but at least 1: means of what lies in a cell.
  public func image(_ side: FrameSide, meansOf cell: Int) throws -> Tensor {
    let side = resolved(side)
    if let means = try provider.means(of: side, cell: cell) { return means }
    let picture = try image(side)
    return try picture.adaptiveAveragePool(
      Extent(height: max(1, picture.shape[2] / cell), width: max(1, picture.shape[3] / cell)))
  }

  /// A frame's features after the named stage of the backbone, N × C × h × w.
  ///
  /// If this frame becomes a key frame, the backbone goes on from its own features instead of
  /// starting again. Those of earlier frames are remembered from there on; where nobody asked in
  /// time, the backbone runs once more.
  public func features(after stage: String, of side: FrameSide = .current) throws -> Tensor {
    let side = resolved(side)
    return try remembered(Place(stage: stage, side: side), in: \.features) {
      try provider.features(after: stage, of: side)
    }
  }

  /// What the backbone gives of this frame after the stage `later`, N × C × h × w, where it reads
  /// `map` in the place of what `stage` gives; all else that it reads is the frame's own.
  ///
  /// It is for parts that change features at several stages. It is computed each time.
  public func features(
    after later: String, reading map: Tensor, after stage: String
  ) throws -> Tensor {
    try provider.features(after: later, reading: map, after: stage)
  }

  /// A map that a part makes of this frame alone, made when it is first asked for by that name.
  ///
  /// Where key frames on both sides are propagated to a frame, what was made for one side is there
  /// for the other. Names of parts that may stand in one pipeline must differ.
  public func once(_ name: String, _ make: () throws -> Tensor) rethrows -> Tensor {
    try remembered(name, in: \.made, make)
  }

  /// Takes over what was made of the same frame in another context.
  package func know(_ made: [String: Tensor]) { self.made.merge(made) { own, _ in own } }

  /// What propagation gives for this frame, N × classes × h × w, on the grid of the backbone's last
  /// stage.
  ///
  /// It is for schedulers. If the frame becomes a key frame, it was in vain; else it is not done
  /// again.
  public func scores() throws -> Tensor {
    if let ownScores { return ownScores }
    let scores = try provider.scores(in: self)
    ownScores = scores
    return scores
  }

  /// The scores of the last key frame, on the same grid.
  public func keyframeScores() throws -> Tensor {
    if let scoresOfKeyframe { return scoresOfKeyframe }
    let scores = try provider.keyframeScores(in: self)
    scoresOfKeyframe = scores
    return scores
  }

  /// How much the objects that are propagated to this frame have changed since the key frame; nil
  /// where there are none.
  ///
  /// It is for schedulers, in pipelines that propagate boxes. If it becomes a key frame, they
  /// were propagated to it in vain; else it is not done again.
  public func objectChange() throws -> ObjectChange? {
    if let changeOfObjects { return changeOfObjects }
    let change = try provider.objectChange(in: self)
    changeOfObjects = .some(change)
    return change
  }
}

extension FrameContext {
  private struct Grid: Hashable {
    let reference: FlowReference
    let height: Int, width: Int

    init(_ reference: FlowReference, _ height: Int, _ width: Int) {
      (self.reference, self.height, self.width) = (reference, height, width)
    }
  }

  private struct Place: Hashable {
    let stage: String
    let side: FrameSide
  }

  /// Two names of one frame are one.
  private func resolved(_ reference: FlowReference) -> FlowReference {
    switch reference {
    case .refreshed where framesSinceRefresh == framesSinceKeyframe: .keyframe
    case .refreshed where framesSinceRefresh == framesSinceScores: .scored
    case .scored where framesSinceScores == framesSinceKeyframe: .keyframe
    default: reference
    }
  }

  private func resolved(_ side: FrameSide) -> FrameSide {
    guard case .reference(let reference) = side else { return side }
    return .reference(resolved(reference))
  }

  private func remembered<Key: Hashable, Value>(
    _ key: Key, in answers: ReferenceWritableKeyPath<FrameContext, [Key: Value]>,
    _ compute: () throws -> Value
  ) rethrows -> Value {
    if let known = self[keyPath: answers][key] { return known }
    let value = try compute()
    self[keyPath: answers][key] = value
    return value
  }
}
