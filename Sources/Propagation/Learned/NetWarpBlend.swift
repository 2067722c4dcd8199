// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Engines
public import Frames
public import Layers
public import Tensors

/// Features of a frame and those of the one before, warped along the flow, channel by channel
/// (NetWarp; Gadde et al., ICCV 2017, section 3).
///
/// w₀ ⊙ z_t + w₁ ⊙ warp(z_{t-1}, M), where z are each frame's own features at a tap of the
/// backbone, never what was blended before, w one number a channel, and M the motion as a small
/// network refines it. The blend begins as the frame's own features, or half of each as in the
/// paper's program.
public struct NetWarpBlend: LearnedPropagator {
  /// The frame before, whose own features are blended in.
  public let reference = FlowReference.previous
  /// The features of the frame before.
  public var remembered = RememberedMap()
  /// The parameters of the blend and of the refiner.
  public let parameters: Parameters
  /// The tap: the stage whose output a pipeline is to cache.
  public let stage: String
  /// What corrects the motion first; nil where it is taken as it comes.
  public let refiner: MotionRefiner?
  private let ownWeight: Tensor, warpedWeight: Tensor

  /// A blend of features with `channels`; `start` is what the frame's own count at first.
  public init(
    channels: Int, after stage: String, start: Double = 1, refinesMotion: Bool = true,
    parameters: Parameters
  ) throws {
    precondition((0...1).contains(start), "own features that count \(start)")
    (self.stage, self.parameters) = (stage, parameters)
    let scope = parameters.root, shape: Shape = [1, channels, 1, 1]
    ownWeight = try scope.parameter("own", shape, .offset, .constant(start))
    warpedWeight = try scope.parameter("carried", shape, .offset, .constant(1 - start))
    refiner = refinesMotion ? try MotionRefiner(in: scope["refiner"]) : nil
  }

  /// The frame's own features and those of the one before, warped: N × channels × H × W.
  public func propagate(
    _ map: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> Tensor {
    let own = try context.features(after: stage)
    var (motion, known) = try context.flow(to: reference, height: map.shape[2], width: map.shape[3])
    if let refiner {
      motion = try refiner(
        motion, context.image(.current), context.image(.previous), in: pass)
    }
    return try own * ownWeight + map.warped(along: motion, known: known) * warpedWeight
  }

  /// The frame's own features, without what was blended into them.
  public func next(
    after _: Tensor, propagated _: Tensor, given context: FrameContext
  ) throws -> Tensor {
    try context.features(after: stage)
  }
}

/// A small network that corrects motion by the pictures it leads between (NetWarp's FlowCNN).
///
/// It sees the motion, both pictures and their difference: 3 × 3 convolutions with 16, 32 and 2
/// channels, and one more over these two and the motion itself. It begins as the motion it is
/// given, but for noise of deviation 0.001 in the last, as in the paper's program.
public struct MotionRefiner: Sendable {
  private let layers: [Conv2d]
  private let last: Conv2d

  /// A refiner whose parameters are drawn or read in `scope`.
  public init(in scope: ParameterScope) throws {
    layers = try [(11, 16), (16, 32), (32, 2)].enumerated().map { index, channels in
      try Conv2d(channels.0, channels.1, kernel: 3, in: scope["conv\(index + 1)"])
    }
    last = try Conv2d(
      4, 2, kernel: 3, initialisation: .passingLast(deviation: 0.001), in: scope["fusion"])
  }

  /// The motion, N × 2 × h × w in cells of its own grid, corrected; pictures are N × 3 × H × W.
  ///
  /// Pictures, as `FrameContext.image` gives them, are averaged over the cells of the motion's grid
  /// and counted in sixty-fourths of a sample around 128. Where the network sees it, motion is in
  /// pixels of the pictures.
  public func callAsFunction(
    _ motion: Tensor, _ current: Tensor, _ reference: Tensor, in pass: ForwardContext
  ) throws(TensorError) -> Tensor {
    let size = Extent(height: motion.shape[2], width: motion.shape[3])
    let (here, there) = (
      try (current.adaptiveAveragePool(size) - 128) / 64,
      try (reference.adaptiveAveragePool(size) - 128) / 64
    )
    let cell = Float(current.shape[3]) / Float(size.width)
    let inPixels = try motion * cell
    var output = try Tensor.concatenate([inPixels, here, there, here - there], axis: 1)
    for (index, layer) in layers.enumerated() {
      output = try layer(output, in: pass).cast(to: .float32)
      if index < layers.count - 1 { output = try output.relu() }
    }
    let joined = try Tensor.concatenate([output, inPixels], axis: 1)
    return try last(joined, in: pass).cast(to: .float32) * (1 / cell)
  }
}

extension NetWarpBlend: OnnxPart {
  /// The frame's own features and those of the one before, warped.
  public func write(_ map: OnnxValue, given frame: inout OnnxFrame) throws -> OnnxValue {
    let own = try frame.features(after: stage)
    var (motion, known) = try frame.flow(
      to: reference, height: map.sizes[2], width: map.sizes[3])
    if let refiner {
      let (here, there) = (try frame.image(.current), try frame.image(.previous))
      let refined = try refiner.write(motion, here, there, to: &frame.graph)
      motion = frame.graph.elementwise("Mul", refined, known)
    }
    let warped = frame.graph.warped(map, along: motion)
    return frame.graph.elementwise(
      "Add", frame.graph.elementwise("Mul", own, try frame.graph.constant(ownWeight)),
      frame.graph.elementwise("Mul", warped, try frame.graph.constant(warpedWeight)))
  }

  /// The frame's own features, without what was blended into them.
  public func next(
    after _: OnnxValue, propagated _: OnnxValue, given frame: inout OnnxFrame
  ) throws -> OnnxValue { try frame.features(after: stage) }
}

extension MotionRefiner {
  /// The motion, 1 × 2 × h × w in cells, corrected; pictures are 1 × 3 × H × W.
  fileprivate func write(
    _ motion: OnnxValue, _ current: OnnxValue, _ reference: OnnxValue,
    to graph: inout OnnxGraphBuilder
  ) throws -> OnnxValue {
    let (height, width) = (motion.sizes[2], motion.sizes[3])
    let here = graph.centred(current, height: height, width: width)
    let there = graph.centred(reference, height: height, width: width)
    let cell = Float(current.sizes[3]) / Float(width)
    let inPixels = graph.elementwise("Mul", motion, graph.constant(cell))
    var output = graph.joined([inPixels, here, there, graph.elementwise("Sub", here, there)])
    for (index, layer) in layers.enumerated() {
      output = try layer.write(output, to: &graph)
      if index < layers.count - 1 { output = graph.elementwise("Relu", output) }
    }
    let corrected = try last.write(graph.joined([output, inPixels]), to: &graph)
    return graph.elementwise("Mul", corrected, graph.constant(1 / cell))
  }
}
