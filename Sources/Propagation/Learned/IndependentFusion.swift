// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Engines
public import Frames
public import Layers
public import Tensors

/// Deep features of a keyframe, taken for what frames have in common, and a light part of each
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
public struct IndependentFusion: LearnedFusion {
  /// The parameters of the independent part.
  public let parameters: Parameters
  /// The early stage of the backbone that sees each frame.
  public let stage: String
  private let own: ConvolutionBlock, joined: ConvolutionBlock, change: Conv2d

  /// A fusion of common features with `channels` and early ones, of `stage`, with `ownChannels`.
  ///
  /// Cells of the early features lie `stride` to one of the common ones, each way; `width` channels
  /// lie between. Parameters lie in `scope` where it is a part of another.
  ///
  /// - Precondition: the stride is at least 1.
  public init(
    channels: Int, after stage: String, giving ownChannels: Int, stride: Int, width: Int = 96,
    parameters: Parameters, in scope: ParameterScope? = nil
  ) throws {
    precondition(stride >= 1, "an early stage of a grid coarser than what is propagated")
    (self.parameters, self.stage) = (parameters, stage)
    let scope = scope ?? parameters.root
    own = try ConvolutionBlock(
      ownChannels, width, kernel: 3, stride: Extent(height: stride, width: stride),
      in: scope["own"])
    joined = try ConvolutionBlock(width + channels, width, kernel: 3, in: scope["joined"])
    change = try Conv2d(
      width, channels, kernel: 3, initialisation: .constant(0), in: scope["change"])
  }

  /// The propagated features, N × C × H × W, and what the frame itself adds to them.
  public func fuse(
    _ propagated: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> Tensor {
    let seen = try own(context.features(after: stage), in: pass).resized(like: propagated, in: pass)
    let both = try joined(.concatenate([seen, propagated], axis: 1), in: pass)
    return try propagated + change(both, in: pass)
  }
}

extension IndependentFusion: OnnxPart {
  /// The propagated features, and what the frame itself adds to them.
  public func write(_ propagated: OnnxValue, given frame: inout OnnxFrame) throws -> OnnxValue {
    let early = try own.write(frame.features(after: stage), to: &frame.graph)
    let seen = frame.graph.resized(early, like: propagated)
    let both = try joined.write(frame.graph.joined([seen, propagated]), to: &frame.graph)
    return frame.graph.elementwise("Add", propagated, try change.write(both, to: &frame.graph))
  }
}
