// SPDX-License-Identifier: Apache-2.0

internal import Backbone
public import Engines
public import Frames
public import Layers
public import Tensors
internal import Video

/// Features of a frame and those of the one before, warped along the flow, channel by channel
/// (NetWarp; Gadde et al., ICCV 2017, section 3).
///
/// w₀ ⊙ z_t + w₁ ⊙ warp(z_{t-1}, M), where z are each frame's own features at a tap of the
/// backbone, never what was blended before at this tap, w one number a channel, and M the motion as
/// a small network refines it. The blend begins as the frame's own features, or half of each as in
/// the paper's program.
///
/// It may blend at several taps, as the paper's networks do: what comes of one is read by the
/// stages after it, whose output is blended at the next. The motion is refined once, on the grid of
/// the last tap.
public struct NetWarpBlend: LearnedPropagator {
  /// The frame before, whose own features are blended in.
  public let reference = FlowReference.previous
  /// The features of the frame before.
  public var remembered = RememberedMap()
  /// The parameters of the blend and of the refiner.
  public let parameters: Parameters
  /// The tap: the stage whose output a pipeline is to cache.
  public let stage: String
  /// The taps before the last, in the backbone's order.
  public var earlierStages: [String] { earlier.map(\.stage) }
  /// Those: each frame's own features there are wanted of the next one.
  public var keptStages: [String] { earlierStages }
  /// What corrects the motion first; nil where it is taken as it comes.
  public let refiner: MotionRefiner?
  private let earlier: [Blend]
  private let last: Blend

  /// A stage whose features are blended, and how many channels they have.
  public struct Tap: Sendable, Hashable {
    /// The stage's name, and the channels of what it gives.
    public let stage: String, channels: Int

    /// A stage of the backbone with so many channels.
    public init(_ stage: String, channels: Int) {
      (self.stage, self.channels) = (stage, channels)
    }
  }

  /// What own and warped features count, channel by channel.
  private struct Blend: Sendable {
    let stage: String
    let own: Tensor, warped: Tensor

    init(_ tap: Tap, start: Double, in scope: ParameterScope) throws {
      let shape: Shape = [1, tap.channels, 1, 1]
      stage = tap.stage
      own = try scope.parameter("own", shape, .offset, .constant(start))
      warped = try scope.parameter("carried", shape, .offset, .constant(1 - start))
    }

    func callAsFunction(
      _ features: Tensor, _ before: Tensor, along motion: Tensor, known: Tensor?
    ) throws -> Tensor {
      try features * own + before.warped(along: motion, known: known) * warped
    }
  }

  /// A blend of features with `channels`, and of those at `earlier` taps, in the backbone's order;
  /// `start` is what the frame's own count at first.
  public init(
    channels: Int, after stage: String, earlier: [Tap] = [], start: Double = 1,
    refinesMotion: Bool = true, parameters: Parameters
  ) throws {
    precondition((0...1).contains(start), "own features that count \(start)")
    (self.stage, self.parameters) = (stage, parameters)
    let scope = parameters.root
    last = try Blend(Tap(stage, channels: channels), start: start, in: scope)
    self.earlier = try earlier.map { try Blend($0, start: start, in: scope[$0.stage]) }
    refiner = refinesMotion ? try MotionRefiner(in: scope["refiner"]) : nil
  }

  /// The frame's own features and those of the one before, warped: N × channels × H × W.
  public func propagate(
    _ map: Tensor, given context: FrameContext, in pass: ForwardContext
  ) throws -> Tensor {
    let (motion, known) = try motion(on: map, in: context, pass)
    let own = try own(along: motion, in: context)
    return try last(own, map, along: motion, known: known)
  }

  /// The frame's own features at the last tap, without what was blended into them there.
  public func next(
    after map: Tensor, propagated _: Tensor, given context: FrameContext
  ) throws -> Tensor {
    guard !earlier.isEmpty else { return try context.features(after: stage) }
    return try own(along: motion(on: map, in: context, .inference).motion, in: context)
  }

  /// The motion on the grid of a map, refined.
  private func motion(
    on map: Tensor, in context: FrameContext, _ pass: ForwardContext
  ) throws -> (motion: Tensor, known: Tensor?) {
    let (motion, known) = try context.flow(
      to: reference, height: map.shape[2], width: map.shape[3])
    guard let refiner else { return (motion, known) }
    let refined = try context.once(name("motion", in: context)) {
      try refiner(motion, context.image(.current), context.image(.previous), in: pass)
    }
    return (refined, known)
  }

  /// What the frame's features at the last tap are before they are blended there.
  private func own(along motion: Tensor, in context: FrameContext) throws -> Tensor {
    guard let first = earlier.first else { return try context.features(after: stage) }
    return try context.once(name("own", in: context)) {
      var features = try context.features(after: first.stage)
      for (blend, next) in zip(earlier, earlierStages.dropFirst() + [stage]) {
        let size = Extent(height: features.shape[2], width: features.shape[3])
        let (coarse, known) = try context.flow(
          to: reference, height: size.height, width: size.width)
        let blended = try blend(
          features, context.features(after: blend.stage, of: .previous),
          along: refiner == nil ? coarse : motion.brought(to: size), known: known)
        features = try context.features(after: next, reading: blended, after: blend.stage)
      }
      return features
    }
  }

  /// What comes from the other side, where there are two, is another.
  private func name(_ what: String, in context: FrameContext) -> String {
    "blend at \(stage): \(what) from \(context.keyframe.index)"
  }
}

extension Tensor {
  /// Motion on a coarser grid, in cells of it.
  fileprivate func brought(to size: Extent) throws -> Tensor {
    try adaptiveAveragePool(size) * (Float(size.width) / Float(shape[3]))
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
    guard earlier.isEmpty else {
      throw PropagationError(
        "a blend at several taps is not exported, as it changes what the network reads on the way; "
          + "one at one tap, without 'earlier', is")
    }
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
      "Add", frame.graph.elementwise("Mul", own, try frame.graph.constant(last.own)),
      frame.graph.elementwise("Mul", warped, try frame.graph.constant(last.warped)))
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
