// SPDX-License-Identifier: Apache-2.0

public import Flow
public import Tensors

/// Computes what a ``FrameContext`` is asked for.
///
/// A context asks for each thing at most once and remembers the answer, so a provider need not. It
/// asks for no more than it is asked for itself. Every method throws ``NotAtHand`` unless a
/// provider says otherwise.
public protocol FrameProvider {
  /// The optical flow of the frame: where each of its pixels reads in an earlier frame.
  func flow(to reference: FlowReference) throws -> MotionField

  /// The same on a grid of its own, N × 2 × height × width in cells, and where it is valid, N ×
  /// height × width bytes.
  ///
  /// Nil, as it is unless a provider says otherwise, where `flow(to:)` is to be resized.
  func flow(
    to reference: FlowReference, height: Int, width: Int
  ) throws -> (flow: Tensor, valid: Tensor?)?

  /// The optical flow from the frame before to the last keyframe, where it is known and the frame's
  /// own is not: nil, as it is unless a provider says otherwise, where `flow(to:)` is to be asked.
  func keyframeFlowOfFrameBefore() throws -> MotionField?

  /// The pixels of a frame, N × 3 × H × W: blue, green and red from 0 to 255.
  func image(_ side: FrameSide) throws -> Tensor

  /// The means of blocks of `cell` × `cell` pixels of a frame, N × 3 × H / cell × W / cell; nil
  /// where there is no shorter way to them than the picture itself.
  func means(of side: FrameSide, cell: Int) throws -> Tensor?

  /// What the backbone gives of a frame after the named stage, N × C × h × w.
  func features(after stage: String, of side: FrameSide) throws -> Tensor

  /// What the backbone gives of the frame after the stage `later` where it reads `map` in the place
  /// of what `stage` gives.
  func features(after later: String, reading map: Tensor, after stage: String) throws -> Tensor

  /// What propagation gives of the frame, N × classes × h × w, where `context` is the one that
  /// asks.
  func scores(in context: FrameContext) throws -> Tensor

  /// The scores of the last key frame, on the same grid.
  func keyframeScores(in context: FrameContext) throws -> Tensor

  /// How much the objects that are propagated to the frame have changed since the key frame; nil
  /// where there are none.
  func objectChange(in context: FrameContext) throws -> ObjectChange?
}

extension FrameProvider {
  /// Nothing: throws `NotAtHand` unless a provider has flow.
  public func flow(to reference: FlowReference) throws -> MotionField {
    throw NotAtHand("optical flow to the \(reference.rawValue) frame")
  }

  /// Nil, so that `flow(to:)` is resized.
  public func flow(
    to _: FlowReference, height _: Int, width _: Int
  ) throws -> (flow: Tensor, valid: Tensor?)? { nil }

  /// Nil, so that `flow(to:)` is asked.
  public func keyframeFlowOfFrameBefore() throws -> MotionField? { nil }

  /// Nothing: throws `NotAtHand` unless a provider has pictures.
  public func image(_: FrameSide) throws -> Tensor { throw NotAtHand("pictures") }

  /// Nil, so that the picture is looked at.
  public func means(of _: FrameSide, cell _: Int) throws -> Tensor? { nil }

  /// Nothing: throws `NotAtHand` unless a provider has features.
  public func features(after stage: String, of _: FrameSide) throws -> Tensor {
    throw NotAtHand("features of stage '\(stage)'")
  }

  /// Nothing: throws `NotAtHand` unless a provider has a backbone.
  public func features(
    after later: String, reading _: Tensor, after _: String
  ) throws -> Tensor { throw NotAtHand("features of stage '\(later)' given other ones") }

  /// Nothing: throws `NotAtHand` unless a provider has scores.
  public func scores(in _: FrameContext) throws -> Tensor { throw NotAtHand("scores") }

  /// Nothing: throws `NotAtHand` unless a provider has the key frame's scores.
  public func keyframeScores(in _: FrameContext) throws -> Tensor { throw NotAtHand("scores") }

  /// Nothing: throws `NotAtHand` unless a provider propagates objects.
  public func objectChange(in _: FrameContext) throws -> ObjectChange? {
    throw NotAtHand("propagated boxes")
  }
}

/// Something was asked of a frame that nobody can tell there.
public struct NotAtHand: Error, Hashable, CustomStringConvertible {
  /// What was asked for.
  public let quantity: String

  /// An error that names what was asked for, as a noun after "no".
  public init(_ quantity: String) { self.quantity = quantity }

  /// A clause such as `no pictures at hand`.
  public var description: String { "no \(quantity) at hand" }
}
