// SPDX-License-Identifier: Apache-2.0

public import Video

/// Motion over many frames, put together from the motion of each to the one before.
///
/// Steps between neighbours are short and easily found, and composing them reads the key once,
/// where a tensor that is warped step by step blurs. Errors add up on the way, and what was hidden
/// on the way is lost. A pipeline and `FlowAccumulator` do the composing; each step is
/// `estimator`'s.
public struct ChainedFlow: FlowEstimator {
  public let estimator: any FlowEstimator
  public let sampling: FlowSampling

  public init(_ estimator: some FlowEstimator, sampling: FlowSampling = .exact) {
    (self.estimator, self.sampling) = (estimator, sampling)
  }

  public var needsMotionVectors: Bool { estimator.needsMotionVectors }
  public var threads: Int { estimator.threads }
  public var reach: Reach { estimator.reach == .anyFrame ? .stepByStep : estimator.reach }

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
