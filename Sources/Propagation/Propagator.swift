// SPDX-License-Identifier: Apache-2.0

public import Tensors

/// Carries a cached tensor to the current frame.
///
/// *Decides* what the tensor looks like one or more frames later. *May assume* that the motion is
/// that of the frame it is asked for, back to the declared reference, on the pipeline's working
/// grid, of which the tensor's own grid is a whole fraction or the same. *Must keep* these laws: no
/// motion, no change, to the last bit; sizes stay; a constant stays; motion by whole cells shifts;
/// what is not needed is not asked for, since asking computes it. A propagator has no state
/// of its own: what a stream remembers belongs to the stream. *Prove it* with ConformanceKit's
/// `brokenLaws(of:)`; one that was trained keeps these laws in the state that training begins with.
public protocol Propagator: Sendable {
  /// The frame that the motion leads to, and that the cached tensor is of.
  var reference: MotionReference { get }

  /// Stages of the backbone whose features of the reference it asks for: a pipeline remembers those.
  /// None unless a propagator says otherwise.
  var keptStages: [String] { get }

  /// Whether it asks for optical flow. True unless a propagator says otherwise.
  var usesFlow: Bool { get }

  /// What is worth doing once to a tensor that will be carried many times, such as laying it out
  /// for fast reading; the values stay.
  func prepare(_ cached: Tensor) throws -> Tensor

  /// The tensor as it is at the current frame: N × C × H × W, like `cached`.
  func callAsFunction(_ cached: Tensor, given evidence: Evidence) throws -> Tensor

  /// The class with the highest carried score, N × H × W bytes: what `callAsFunction` followed by
  /// an argmax over the channels gives, possibly without making the carried tensor.
  func labels(_ cached: Tensor, given evidence: Evidence) throws -> Tensor
}

/// The frame that motion leads to.
public enum MotionReference: String, Sendable, Hashable, CaseIterable {
  /// Straight back to the last key frame.
  case key
  /// To the frame before, whose carried tensor is carried on: chained.
  case previous
}

extension Propagator {
  public var keptStages: [String] { [] }

  public var usesFlow: Bool { true }

  public func prepare(_ cached: Tensor) throws -> Tensor { cached }

  public func labels(_ cached: Tensor, given evidence: Evidence) throws -> Tensor {
    try self(cached, given: evidence).argmaxLabels()
  }
}
