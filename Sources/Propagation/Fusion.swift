// SPDX-License-Identifier: Apache-2.0

public import Layers
public import Tensors

/// Joins what was carried to a frame with what is seen of the frame itself.
///
/// *Decides* what the frame's tensor is; what is carried on to the next frame is what came in, not what it
/// gives, so that no error of one frame's evidence is carried. *Must keep* these laws: sizes stay; what is
/// not needed is not asked for. It has no state.
public protocol Fusion: Sendable {
  /// As `Propagator.keptStages`.
  var keptStages: [String] { get }

  /// What becomes of `carried`, N × C × H × W.
  func callAsFunction(_ carried: Tensor, given evidence: Evidence) throws -> Tensor
}

extension Fusion {
  public var keptStages: [String] { [] }
}

/// A fusion with parameters that training changes.
public protocol LearnedFusion: Fusion {
  var parameters: Parameters { get }

  /// What becomes of `carried`, in a pass that may be one of training.
  func fuse(_ carried: Tensor, given evidence: Evidence, in pass: ForwardContext) throws -> Tensor
}

extension LearnedFusion {
  public func callAsFunction(_ carried: Tensor, given evidence: Evidence) throws -> Tensor {
    try withoutGradients { try fuse(carried, given: evidence, in: .inference) }
  }
}
