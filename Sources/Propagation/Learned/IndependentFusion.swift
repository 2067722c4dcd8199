// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Engines
public import Frames
public import Layers
public import Tensors

/// Deep features of a key frame, taken for what frames have in common, and a light part of each
/// frame that is independent of it (after DCFM; "Deep common feature mining for efficient video
/// semantic segmentation", TCSVT 2024).
///
///     common + P(own ⊕ common),    own = features of an early stage of the frame itself
///
/// P brings the early features to the grid of the common ones by a 3 × 3 convolution with as much
/// of a stride as lies between the two, joins both, and tells by two more convolutions what to add.
/// The last of them begins as zero, so that at first the result is the common features. No optical
/// flow is needed: the part is trained so that a copy suffices. In the paper the networks before it
/// are trained too, and so they can be here (`training.backbone: trained`).
///
/// Behind a warp the part may *compare*: what it would add to the key frame by the key frame's own
/// early features, warped along the same flow, is taken off,
///
///     common + P(own ⊕ common) - P(warp(own of the key) ⊕ common)
///
/// so that nothing is added where the flow explains the frame. That is this package's own; without
/// it the part corrects what is right too, on footage that it was not trained on.
public struct IndependentFusion: LearnedFusion {
  /// The parameters of the independent part.
  public let parameters: Parameters
  /// The early stage of the backbone that sees each frame.
  public let stage: String
  /// Whether what the key frame's own features tell is taken off.
  public let compares: Bool
  private var own: ConvolutionBlock, joined: ConvolutionBlock
  private let change: Conv2d

  /// A fusion of common features with `channels` and early ones, of `stage`, with `ownChannels`.
  ///
  /// Cells of the early features lie `stride` to one of the common ones, each way; `width` channels
  /// lie between. Where it `compares`, the key frame's early features are asked for, and flow to
  /// it. Parameters lie in `scope` where it is a part of another.
  ///
  /// - Precondition: the stride is at least 1.
  public init(
    channels: Int, after stage: String, giving ownChannels: Int, stride: Int, width: Int = 96,
    compares: Bool = false, parameters: Parameters, in scope: ParameterScope? = nil
  ) throws {
    precondition(stride >= 1, "an early stage of a grid coarser than what is propagated")
    (self.parameters, self.stage, self.compares) = (parameters, stage, compares)
    let scope = scope ?? parameters.root
    own = try ConvolutionBlock(
      ownChannels, width, kernel: 3, stride: Extent(height: stride, width: stride),
      in: scope["own"])
    joined = try ConvolutionBlock(width + channels, width, kernel: 3, in: scope["joined"])
    change = try Conv2d(
      width, channels, kernel: 3, initialisation: .constant(0), in: scope["change"])
  }

  /// The early stage where the key frame's features of it are compared with the frame's.
  public var keptStages: [String] { compares ? [stage] : [] }

  /// The same with its normalisations folded into convolutions.
  public func folded() throws -> IndependentFusion {
    var fusion = self
    (fusion.own, fusion.joined) = (try own.folded(), try joined.folded())
    return fusion
  }

  /// The propagated features, N × C × H × W, and what the frame itself adds to them.
  public func fuse(
    _ propagated: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> Tensor {
    let now = try context.features(after: stage)
    let added = try told(by: now, beside: propagated, in: pass)
    guard compares else { return try propagated + added }
    let (motion, known) = try context.flow(
      to: .keyframe, height: now.shape[2], width: now.shape[3])
    let before = try context.features(after: stage, of: .keyframe)
      .warped(along: motion, known: known)
    return try propagated + added - told(by: before, beside: propagated, in: pass)
  }

  private func told(
    by features: Tensor, beside common: Tensor, in pass: ForwardContext
  ) throws -> Tensor {
    let seen = try own(features, in: pass).resized(like: common, in: pass)
    return try change(joined(.concatenate([seen, common], axis: 1), in: pass), in: pass)
  }
}

extension IndependentFusion: OnnxPart {
  /// The propagated features, and what the frame itself adds to them.
  public func write(_ propagated: OnnxValue, given frame: inout OnnxFrame) throws -> OnnxValue {
    let now = try frame.features(after: stage)
    let added = try told(by: now, beside: propagated, to: &frame.graph)
    let sum = frame.graph.elementwise("Add", propagated, added)
    guard compares else { return sum }
    let motion = try frame.flow(to: .keyframe, height: now.sizes[2], width: now.sizes[3]).motion
    let before = frame.graph.warped(
      try frame.features(after: stage, of: .keyframe), along: motion)
    return frame.graph.elementwise(
      "Sub", sum, try told(by: before, beside: propagated, to: &frame.graph))
  }

  private func told(
    by features: OnnxValue, beside common: OnnxValue, to graph: inout OnnxGraphBuilder
  ) throws -> OnnxValue {
    let early = try own.write(features, to: &graph)
    let seen = graph.resized(early, like: common)
    return try change.write(
      joined.write(graph.joined([seen, common]), to: &graph), to: &graph)
  }
}
