// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Engines
public import Frames
public import Layers
public import Tensors

/// Propagated scores, corrected by those of a light network that sees the frame (Accel; Jain et
/// al., CVPR 2019).
///
/// A 1 × 1 convolution of both, raw scores as they are. It is done where the propagated scores lie,
/// before they are enlarged: interpolation is linear and acts on each channel alone, so the result
/// is that of fusing after it, away from the borders. What is propagated must be scores.
public struct CorrectiveFusion: LearnedFusion {
  /// What the fusion is before it is trained.
  public enum Start: String, Sendable, Hashable, CaseIterable {
    /// Small random numbers, as in the paper's program.
    case noise
    /// What was propagated, as it is.
    case propagated
  }

  /// The parameters of the mixture, and of a branch that is trained with it.
  public let parameters: Parameters
  /// What looks at the frame itself and gives scores.
  public private(set) var branch: any Branch
  private let mixture: Conv2d

  /// A fusion of `classes` propagated scores with those of a branch; as many, unless said
  /// otherwise.
  public init(
    classes: Int, with branch: some Branch, giving branchClasses: Int? = nil,
    start: Start = .propagated, parameters: Parameters
  ) throws {
    (self.branch, self.parameters) = (branch, parameters)
    // The propagated scores come last.
    let beginning: Initialisation =
      start == .noise ? .normal(deviation: 0.01) : .passingLast(deviation: 0)
    mixture = try Conv2d(
      classes + (branchClasses ?? classes), classes, kernel: 1, initialisation: beginning,
      in: parameters.root["mixture"])
  }

  /// The same with its branch's normalisations folded into convolutions.
  public func folded() throws -> CorrectiveFusion {
    var fusion = self
    fusion.branch = try branch.folded()
    return fusion
  }

  /// The mixture of both scores, N × classes × H × W on the grid of the propagated ones.
  public func fuse(
    _ propagated: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> Tensor {
    let seen = try branch.features(of: context, in: pass)
      .resized(like: propagated, in: pass)
    return try mixture(.concatenate([seen, propagated], axis: 1), in: pass)
  }
}

extension CorrectiveFusion: OnnxPart {
  /// The mixture of both scores, on the grid of the propagated ones.
  public func write(_ propagated: OnnxValue, given frame: inout OnnxFrame) throws -> OnnxValue {
    let seen = try branch.written(frame.image(.current), to: &frame.graph)
    let enlarged = frame.graph.resized(seen, like: propagated)
    let both = frame.graph.joined([enlarged, propagated])
    return try mixture.write(both, to: &frame.graph)
  }
}
