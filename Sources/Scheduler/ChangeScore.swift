// SPDX-License-Identifier: Apache-2.0

internal import Flow
internal import Foundation
public import Frames
public import Tensors

/// How far a frame has come from its key: one number, which schedulers compare.
///
/// *Decides* nothing; it measures. *May assume* that nothing is asked of it twice for one frame.
/// *Must keep* these laws: a frame equal to its key frame scores 0; nothing is asked of the context
/// that is not needed.
public protocol ChangeScore: Sendable {
  /// What a trace calls it: "pixels moved".
  var name: String { get }

  /// Whether what it says depends on the motion, or on what is propagated along it: a threshold
  /// found along one motion then means nothing along another. True unless a change score says
  /// otherwise.
  var dependsOnMotion: Bool { get }

  /// From 0, nothing has changed, upwards; nil where it cannot be told, as after a cut.
  func score(at context: FrameContext) throws -> Double?
}

extension ChangeScore {
  /// True unless a change score says otherwise.
  public var dependsOnMotion: Bool { true }
}

/// The share of a picture whose motion may be unknown before nothing is told from the rest.
let tolerableUnknown = 0.5

extension FrameContext {
  /// The motion back to the key; nil where too much of it is unknown.
  fileprivate func reliableFlowToKeyframe() throws -> MotionField? {
    let motion = try flow(to: .keyframe)
    return Double(motion.validFraction) >= 1 - tolerableUnknown ? motion : nil
  }
}

/// The mean length of the motion back to the key, in pixels of the working size.
///
/// Nil where the motion of more than half of the picture is unknown. The motion is the one that a
/// warp needs anyway.
public struct MotionMagnitude: ChangeScore {
  /// What traces call it.
  public let name = "pixels moved"

  /// A measure without settings.
  public init() {}

  /// The mean length in pixels; nil where the motion of more than half of the picture is unknown.
  public func score(at context: FrameContext) throws -> Double? {
    try context.reliableFlowToKeyframe()?.meanLength.map(Double.init)
  }
}

/// The share of the picture whose motion back to the key is unknown: of a codec's motion, what was
/// coded on its own, which codecs do where the picture cannot be told from those before it.
public struct UnknownFraction: ChangeScore {
  /// What traces call it.
  public let name = "unknown share"

  /// A measure without settings.
  public init() {}

  /// The share of unknown pixels, from 0 to 1.
  public func score(at context: FrameContext) throws -> Double? {
    1 - Double(try context.flow(to: .keyframe).validFraction)
  }
}

/// How differently the key, brought here along the motion, looks from the frame: the mean of the
/// absolute difference of all samples, from 0 to 255, over the pixels whose motion is known.
///
/// Both pictures are looked at in cells of four pixels each way. Nil where the motion of more than
/// half of them is unknown.
public struct WarpError: ChangeScore {
  /// What traces call it.
  public let name = "warp error"

  /// A measure without settings.
  public init() {}

  /// The mean difference, from 0 to 255; nil where too much of the motion is unknown.
  public func score(at context: FrameContext) throws -> Double? {
    let cells = try DownsampledPair(of: context)
    return try cells.isTold ? cells.error : nil
  }
}

/// How far features after an early stage have come from the key's: the norm of the difference over
/// the norm of the key's.
///
/// What LLVSS (Li et al., CVPR 2018, section 3.2) regresses its change score from, without the
/// regression. A frame that becomes key goes on from these features.
public struct FeatureChange: ChangeScore {
  /// What traces call it.
  public let name = "feature change"
  /// False: only features are compared.
  public var dependsOnMotion: Bool { false }
  /// The backbone's stage whose features are compared.
  public let stage: String

  /// A measure of features after `stage`, at best an early one, which costs little.
  public init(after stage: String) { self.stage = stage }

