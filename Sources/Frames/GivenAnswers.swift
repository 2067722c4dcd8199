// SPDX-License-Identifier: Apache-2.0

public import Flow
public import Tensors

/// Answers about a frame as closures: for tests, and for trying a part by itself.
public struct GivenAnswers: FrameProvider {
  private let fieldFlow: ((FlowReference) throws -> MotionField)?
  private let gridFlow: ((FlowReference, Int, Int) throws -> (Tensor, Tensor?))?
  private let picture: ((FrameSide) throws -> Tensor)?
  private let stageFeatures: ((String, FrameSide) throws -> Tensor)?
  private let changedFeatures: ((String, Tensor, String) throws -> Tensor)?
  private let propagatedScores: (() throws -> Tensor)?
  private let scoresOfKeyframe: (() throws -> Tensor)?
  private let objects: (() throws -> ObjectChange?)?

  /// What these closures give; ``NotAtHand`` is thrown where there is none.
  ///
  /// `flow` is on the frame's own grid, `gridFlow` on one of that height and width. One of them is
  /// enough.
  public init(
    flow: ((FlowReference) throws -> MotionField)? = nil,
    gridFlow: ((FlowReference, _ height: Int, _ width: Int) throws -> (Tensor, Tensor?))? = nil,
    image: ((FrameSide) throws -> Tensor)? = nil,
    features: ((_ stage: String, FrameSide) throws -> Tensor)? = nil,
    changedFeatures: ((_ later: String, _ map: Tensor, _ stage: String) throws -> Tensor)? = nil,
    scores: (() throws -> Tensor)? = nil, keyframeScores: (() throws -> Tensor)? = nil,
    objects: (() throws -> ObjectChange?)? = nil
  ) {
    (fieldFlow, self.gridFlow, picture, stageFeatures) = (flow, gridFlow, image, features)
    self.changedFeatures = changedFeatures
    (propagatedScores, scoresOfKeyframe, self.objects) = (scores, keyframeScores, objects)
  }

  /// What the closure `flow` gives; throws `NotAtHand` where there is none.
  public func flow(to reference: FlowReference) throws -> MotionField {
    guard let fieldFlow else { throw NotAtHand("optical flow") }
    return try fieldFlow(reference)
  }

  /// What the closure `gridFlow` gives; nil where there is none.
  public func flow(
    to reference: FlowReference, height: Int, width: Int
  ) throws -> (flow: Tensor, valid: Tensor?)? {
    guard let gridFlow else { return nil }
    let (flow, valid) = try gridFlow(reference, height, width)
    return (flow, valid)
  }

  /// What the closure `image` gives; throws `NotAtHand` where there is none.
  public func image(_ side: FrameSide) throws -> Tensor {
    guard let picture else { throw NotAtHand("pictures") }
    return try picture(side)
  }

  /// What the closure `features` gives; throws `NotAtHand` where there is none.
  public func features(after stage: String, of side: FrameSide) throws -> Tensor {
    guard let stageFeatures else { throw NotAtHand("features of stage '\(stage)'") }
    return try stageFeatures(stage, side)
  }

  /// What the closure `changedFeatures` gives; throws `NotAtHand` where there is none.
  public func features(
    after later: String, reading map: Tensor, after stage: String
  ) throws -> Tensor {
    guard let changedFeatures else { throw NotAtHand("features of stage '\(later)'") }
    return try changedFeatures(later, map, stage)
  }

  /// What the closure `scores` gives; throws `NotAtHand` where there is none.
  public func scores(in _: FrameContext) throws -> Tensor {
    guard let propagatedScores else { throw NotAtHand("scores") }
    return try propagatedScores()
  }

  /// What the closure `keyframeScores` gives; throws `NotAtHand` where there is none.
  public func keyframeScores(in _: FrameContext) throws -> Tensor {
    guard let scoresOfKeyframe else { throw NotAtHand("scores") }
    return try scoresOfKeyframe()
  }

  /// What the closure `objects` gives; throws `NotAtHand` where there is none.
  public func objectChange(in _: FrameContext) throws -> ObjectChange? {
    guard let objects else { throw NotAtHand("propagated boxes") }
    return try objects()
  }
}
