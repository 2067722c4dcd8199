// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Engines
internal import Foundation
public import Frames
public import Layers
public import Tensors

/// Features of the key frame, each place a mean of its neighbours there by weights that low-level
/// features of both frames tell (LLVSS; Li et al., CVPR 2018, section 3.1).
///
/// A network of 3 × 3 convolutions makes of both frames' features after an early stage one k × k
/// kernel a place, soft-maxed over its taps and shared by all channels;
/// `Tensor.convolved(withKernels:)` applies it. No motion is estimated: what moves further than (k
/// - 1) / 2 cells is out of reach. Taps outside the picture are left out. The kernels begin with
/// most of their weight on the place itself: nearly all of it gives a copy, from which learning
/// moves slowly; less of it gives a blur. An adaptor may add what the frame's own low-level
/// features tell (the paper's AdaptNet and fusion, section 3.1).
public struct VariantConvolution: LearnedPropagator {
  /// The key frame, from which every frame is reached in one step.
  public let reference = FlowReference.keyframe
  /// False: the kernels do what motion would.
  public var usesFlow: Bool { false }
  /// The key frame's map.
  public var remembered = RememberedMap()
  /// The parameters of the network that tells the kernels.
  public let parameters: Parameters
  /// The early stage whose features tell the kernels.
  public let stage: String
  /// Side of the kernels, in cells of what is propagated.
  public let size: Int
  /// What the frame's own features add; nil for nothing.
  public let adaptor: IndependentFusion?
  private let reduction: Conv2d, mixture: Conv2d, kernels: Conv2d
  private let centre: Double

  /// A propagator whose early stage gives `channels`, of which the network makes `width` of each
  /// frame; `centre` is the place's own share of a kernel where the network says nothing.
  ///
  /// - Precondition: the size is odd, from 3 to 25; the share is above 0 and below 1.
  public init(
    channels: Int, after stage: String, size: Int = 9, width: Int = 64, centre: Double = 0.99,
    adaptor: IndependentFusion? = nil, parameters: Parameters
  ) throws {
    precondition(size % 2 == 1 && (3...25).contains(size), "kernels of \(size)×\(size)")
    precondition(centre > 0 && centre < 1, "a share of \(centre)")
    (self.stage, self.size, self.parameters) = (stage, size, parameters)
    (self.centre, self.adaptor) = (centre, adaptor)
    let scope = parameters.root
    reduction = try Conv2d(channels, width, kernel: 3, in: scope["reduction"])
    mixture = try Conv2d(2 * width, width, kernel: 3, in: scope["mixture"])
    kernels = try Conv2d(
      width, size * size, kernel: 1, initialisation: .constant(0), in: scope["kernels"])
  }

  /// The early stage, whose features of the key frame are compared with the frame's.
  public var keptStages: [String] { [stage] }

  /// The key frame's map, each place a weighted mean of its neighbours there.
  public func propagate(
    _ map: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> Tensor {
    let weights = try kernels(given: context, like: map, in: pass)
    pass.ledger?.add(macs: map.count * size * size)
    let moved = try map.convolved(withKernels: weights, border: .validWeights)
    return try adaptor?.fuse(moved, given: context, in: pass) ?? moved
  }

  /// One kernel for each place of `map`: N × k² × H × W, which add up to 1.
  public func kernels(
    given context: FrameContext, like map: Tensor, in pass: ForwardContext
  ) throws -> Tensor {
    let sides = try [FrameSide.keyframe, .current].map { side in
      try reduction(context.features(after: stage, of: side), in: pass).relu()
        .resized(like: map, in: pass)
    }
    let mixed = try mixture(.concatenate(sides, axis: 1), in: pass).relu()
    return try (kernels(mixed, in: pass).cast(to: .float32) + start()).softmax(axis: 1)
  }

  /// What gives the place itself its share where the network says nothing.
  private func start() throws(TensorError) -> Tensor {
    let taps = size * size
    var logits = [Float](repeating: 0, count: taps)
    logits[taps / 2] = Float(log(centre / (1 - centre) * Double(taps - 1)))
    return try Tensor(logits, shape: [1, taps, 1, 1]).to(parameters.device)
  }
}

extension VariantConvolution: OnnxPart {
  /// The key frame's map, each place a weighted mean of its neighbours there.
  public func write(_ map: OnnxValue, given frame: inout OnnxFrame) throws -> OnnxValue {
    var sides: [OnnxValue] = []
    for side in [FrameSide.keyframe, .current] {
      let early = try frame.features(after: stage, of: side)
      let reduced = frame.graph.elementwise(
        "Relu", try reduction.write(early, to: &frame.graph))
      sides.append(frame.graph.resized(reduced, like: map))
    }
    let joined = frame.graph.joined(sides)
    let mixed = frame.graph.elementwise("Relu", try mixture.write(joined, to: &frame.graph))
    let logits = frame.graph.elementwise(
      "Add", try kernels.write(mixed, to: &frame.graph), try frame.graph.constant(start()))
    let weights = frame.graph.softmax(logits)
    let moved = frame.graph.convolved(map, withKernels: weights, size: size)
    return try adaptor?.write(moved, given: &frame) ?? moved
  }
}
