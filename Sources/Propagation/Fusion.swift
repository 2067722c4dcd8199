// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Frames
public import Layers
public import Tensors

/// Joins what was propagated to a frame with what is seen of the frame itself.
///
/// *Decides* what the frame's maps are; what is propagated on to the next frame is what came in,
/// not what it gives, so that no error of one frame is handed on. *Must keep* these laws: sizes
/// stay; what is not needed is not asked for; the same input gives the same output. It has no
/// state. *Prove it* with ConformanceKit's `brokenLaws(of:)`.
public protocol Fusion: Sendable {
  /// As `Propagator.keptStages`.
  var keptStages: [String] { get }

  /// What becomes of the propagated maps, each N × C × H × W.
  func callAsFunction(_ propagated: FeatureMaps, in context: FrameContext) throws -> FeatureMaps
}

extension Fusion {
  /// None unless a fusion says otherwise.
  public var keptStages: [String] { [] }
}

/// A fusion of one map with parameters that training changes.
public protocol LearnedFusion: Fusion {
  /// What training changes.
  var parameters: Parameters { get }

  /// What becomes of `propagated`, N × C × H × W, in a pass that may be one of training.
  func fuse(
    _ propagated: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> Tensor

  /// As `fuse(_:given:in:)`, and where the fusion takes the propagated scores to be wrong, so that
  /// this can be taught: N × 1 × h × w from 0 to 1; nil where it tells no such thing.
  ///
  /// Nil unless a fusion says otherwise.
  func fuseTellingErrors(
    _ propagated: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> (fused: Tensor, errors: Tensor?)

  /// The same in fewer operations, to be used and no longer trained.
  func folded() throws -> Self
}

extension LearnedFusion {
  /// What is fused alone: no map unless a fusion says otherwise.
  public func fuseTellingErrors(
    _ propagated: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> (fused: Tensor, errors: Tensor?) {
    (try fuse(propagated, given: context, in: pass), nil)
  }

  /// As it is unless a fusion says otherwise.
  public func folded() -> Self { self }

  /// What becomes of the one propagated map, used and not trained.
  public func callAsFunction(
    _ propagated: FeatureMaps, in context: FrameContext
  ) throws -> FeatureMaps {
    try FeatureMaps(self(propagated.only(), in: context), after: propagated.stages[0])
  }

  /// What becomes of one propagated map.
  public func callAsFunction(_ propagated: Tensor, in context: FrameContext) throws -> Tensor {
    try withoutGradients { try fuse(propagated, given: context, in: .inference) }
  }
}
