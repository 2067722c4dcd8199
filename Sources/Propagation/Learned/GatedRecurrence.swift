// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Engines
public import Frames
public import Layers
public import Tensors

/// Scores that go from frame to frame and are corrected by each frame's own: a spatio-temporal
/// transformer gated recurrent unit (GRFP; Nilsson and Sminchisescu, CVPR 2018, section 3.2).
///
/// With ĥ = softmax(h) - 1/K of the scores h before, x̂ likewise of the frame's own, D the
/// difference of the picture and the one before warped along the flow:
///
///     r = 1 - tanh|W_ir * D + b_r|          g = r ⊙ warp(ĥ)
///     h̃ = W_xh * x̂ + W_hh * g               z = σ(W_xz * x̂ + W_hz * g + b_z)
///     h = λ (1 - z) ⊙ g + z ⊙ h̃
///
/// as the paper's program has it: 7 × 7 kernels, z one map and K biases, places outside the picture
/// uniform. W_xh and W_hh begin as six times the identity, λ as 2, all else near nothing, so that
/// at first h = 3 x̂ + 4 ĥ where nothing moved.
public struct GatedRecurrence: LearnedPropagator {
  /// The frame before: scores go from frame to frame.
  public let reference = FlowReference.previous
  /// The scores of the frame before, as the unit left them.
  public var remembered = RememberedMap()
  /// The parameters of the gates.
  public let parameters: Parameters
  /// The backbone's stage that gives a frame's own scores, at the size of those that are
  /// propagated.
  public let stage: String
  private let classes: Int
  private let reset: Conv2d, fromScores: Conv2d, fromState: Conv2d
  private let updateByScores: Conv2d, updateByState: Conv2d
  private let updateBias: Tensor, trust: Tensor

  /// A unit for scores of `classes`, drawn or read as `parameters` says.
  public init(classes: Int, scoresAfter stage: String, parameters: Parameters) throws {
    precondition(classes >= 2, "scores of \(classes) classes")
    (self.stage, self.classes, self.parameters) = (stage, classes, parameters)
    let scope = parameters.root, near = 0.01
    reset = try Conv2d(
      3, 1, kernel: 7, initialisation: .normal(deviation: 0.001), in: scope["reset"])
    func kernel(_ outputs: Int, _ start: Initialisation, _ name: String) throws -> Conv2d {
      try Conv2d(classes, outputs, kernel: 7, bias: false, initialisation: start, in: scope[name])
    }
    fromScores = try kernel(classes, .identity(times: 6, deviation: near), "from_scores")
    fromState = try kernel(classes, .identity(times: 6, deviation: near), "from_state")
    updateByScores = try kernel(1, .normal(deviation: near), "update_by_scores")
    updateByState = try kernel(1, .normal(deviation: near), "update_by_state")
    updateBias = try scope.parameter("update_bias", [1, classes, 1, 1], .offset, .constant(0))
    trust = try scope.parameter("trust", [1], .offset, .constant(2))
  }

  /// The frame's scores, N × classes × H × W, of those before and of its own.
  public func propagate(
    _ map: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> Tensor {
    let (height, width) = (map.shape[2], map.shape[3])
    let own = try centred(context.features(after: stage))
    let (motion, known) = try context.flow(to: reference, height: height, width: width)
    func seen(_ side: FrameSide) throws -> Tensor {
      try context.image(side).resized(height: height, width: width, in: pass)
    }
    let before = try seen(.previous).warped(along: motion, known: known)
    let change = try reset(seen(.current) - before, in: pass).abs().tanh()
    var kept = try centred(map).warped(along: motion, border: .zero, known: known)
    kept = try kept * (1 - change)
    if let known { kept = try kept * known.notEqual(to: 0).unsqueezed(axis: 1) }
    let candidate = try fromScores(own, in: pass) + fromState(kept, in: pass)
    let update = try (updateByScores(own, in: pass) + updateByState(kept, in: pass) + updateBias)
      .sigmoid()
    return try trust * (1 - update) * kept + update * candidate
  }

  /// Probabilities, less what each would be of as many equal ones.
  private func centred(_ scores: Tensor) throws -> Tensor {
    guard scores.shape[1] == classes else {
      throw PropagationError("\(classes) scores a place are propagated, not \(scores.shape[1])")
    }
    return try scores.softmax(axis: 1) - 1 / Float(classes)
  }
}

extension GatedRecurrence: OnnxPart {
  /// The frame's scores of those before and of its own.
  public func write(_ map: OnnxValue, given frame: inout OnnxFrame) throws -> OnnxValue {
    let (height, width) = (map.sizes[2], map.sizes[3])
    let own = try centred(frame.features(after: stage), in: &frame.graph)
    let (motion, known) = try frame.flow(to: reference, height: height, width: width)
    let here = frame.graph.resized(try frame.image(.current), height: height, width: width)
    let there = frame.graph.resized(try frame.image(.previous), height: height, width: width)
    let gap = frame.graph.elementwise("Sub", here, frame.graph.warped(there, along: motion))
    let size = frame.graph.elementwise("Abs", try reset.write(gap, to: &frame.graph))
    let stays = frame.graph.elementwise(
      "Sub", frame.graph.constant(1), frame.graph.elementwise("Tanh", size))
    let state = try centred(map, in: &frame.graph)
    let moved = frame.graph.warped(state, along: motion, border: .zero)
    let kept = frame.graph.elementwise(
      "Mul", frame.graph.elementwise("Mul", moved, stays), known)
    return try joined(own, kept, in: &frame.graph)
  }

  /// What the unit makes of the frame's own scores and of what is kept of those before.
  private func joined(
    _ own: OnnxValue, _ kept: OnnxValue, in graph: inout OnnxGraphBuilder
  ) throws -> OnnxValue {
    let candidate = graph.elementwise(
      "Add", try fromScores.write(own, to: &graph), try fromState.write(kept, to: &graph))
    let gate = graph.elementwise(
      "Add", try updateByScores.write(own, to: &graph), try updateByState.write(kept, to: &graph))
    let update = graph.elementwise(
      "Sigmoid", graph.elementwise("Add", gate, try graph.constant(updateBias)))
    let rest = graph.elementwise("Sub", graph.constant(1), update)
    let trusted = graph.elementwise(
      "Mul", graph.elementwise("Mul", try graph.constant(trust), rest), kept)
    return graph.elementwise("Add", trusted, graph.elementwise("Mul", update, candidate))
  }

  private func centred(_ scores: OnnxValue, in graph: inout OnnxGraphBuilder) throws -> OnnxValue {
    guard scores.sizes[1] == classes else {
      throw PropagationError("\(classes) scores a place are propagated, not \(scores.sizes[1])")
    }
    return graph.elementwise("Sub", graph.softmax(scores), graph.constant(1 / Float(classes)))
  }
}
