// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Frames
public import Layers
public import Tensors

/// A propagator of one map with parameters that training changes.
///
/// It is written as a function of one frame's map and the next frame, which training calls on
/// batches. What a stream remembers between frames is that map; all that a ``Propagator`` needs
/// besides follows from it.
public protocol LearnedPropagator: Propagator {
  /// What training changes.
  var parameters: Parameters { get }

  /// The frame whose map it reads: the key frame, or the frame before.
  var reference: FlowReference { get }

  /// The map that the stream remembers.
  var remembered: RememberedMap { get set }

  /// What is worth doing once to a map that will be read many times; the values stay. Nothing
  /// unless said otherwise.
  func prepared(_ map: Tensor) throws -> Tensor

  /// The map as it is at the current frame, N × C × H × W, in a pass that may be one of training.
  ///
  /// `map` is that of the `reference`. Gradients flow to the parameters, to `map`, and to what the
  /// context gives.
  func propagate(
    _ map: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> Tensor

  /// Whether it finds the motion itself. False unless a propagator says otherwise.
  var findsMotion: Bool { get }

  /// The map at the current frame, and `planes` (N × C × any height × any width) of the `reference`
  /// along the motion alone, where it finds that itself.
  ///
  /// What else is known of that frame, as its labels, then tells a training how good the motion is.
  /// Nil in the place of planes unless a propagator says otherwise.
  func propagate(
    _ map: Tensor, beside planes: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> (map: Tensor, planes: Tensor?)

  /// The map that the next frame's is made from, where `map` became `propagated` at this one.
  ///
  /// Unless said otherwise it is the same key frame's again, or what was propagated where the frame
  /// before is read.
  func next(after map: Tensor, propagated: Tensor, given context: FrameContext) throws -> Tensor
}

extension LearnedPropagator {
  /// Whether the frame that it reads is the key frame.
  public var readsKeyframeDirectly: Bool { reference == .keyframe }

  /// False unless a propagator says otherwise.
  public var findsMotion: Bool { false }

  /// The map alone unless a propagator says otherwise.
  public func propagate(
    _ map: Tensor, beside _: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> (map: Tensor, planes: Tensor?) {
    (try propagate(map, given: context, in: pass), nil)
  }

  /// The map as it is: nothing is worth doing unless a propagator says otherwise.
  public func prepared(_ map: Tensor) throws -> Tensor { map }

  /// The same map again, or what was propagated where the frame before is read.
  public func next(after map: Tensor, propagated: Tensor, given _: FrameContext) -> Tensor {
    readsKeyframeDirectly ? map : propagated
  }

  /// Remembers the key frame's one map; it throws where there are several.
  public mutating func keyframe(_ features: FeatureMaps, in _: FrameContext) throws {
    remembered = RememberedMap(try prepared(features.only()), after: features.stages[0])
  }

  /// The map at this frame, used and not trained; what the next frame reads is remembered.
  public mutating func propagate(to context: FrameContext) throws -> FeatureMaps {
    let (map, stage) = try remembered.contents()
    let propagated = try withoutGradients {
      try propagate(map, given: context, in: .inference)
    }
    remembered = RememberedMap(
      try next(after: map, propagated: propagated, given: context), after: stage)
    return FeatureMaps(propagated, after: stage)
  }

  /// The best class of each place; nil where the frame before is read, whose map the next one
  /// needs.
  public mutating func labels(at context: FrameContext) throws -> Tensor? {
    readsKeyframeDirectly ? try propagate(to: context).only().argmaxLabels() : nil
  }
}

/// The one map that a stream remembers for a ``LearnedPropagator``.
public struct RememberedMap: Sendable {
  private let map: Tensor?
  private let stage: String

  /// Before the first key frame.
  public init() { (map, stage) = (nil, "") }

  /// What the named stage gave.
  init(_ map: Tensor, after stage: String) { (self.map, self.stage) = (map, stage) }

  /// - Throws: `PropagationError` before the first key frame.
  func contents() throws(PropagationError) -> (map: Tensor, stage: String) {
    guard let map else { throw PropagationError("nothing is propagated before a key frame") }
    return (map, stage)
  }
}