  /// The relative change, from 0; nil where the key frame's features are all 0 and the frame's are
  /// not.
  public func score(at context: FrameContext) throws -> Double? {
    let (here, there) = (
      try context.features(after: stage), try context.features(after: stage, of: .keyframe)
    )
    func norm(_ tensor: Tensor) throws -> Double {
      Double(try (tensor * tensor).mean().item()).squareRoot()
    }
    let change = try norm(here - there), size = try norm(there)
    return size > 0 ? change / size : change > 0 ? nil : 0
  }
}

/// The share of places whose best class, or channel, after a stage is no longer the key's.
///
/// The adaptive clock of Clockwork Convnets (Shelhamer et al., 2016, section 4.3), whose stages
/// give scores; where a stage has no head of scores it is the strongest channel that changes.
public struct LabelChange: ChangeScore {
  /// What traces call it.
  public let name = "labels changed"
  /// False: only features are compared.
  public var dependsOnMotion: Bool { false }
  /// The backbone's stage whose channels are compared.
  public let stage: String
  /// What makes the classes' scores of its output; nil for the channels themselves.
  private let scores: (@Sendable (Tensor) throws -> Tensor)?

  /// A measure of the best channel after `stage`, or of the best class where `scores` makes scores
  /// of its output, as a head of its own does.
  public init(
    after stage: String, scores: (@Sendable (_ map: Tensor) throws -> Tensor)? = nil
  ) { (self.stage, self.scores) = (stage, scores) }

  /// The share of places that differ, from 0 to 1.
  public func score(at context: FrameContext) throws -> Double? {
    func labels(of map: Tensor) throws -> Tensor { try (scores?(map) ?? map).argmaxLabels() }
    let here = try labels(of: context.features(after: stage))
    let there = try labels(of: context.features(after: stage, of: .keyframe))
    return 1 - Double(try here.equal(to: there).cast(to: .float32).mean().item())
  }
}

/// How unevenly the picture moved since the key: the root of the mean square difference of the
/// motion from its mean, in pixels of the working size.
///
/// 0 for a pan, large where things move by themselves and where depth makes what is near move
/// further, which is where something comes into view.
public struct MotionDeviation: ChangeScore {
  /// What traces call it.
  public let name = "motion's spread"

  /// A measure without settings.
  public init() {}

  /// The spread in pixels; nil where the motion of more than half of the picture is unknown.
  public func score(at context: FrameContext) throws -> Double? {
    try context.reliableFlowToKeyframe()?.standardDeviation.map(Double.init)
  }
}

/// How much less sure what was propagated to the frame is than the key's own scores.
///
/// Carrying blends scores where the motion reads between cells, and what is fused with them
/// contradicts them where they are wrong: both lower the probability of the best class.
public struct UncertaintyIncrease: ChangeScore {
  /// What is held against the key's.
  public enum Measure: String, Sendable, Hashable, CaseIterable {
    /// The mean probability of the best class: 1 where all is sure.
    case confidence
    /// The mean entropy of the classes' probabilities over that of even ones: 1 where nothing is
    /// known.
    case entropy
  }

  /// How uncertainty is measured.
  public let measure: Measure

  /// A measure of what is propagated, which is therefore computed before the frame's role is known.
  public init(_ measure: Measure) { self.measure = measure }

  /// What traces call it, by the measure.
  public var name: String { measure == .confidence ? "confidence lost" : "entropy gained" }

  /// By how much the frame's uncertainty exceeds the key frame's, from 0 to 1.
  public func score(at context: FrameContext) throws -> Double? {
    let (here, there) = (
      try uncertainty(of: context.scores()), try uncertainty(of: context.keyframeScores())
    )
    return max(0, here - there)
  }

  private func uncertainty(of scores: Tensor) throws -> Double {
    let logs = try scores.cast(to: .float32).logSoftmax(axis: 1)
    switch measure {
    case .confidence: return 1 - Double(try logs.max(axes: [1]).exp().mean().item())
    case .entropy:
      let entropy = -Double(try (logs * logs.exp()).sum(axes: [1]).mean().item())
      return entropy / log(Double(max(2, scores.shape[1])))
    }
  }
}
