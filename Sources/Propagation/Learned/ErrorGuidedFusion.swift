// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Engines
public import Frames
public import Layers
public import Tensors

/// Propagated scores where they can be trusted, and those of a branch that sees the frame where
/// propagation went wrong (as in Zhuang et al., "Video semantic segmentation with distortion-aware
/// feature correction", TCSVT 2021).
///
/// e ⊙ W(branch) + (1 - e) ⊙ propagated. Two 3 × 3 convolutions on the branch's own grid, which is
/// mostly the coarser, tell the error map e from both probabilities and from both pictures, the
/// keyframe's warped along the flow; W is a 1 × 1 convolution, first the identity, which brings the
/// branch's scores to the scale of those propagated. At first e is a fiftieth everywhere.
public struct ErrorGuidedFusion: LearnedFusion {
  /// The parameters of the fusion, and of a branch that is trained with it.
  public let parameters: Parameters
  /// What looks at the frame itself and gives scores.
  public private(set) var branch: any Branch
  private let translation: Conv2d, features: Conv2d, error: Conv2d

  /// A fusion of `classes` propagated scores with those of a branch; as many, unless said
  /// otherwise.
  public init(
    classes: Int, with branch: some Branch, giving branchClasses: Int? = nil, width: Int = 32,
    parameters: Parameters
  ) throws {
    (self.branch, self.parameters) = (branch, parameters)
    let scope = parameters.root
    translation = try Conv2d(
      branchClasses ?? classes, classes, kernel: 1,
      initialisation: .identity(times: 1, deviation: 0),
      in: scope["translation"])
    features = try Conv2d(
      classes + (branchClasses ?? classes) + 9, width, kernel: 3, in: scope["features"])
    error = try Conv2d(width, 1, kernel: 3, initialisation: .constant(0), in: scope["error"])
  }

  /// The same with its branch's normalisations folded into convolutions.
  public func folded() throws -> ErrorGuidedFusion {
    var fusion = self
    fusion.branch = try branch.folded()
    return fusion
  }

  /// The propagated scores, N × classes × H × W, with the branch's where errors are expected.
  public func fuse(
    _ propagated: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> Tensor {
    try fuseTellingErrors(propagated, given: context, in: pass).fused
  }

  /// The same, and where the propagated scores are wrong, on the branch's grid, from 0 to 1.
  public func fuseTellingErrors(
    _ propagated: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> (fused: Tensor, errors: Tensor?) {
    let seen = try branch.features(of: context, in: pass)
    let wrong = try errors(of: propagated, seen: seen, given: context, in: pass)
    // A 1 × 1 convolution and interpolation change places.
    let translated = try translation(seen, in: pass).cast(to: .float32)
      .resized(like: propagated, in: pass)
    let share = try wrong.resized(like: propagated, in: pass)
    return (try propagated + share * (translated - propagated), wrong)
  }

  /// Where the propagated scores are wrong, on the grid of what the branch has `seen`.
  private func errors(
    of propagated: Tensor, seen: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> Tensor {
    let size = Extent(height: seen.shape[2], width: seen.shape[3])
    let (motion, known) = try context.flow(
      to: .keyframe, height: size.height, width: size.width)
    let pictures = try PictureChange(context, to: .keyframe, along: motion, known: known)
    let before = try propagated.adaptiveAveragePool(size)
    let input = try pictures.joined(with: before.softmax(axis: 1), seen.softmax(axis: 1))
    let hidden = try features(input, in: pass).cast(to: .float32).relu()
    // σ(-3.9) is a fiftieth.
    return try (error(hidden, in: pass).cast(to: .float32) - 3.9).sigmoid()
  }
}

extension ErrorGuidedFusion: OnnxPart {
  /// The propagated scores, with the branch's where errors are expected.
  public func write(_ propagated: OnnxValue, given frame: inout OnnxFrame) throws -> OnnxValue {
    let seen = try branch.written(frame.image(.current), to: &frame.graph)
    let wrong = frame.graph.resized(
      try errors(of: propagated, seen: seen, given: &frame), like: propagated)
    let translated = frame.graph.resized(
      try translation.write(seen, to: &frame.graph), like: propagated)
    let gap = frame.graph.elementwise("Sub", translated, propagated)
    return frame.graph.elementwise("Add", propagated, frame.graph.elementwise("Mul", wrong, gap))
  }

  private func errors(
    of propagated: OnnxValue, seen: OnnxValue, given frame: inout OnnxFrame
  ) throws -> OnnxValue {
    let (height, width) = (seen.sizes[2], seen.sizes[3])
    let motion = try frame.flow(to: .keyframe, height: height, width: width).motion
    let pictures = try OnnxPictureChange(&frame, to: .keyframe, along: motion)
    let before = frame.graph.averaged(propagated, height: height, width: width)
    let shares = [frame.graph.softmax(before), frame.graph.softmax(seen)]
    let hidden = try features.write(
      pictures.joined(with: shares, in: &frame.graph), to: &frame.graph)
    let logits = try error.write(frame.graph.elementwise("Relu", hidden), to: &frame.graph)
    let shifted = frame.graph.elementwise("Sub", logits, frame.graph.constant(3.9))
    return frame.graph.elementwise("Sigmoid", shifted)
  }
}
