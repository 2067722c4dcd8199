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
  /// How many frames have passed since the last one whose scores were made, not carried: the key, or one to which
  /// features were carried.
  public let framesSinceScores: Int

  private var keyMotion: Asked<MotionField>
  private var previousMotion: Asked<MotionField>
  private var carriedScores: Asked<Tensor>
  private let computeKeyScores: () throws -> Tensor
  private let computeFeatures: (String) throws -> Tensor
  private let computeKeyFeatures: (String) throws -> Tensor
  private var features: [String: Tensor] = [:]

  /// The mean time that a stream's frames of either role have taken, from the frame in memory to its labels.
  ///
  /// Nil before there was one of each. Unlike all else here it is another each time.
  public let usualTimes: (key: Duration, propagated: Duration)?

  /// A moment whose quantities come from these closures, each called at most once
  /// (`features` at most once for each stage).
  public init(
    frame: Frame, key: Frame, framesSinceKey: Int, framesSinceScores: Int? = nil,
    motionToKey: @escaping () throws -> MotionField,
    motionToPrevious: @escaping () throws -> MotionField,
    features: @escaping (_ stage: String) throws -> Tensor,
    keyFeatures: @escaping (_ stage: String) throws -> Tensor,
    scores: @escaping () throws -> Tensor, keyScores: @escaping () throws -> Tensor,
    usualTimes: (key: Duration, propagated: Duration)? = nil
  ) {
    (self.frame, self.key, self.framesSinceKey) = (frame, key, framesSinceKey)
    self.framesSinceScores = framesSinceScores ?? framesSinceKey
    self.usualTimes = usualTimes
    (keyMotion, previousMotion) = (Asked(motionToKey), Asked(motionToPrevious))
    (carriedScores, computeKeyScores) = (Asked(scores), keyScores)
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

  /// What propagation gives for this frame: 1 × classes × h × w, on the grid of the backbone's last stage.
  ///
  /// If the frame becomes key, that was in vain; else it is not done again.
  public mutating func scores() throws -> Tensor { try carriedScores.value() }

  /// The scores of the last key frame, on the same grid.
  public func keyScores() throws -> Tensor { try computeKeyScores() }
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
