// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Frames
public import Tensors

/// Brings a key frame's feature maps to the frames after it.
///
/// *Decides* what the maps look like one or more frames later. It is a value, and the stream owns
/// its copy: what it remembers from frame to frame, it keeps in itself. *May assume* that a
/// key frame comes first, and that frames come in order. *Must keep* these laws: no motion, no
/// change, to the last bit; sizes stay; a constant stays; motion by whole cells shifts; what is not
/// needed is not asked for, since asking computes it; a copy forks the stream. *Prove it* with
/// ConformanceKit's `brokenLaws(of:)`; one that was trained keeps these laws in the state that
/// training begins with.
public protocol Propagator: Sendable {
  /// Stages of the backbone whose features of earlier frames it asks for: a pipeline remembers
  /// those.
  ///
  /// None unless a propagator says otherwise.
  var keptStages: [String] { get }

  /// Whether each frame's maps are made from the key frame's alone, so that frames may be left out
  /// between.
  ///
  /// One that goes from frame to frame says false. It then takes no key frame from the background,
  /// and no clock of their own for shallow stages. True unless a propagator says otherwise.
  var readsKeyframeDirectly: Bool { get }

  /// Whether it asks for optical flow. True unless a propagator says otherwise.
  var usesFlow: Bool { get }

  /// Takes a key frame's maps, and forgets what was before as far as it likes to.
  ///
  /// Here is the place for what is worth doing once, such as laying a map out for fast reading.
  /// `context` is that of the new keyframe: its `keyframe` is still the one before. Where there is
  /// none, or the work is done in the background, that is the new key frame itself.
  mutating func keyframe(_ features: FeatureMaps, in context: FrameContext) throws

  /// The maps as they are at a non-key frame: of the same stages, each N × C × H × W as the
  /// key frame's.
  mutating func propagate(to context: FrameContext) throws -> FeatureMaps

  /// The class with the highest propagated score, N × H × W bytes, without making the propagated
  /// map.
  ///
  /// It takes the place of `propagate(to:)`. Nil where there is no such way, as with several maps;
  /// nil unless a propagator says otherwise.
  mutating func labels(at context: FrameContext) throws -> Tensor?
}

extension Propagator {
  /// None unless a propagator says otherwise.
  public var keptStages: [String] { [] }

  /// True unless a propagator says otherwise.
  public var readsKeyframeDirectly: Bool { true }

  /// True unless a propagator says otherwise.
  public var usesFlow: Bool { true }

  /// Nil: no shorter way unless a propagator says otherwise.
  public mutating func labels(at _: FrameContext) throws -> Tensor? { nil }
}

/// What a propagator or a fusion could not do.
public struct PropagationError: Error, Hashable, CustomStringConvertible {
  /// What could not be done, in one clause.
  public let message: String
  /// An error told in one clause.
  public init(_ message: String) { self.message = message }
  /// The message as it is.
  public var description: String { message }
}
