// SPDX-License-Identifier: Apache-2.0

public import Flow
public import Tensors
public import Video

/// What is known of a frame before its role is, and what can be asked for.
///
/// The asked-for quantities cost something: each is computed when it is first asked for and
/// remembered, whoever asks later, so a scheduler that looks at the motion which propagation needs
/// anyway is free.
public struct Moment {
  /// The frame in question, at the pipeline's working size.
  public let frame: Frame
  /// The last key frame, at the same size.
  public let key: Frame
  /// How many frames have passed since the last key frame; 1 for the frame right after it.
  public let framesSinceKey: Int

  private var keyMotion: Asked<MotionField>
  private var previousMotion: Asked<MotionField>
  private let computeFeatures: (String) throws -> Tensor
  private let computeKeyFeatures: (String) throws -> Tensor
  private var features: [String: Tensor] = [:]

  /// A moment whose quantities come from these closures, each called at most once
  /// (`features` at most once for each stage).
  public init(
    frame: Frame, key: Frame, framesSinceKey: Int,
    motionToKey: @escaping () throws -> MotionField,
    motionToPrevious: @escaping () throws -> MotionField,
    features: @escaping (_ stage: String) throws -> Tensor,
    keyFeatures: @escaping (_ stage: String) throws -> Tensor
  ) {
    (self.frame, self.key, self.framesSinceKey) = (frame, key, framesSinceKey)
    (keyMotion, previousMotion) = (Asked(motionToKey), Asked(motionToPrevious))
    (computeFeatures, computeKeyFeatures) = (features, keyFeatures)
  }

  /// Seconds since the last key frame.
  public var secondsSinceKey: Double { frame.time - key.time }

  /// Where each pixel of this frame reads in the last key frame.
  public mutating func motionToKey() throws -> MotionField { try keyMotion.value() }

  /// Where each pixel of this frame reads in the frame before it.
  public mutating func motionToPrevious() throws -> MotionField { try previousMotion.value() }

  /// This frame's features after the named stage of the backbone: 1 × C × H × W.
  ///
  /// If the frame becomes key, the backbone goes on from here instead of starting again.
  public mutating func features(after stage: String) throws -> Tensor {
    if let known = features[stage] { return known }
    let computed = try computeFeatures(stage)
    features[stage] = computed
    return computed
  }

  /// The last key frame's features after the named stage: 1 × C × H × W.
  ///
  /// A pipeline remembers them while the key lasts; where nobody asked for them when it became key, the
  /// backbone runs once more on it.
  public func keyFeatures(after stage: String) throws -> Tensor { try computeKeyFeatures(stage) }

  /// The stages whose features were asked for, with what they gave.
  package var askedFeatures: [String: Tensor] { features }
}

/// A value that is computed when first asked for, and only then.
private struct Asked<Value> {
  private let compute: () throws -> Value
  private var known: Value?

  init(_ compute: @escaping () throws -> Value) { self.compute = compute }

  mutating func value() throws -> Value {
    if let known { return known }
    let computed = try compute()
    known = computed
    return computed
  }
}
