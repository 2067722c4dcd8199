// SPDX-License-Identifier: Apache-2.0

public import Layers
public import Tensors

/// A propagator with parameters that training changes.
public protocol LearnedPropagator: Propagator {
  var parameters: Parameters { get }

  /// The tensor as it is at the current frame, N × C × H × W, in a pass that may be one of training.
  ///
  /// Gradients flow to the parameters, to `cached`, and to what the evidence gives.
  func carry(_ cached: Tensor, given evidence: Evidence, in pass: Pass) throws -> Tensor
}

extension LearnedPropagator {
  public func callAsFunction(_ cached: Tensor, given evidence: Evidence) throws -> Tensor {
    try withoutGradients { try carry(cached, given: evidence, in: .inference) }
  }
}

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
  func fuse(_ carried: Tensor, given evidence: Evidence, in pass: Pass) throws -> Tensor
}

extension LearnedFusion {
  public func callAsFunction(_ carried: Tensor, given evidence: Evidence) throws -> Tensor {
    try withoutGradients { try fuse(carried, given: evidence, in: .inference) }
  }
}

/// A network that looks at every frame, cheaper than the backbone: light, or at low resolution.
public protocol Branch: Sendable {
  /// What it makes of pictures, N × 3 × H × W as the backbone reads them: N × C × h × w.
  func scores(of pictures: Tensor, in pass: Pass) throws(TensorError) -> Tensor
}
