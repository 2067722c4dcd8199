// SPDX-License-Identifier: Apache-2.0

public import Video

/// Motion over many frames, put together from the motion of each to the one before.
///
/// Steps between neighbours are short and easily found, and composing them reads the key once,
/// where a tensor that is warped step by step blurs. Errors add up on the way, and what was hidden
/// on the way is lost. A pipeline and `FlowAccumulator` do the composing; each step is
/// `estimator`'s.
public struct ChainedFlow: FlowEstimator {
  /// What finds each step.
  public let estimator: any FlowEstimator
  /// How steps are put together where a way is composed of them.
  public let sampling: FlowSampling

  /// A chain of `estimator`'s steps; by itself it finds single steps only.
  public init(_ estimator: some FlowEstimator, sampling: FlowSampling = .exact) {
    (self.estimator, self.sampling) = (estimator, sampling)
  }

  /// Whether the estimator of the steps reads the codec's motion vectors.
  public var needsMotionVectors: Bool { estimator.needsMotionVectors }
  /// The threads of the estimator of the steps.
  public var threads: Int { estimator.threads }
  /// Step by step, or the previous frame only where the estimator leads no further.
  public var reach: Reach { estimator.reach == .anyFrame ? .stepByStep : estimator.reach }

  /// One step, directly as the estimator finds it.
  public func motion(from current: Frame, to reference: Frame) throws -> MotionField {
    try estimator.motion(from: current, to: reference)
  }
}

/// How steps of motion are put together.
public enum FlowSampling: String, Sendable, Hashable, CaseIterable {
  /// Each step is read bilinearly where the one before leads.
  case exact
  /// Each is read at the nearest cell, as AR-Seg (Hu et al., CVPR 2023) does; the steps themselves
  /// keep their fractions.
  case rounded
}
