// SPDX-License-Identifier: Apache-2.0

public import Frames

/// Brings predictions, not feature maps, from key frames to the frames after them: boxes with
/// identities, points, masks.
///
/// *Decides* what is predicted of a frame that the network does not see. *May assume* that a key
/// frame comes first, that frames then come in order, none left out, and that what a context is
/// asked for it answers at the working size, in which predictions are too. *Must keep* these laws:
/// it is a value, so that a copy goes on as the original would; the same frames give the same
/// predictions; what one frame alone was told does not change what was told before.
public protocol PredictionPropagator<Prediction>: Sendable {
  /// What the head gives of a key frame, and what is told of every frame.
  associatedtype Prediction: Sendable

  /// Takes what the head predicted of a key frame, and gives what is told of it: the same, or
  /// joined with what was propagated to it.
  ///
  /// The context is the key frame's: its references are still the key frame and the frame before.
  /// `isFirst` says that there are none, at the beginning of a stream and after a break in it.
  mutating func keyframe(
    _ prediction: Prediction, in context: FrameContext, isFirst: Bool
  ) throws -> Prediction

  /// The prediction of a non-key frame.
  mutating func propagate(to context: FrameContext) throws -> Prediction

  /// How much what was propagated last has changed since the key frame, for schedulers; nil, as it
  /// is unless a propagator says otherwise, where nothing is shown that could change.
  var objectChange: ObjectChange? { get }
}

extension PredictionPropagator {
  /// Nil: nothing is told unless a propagator says otherwise.
  public var objectChange: ObjectChange? { nil }
}
